// The small charts of the last hour, and the equations of the ledger.
import assert from "node:assert/strict";
import { test } from "node:test";

import "./lit_stub.mjs";
import { chart } from "../../custom_components/ha_ingestor/frontend/chart.js";
import { ledger } from "../../custom_components/ha_ingestor/frontend/ledger.js";

const NOW = 1_800_000_000;
/** @type {any} */
const words = {
  text: (/** @type {string} */ key, /** @type {object} */ values = {}) => [key, ...Object.values(values)].join(" "),
  number: String,
};
/** @type {(points: Dot[]) => { drawn: string, lines: string[] }} */
const draw = (points) => {
  const drawn = String(chart(words, "written", points, (value) => String(value ?? "–"), NOW));
  return { drawn, lines: [...drawn.matchAll(/ d=(\S*?)>/g)].map((each) => each[1]) };
};

test("the hour goes from the left to the right, and the highest value is at the top", () => {
  const [area, line] = draw([[NOW - 60, 0], [NOW - 30, 5], [NOW, 10]]).lines;
  assert.equal(line, "M295.0,63.0L297.5,32.0L300.0,1.0");
  assert.equal(area, `${line}V64H295.0Z`);
});

test("nothing is drawn across a gap in which nothing was measured", () => {
  const [, line] = draw([[NOW - 3600, 1], [NOW - 3540, 1], [NOW - 3479, 1], [NOW, 1]]).lines;
  assert.deepEqual(line.split("M").slice(1), ["0.0,1.0L5.0,1.0", "10.1,1.0", "300.0,1.0"]);
});

test("what is older than an hour, or of a clock that is ahead, stays inside", () => {
  const [, line] = draw([[NOW - 4000, 2], [NOW - 3990, 2], [NOW + 20, 2]]).lines;
  assert.deepEqual(line.match(/[\d.-]+(?=,)/g), ["0.0", "0.0", "300.0"]);
});

test("without samples or with zeros alone a chart has no number that is none", () => {
  assert.deepEqual(draw([]).lines, ["", ""]);
  assert.match(draw([]).drawn, /chart\.label chart\.written – 0/);
  const { drawn } = draw([[NOW - 10, 0], [NOW, 0]]);
  assert.doesNotMatch(drawn, /NaN|Infinity|undefined/);
});

test("an equation is balanced by the numbers that are shown", () => {
  /** @type {Ledger} */
  const counts = {
    received: 20,
    filtered: { excluded: 3, no_number: 2 },
    deduplicated: 1,
    captured: 12,
    waiting: 2,
    written: 5,
    quarantined: 1,
    evicted: 1,
    lost: { killed: 1 },
    recovered: 0,
  };
  /** @type {(more: Partial<Ledger>, pending: number) => (string | undefined)[]} */
  const verdicts = (more, pending) =>
    [...String(ledger(words, { ...counts, ...more }, pending)).matchAll(/ledger\.(\w+)/g)].map((each) => each[1]);
  assert.deepEqual(verdicts({}, 4), ["balanced", "balanced"]);
  assert.deepEqual(verdicts({}, 5), ["balanced", "unbalanced"]);
  assert.deepEqual(verdicts({ waiting: 3 }, 4), ["unbalanced", "balanced"]);
  assert.deepEqual(verdicts({ lost: {} }, 4), ["balanced", "unbalanced"]);
});
