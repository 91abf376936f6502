// Rates and trends of the last hour.
import assert from "node:assert/strict";
import { test } from "node:test";

import { appended, emptyIn, fullIn, rates, samplesOf } from "../../custom_components/ha_ingestor/frontend/samples.js";

const COLUMNS = {
  time: [0, 10, 30],
  received: [0, 10, 20],
  written: [0, 0, 5],
  backlog: [100, 80, 60],
  spool_bytes: [1, 2, 3],
};

test("counts become rates a minute, whatever the time between them", () => {
  assert.deepEqual(rates(samplesOf(COLUMNS), "received"), [[10, 60], [30, 30]]);
});

test("a count that began again is no negative rate", () => {
  const samples = samplesOf({ ...COLUMNS, received: [50, 0, 20] });
  assert.equal(rates(samples, "received")[0][1], 0);
});

test("a destination that is not loaded has no samples", () => {
  assert.deepEqual(samplesOf(null), []);
});

test("the present counts are added every ten seconds, and nothing is kept longer than an hour", () => {
  /** @type {any} */
  const health = { ledger: { received: 1, written: 1 }, pending: 2, waiting: 1, spool_bytes: 9 };
  const samples = samplesOf(COLUMNS);
  assert.equal(appended(samples, health, 35), samples);
  assert.deepEqual(appended(samples, health, 40).at(-1), { time: 40, received: 1, written: 1, backlog: 3, bytes: 9 });
  assert.deepEqual(appended(samples, health, 3605).map((each) => each.time), [10, 30, 3605]);
});

test("without a trend nothing is said of the end of a backlog", () => {
  assert.equal(emptyIn([], 60, 40), null);
  assert.equal(emptyIn(samplesOf({ ...COLUMNS, backlog: [60, 60, 60] }), 60, 40), null);
  assert.equal(emptyIn(samplesOf(COLUMNS), 60, 40), 60);
});

test("a burst that is over does not fill the spool any more", () => {
  /** @type {(now: number) => any} */
  const full = (now) => ({ spool_bytes: now, spool_limit: 100 });
  const burst = samplesOf({ ...COLUMNS, time: [0, 10, 20], spool_bytes: [10, 70, 70] });
  assert.equal(fullIn(burst, full(70), 25), null);
  assert.equal(fullIn(burst, full(80), 28), 8);
});
