// What is said of a destination, and what to do about it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { situation } from "../../custom_components/ha_ingestor/frontend/situation.js";

const NOW = 1_800_000_000;
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
const told = (more, samples = []) => situation({ state: "loaded", health: health(more) }, samples, NOW);
// A backlog a minute ago, and now.
const trend = (before) => [{ time: NOW - 60, backlog: before }];

test("a destination that delivers is well", () => {
  assert.deepEqual([told({}).level, told({}).key], ["good", "ok"]);
  assert.equal(told({ pending: 0 }).key, "ok_all");
});

test("an outage is an error with an advice for its cause", () => {
  const found = told({ status: "retrying", concern: "unreachable", pending: 5000 });
  assert.deepEqual([found.level, found.key, found.advice], ["error", "retrying", "network"]);
  assert.deepEqual(found.values, { points: 5000, problem: "unreachable" });
  assert.equal(told({ status: "blocked", concern: "invalid_auth" }).advice, "credentials");
});

test("a problem beside the delivery is a warning", () => {
  assert.deepEqual(
    [told({ concern: "spool_full" }).level, told({ concern: "spool_full" }).key],
    ["warning", "degraded"],
  );
});

test("a backlog that shrinks says when it is gone", () => {
  const found = told({ pending: 4000 }, trend(10_000));
  assert.deepEqual([found.level, found.key, found.values.duration], ["info", "catching_up", 40]);
});

test("a backlog that does not shrink is a warning", () => {
  assert.equal(told({ pending: 10_000 }, trend(4000)).key, "falling_behind");
});

test("a pause is said before everything else that is wrong", () => {
  assert.equal(told({ status: "paused", concern: "spool_full" }).key, "paused");
});

test("an entry that is not loaded is only an error where it failed", () => {
  const level = (state) => situation({ state, health: null }, [], NOW).level;
  assert.deepEqual(["setup_in_progress", "not_loaded", "setup_error", "no_answer"].map(level), [
    "info",
    "info",
    "error",
    "error",
  ]);
});
