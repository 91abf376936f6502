/** What is going on with a destination, as one sentence, and what to do about it. */

import { ON_ITS_WAY, backlogOf, emptyIn } from "./samples.js";

// What to do about each problem; several have the same remedy.
/** @type {Record<string, string>} */
const ADVICE = {
  unreachable: "network",
  timeout: "network",
  no_answer: "network",
  tls: "tls",
  proxy: "address",
  redirect: "address",
  not_a_database: "address",
  invalid_auth: "credentials",
  forbidden: "permission",
  org_not_found: "place",
  bucket_not_found: "place",
  database_not_found: "place",
  retention_policy_not_found: "place",
  busy: "server",
  server_error: "server",
  disk: "disk",
  storm: "rejected",
  rejected: "quarantine",
  clock_differs: "clock",
  spool_full: "spool",
  internal_error: "report",
  unbalanced: "report",
};

// What the states of a config entry mean; whatever else there is, is wrong.
const CALM = new Set(["setup_in_progress", "not_loaded", "unload_in_progress"]);

/**
 * Describe a destination: `level` is good, info, warning or error; `key` and `values` make the
 * sentence, where `values` hold raw numbers; `advice` is a key or empty.
 * @type {Describe}
 */
export const situation = ({ state, health, remotes, mqtt }, samples, now) => {
  if (!health && CALM.has(state)) return { level: "info", key: "entry_waits", advice: "" };
  if (!health) return { level: "error", key: "entry_failed", advice: "entry" };
  const backlog = backlogOf(health);
  const values = { points: backlog, problem: health.concern };
  const advice = ADVICE[health.concern] ?? "";
  if (health.status === "starting" && !health.ledger) return { level: "info", key: "starting", values, advice };
  if (health.status === "paused") return { level: "warning", key: "paused", values, advice: "paused" };
  if (health.status === "blocked") return { level: "error", key: "blocked", values, advice };
  if (health.status === "retrying") return { level: "error", key: "retrying", values, advice };
  if (health.concern === "rejected") return { level: "warning", key: "refused", values, advice };
  if (health.concern !== "none") return { level: "warning", key: "degraded", values, advice };
  if (backlog > ON_ITS_WAY) {
    const seconds = emptyIn(samples, backlog, now);
    return seconds
      ? { level: "info", key: "catching_up", values: { ...values, duration: seconds }, advice: "" }
      : { level: "warning", key: "falling_behind", values, advice: "server" };
  }
  const isLost = [...remotes, ...mqtt].some((each) => each.connected === false);
  if (isLost) return { level: "warning", key: "source_lost", values, advice: "sources" };
  if (!health.performance.last_success) return { level: "good", key: "nothing_yet", values, advice: "" };
  return { level: "good", key: backlog ? "ok" : "ok_all", values, advice: "" };
};
