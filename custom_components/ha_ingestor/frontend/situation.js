/** What is going on with a destination, as one sentence, and what to do about it. */

import { ON_ITS_WAY, backlogOf, emptyIn, isNearlyFull } from "./samples.js";

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
 * Describe a destination: `key` makes the sentence, with raw numbers; `advice` is a key or empty.
 * @type {Describe}
 */
export const situation = ({ state, health, remotes, mqtt }, samples, now) => {
  const concern = health?.concern ?? "none";
  const backlog = health ? backlogOf(health) : 0;
  const isFilling = health ? isNearlyFull(health) : false;
  const isInMemory = Boolean(health?.spool_error && health.waiting);
  /** @type {(level: Situation["level"], key: string, advice?: string, duration?: number) => Situation} */
  const told = (level, key, advice = "", duration = 0) => ({ level, key, points: backlog, problem: concern, duration, advice, isFilling, isInMemory });
  if (!health) return CALM.has(state) ? told("info", "entry_waits") : told("error", "entry_failed", "entry");
  const { status } = health;
  const known = ADVICE[concern];
  if (status === "starting" && !health.ledger) return told("info", "starting", known);
  if (status === "paused") return told("warning", "paused", "paused");
  if (status === "blocked") return told("error", "blocked", known);
  if (status === "retrying") return told("error", "retrying", known);
  if (concern === "rejected") return told("warning", "refused", known);
  if (concern !== "none") return told("warning", "degraded", known);
  if (backlog > ON_ITS_WAY) {
    const seconds = emptyIn(samples, backlog, now);
    return seconds ? told("info", "catching_up", "", seconds) : told("warning", "falling_behind", "server");
  }
  const isLost = [...remotes, ...mqtt].some((each) => each.connected === false);
  if (isLost) return told("warning", "source_lost", "sources");
  if (!health.performance.last_success) return told("good", "nothing_yet");
  return told("good", backlog ? "ok" : "ok_all");
};
