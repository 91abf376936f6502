// What is said of a destination, and what to do about it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { situation } from "../../custom_components/ha_ingestor/frontend/situation.js";

const NOW = 1_800_000_000;
/** @type {(more: Partial<Health>) => any} */
const health = (more) => ({
  status: "ok",
  concern: "none",
  ledger: {},
  pending: 7,
  waiting: 0,
  rejection: null,
  performance: { last_success: "2027-01-15T08:00:00+00:00" },
  ...more,
});
/** @type {(state: string, health: Health | null) => Destination} */
const destination = (state, found) => ({
  config_entry_id: "1",
  title: "Influx",
  state,
  health: found,
  product: "InfluxDB 2", quarantined: 0, outages: [], data_api: null,
  remotes: [],
  mqtt: [],
});
/** @type {(more: Partial<Health>, samples?: Sample[]) => Situation} */
const told = (more, samples = []) => situation(destination("loaded", health(more)), samples, NOW);
// A backlog a minute ago, and now.
/** @type {(before: number) => Sample[]} */
const trend = (before) => [{ time: NOW - 60, backlog: before, received: 0, written: 0, bytes: 0 }];

test("a destination that delivers is well", () => {
  assert.deepEqual([told({}).level, told({}).key], ["good", "ok"]);
  assert.equal(told({ pending: 0 }).key, "ok_all");
});

test("an outage is an error with an advice for its cause", () => {
  const found = told({ status: "retrying", concern: "unreachable", pending: 5000 });
  assert.deepEqual([found.level, found.key, found.advice], ["error", "retrying", "network"]);
  assert.deepEqual([found.points, found.problem], [5000, "unreachable"]);
  assert.equal(told({ status: "blocked", concern: "invalid_auth" }).advice, "credentials");
});

test("a spool that is nearly full is said beside the cause, whatever that is", () => {
  const full = { spool_bytes: 81, spool_limit: 100 };
  for (const status of /** @type {Health["status"][]} */ (["retrying", "blocked", "paused"])) {
    assert.equal(told({ status, concern: "unreachable", ...full }).isFilling, true);
    assert.equal(told({ status, concern: "unreachable", ...full, spool_bytes: 80 }).isFilling, false);
  }
  assert.equal(told({ status: "retrying", concern: "unreachable", ...full }).advice, "network");
});

test("points that wait in memory because of the disk are said, and only then", () => {
  const away = /** @type {const} */ ({ status: "retrying", concern: "unreachable" });
  assert.equal(told({ ...away, spool_error: "No space left on device", waiting: 206 }).isInMemory, true);
  assert.equal(told({ ...away, spool_error: "No space left on device", waiting: 0 }).isInMemory, false);
  assert.equal(told({ ...away, spool_error: "", waiting: 3 }).isInMemory, false);
});

test("a problem beside the delivery is a warning", () => {
  assert.deepEqual(
    [told({ concern: "spool_full" }).level, told({ concern: "spool_full" }).key],
    ["warning", "degraded"],
  );
});

test("a refused point leads to the quarantine, also while a backlog is delivered", () => {
  const found = told({ concern: "rejected", pending: 5000 });
  assert.deepEqual([found.level, found.key, found.advice], ["warning", "refused", "quarantine"]);
});

test("a backlog that shrinks says when it is gone", () => {
  const found = told({ pending: 4000 }, trend(10_000));
  assert.deepEqual([found.level, found.key, found.duration], ["info", "catching_up", 40]);
});

test("a backlog that does not shrink is a warning", () => {
  assert.equal(told({ pending: 10_000 }, trend(4000)).key, "falling_behind");
});

test("a pause is said before everything else that is wrong", () => {
  assert.equal(told({ status: "paused", concern: "spool_full" }).key, "paused");
});

test("an entry that is not loaded is only an error where it failed", () => {
  /** @type {(state: string) => string} */
  const level = (state) => situation(destination(state, null), [], NOW).level;
  assert.deepEqual(["setup_in_progress", "not_loaded", "setup_error", "no_answer"].map(level), [
    "info",
    "info",
    "error",
    "error",
  ]);
});

test("a source that is lost is a warning, once everything else is well", () => {
  /** @type {(more: Partial<Health>) => any} */
  const lost = (more) => ({ ...destination("loaded", health(more)), remotes: [{ connected: null }], mqtt: [{ connected: false }] });
  const found = situation(lost({}), [], NOW);
  assert.deepEqual([found.level, found.key, found.advice], ["warning", "source_lost", "sources"]);
  assert.equal(situation(lost({ status: "retrying" }), [], NOW).key, "retrying");
});
