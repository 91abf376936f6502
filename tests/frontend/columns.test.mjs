// The columns of the table of entities, on a desk and on a phone.
import assert from "node:assert/strict";
import { test } from "node:test";

import "./lit_stub.mjs";
import { columns } from "../../custom_components/ha_ingestor/frontend/columns.js";

/** @type {any} */
const words = {
  text: (/** @type {string} */ key, /** @type {object} */ values = {}) => [key, ...Object.values(values)].join(" "),
  number: (/** @type {number | null} */ value) => (value === null ? "–" : String(value)),
  bytes: (/** @type {number | null} */ value) => (value === null ? "–" : `${value} B`),
  series: (/** @type {number | undefined} */ value) => value ?? "–",
  moment: (/** @type {number | undefined} */ value) => value ?? "–",
};
/** @type {TableRow} */
const ROW = {
  entity_id: "sensor.attic",
  id: "sensor.attic",
  name: "Attic",
  domain: "sensor",
  area: "",
  recorded: true,
  is_recorded: "Recorded",
  why: "",
  rules: "",
  points: 12,
  bytes: 3400,
  series_max: 20,
  is_measured: true,
  last_state: "21.5",
};
/** @type {(drawn: Content | undefined) => string} */
const textOf = (drawn) => String(drawn).replace(/<[^>]+>/g, " ").replace(/\s+/g, " ").trim();

test("on a phone one column says what matters, without what there is not", () => {
  const found = columns(words, true, true, true);
  const shown = Object.entries(found).filter(([, column]) => !column.hidden).map(([name]) => name);
  assert.deepEqual(shown, ["name"]);
  const told = (/** @type {Partial<TableRow>} */ more) => textOf(found.name.template?.({ ...ROW, ...more }));
  assert.equal(told({}), "Attic Recorded · entities.hourly 12 · 21.5");
  assert.equal(told({ is_measured: false, last_state: undefined }), "Attic Recorded");
  assert.match(told({ points: 0 }), /hourly 0/);
});

test("at a desk each column has a width, and what is not measured is a dash", () => {
  const found = columns(words, false, true, true);
  assert.ok(Object.values(found).every((column) => Boolean(column.minWidth) !== Boolean(column.hidden)));
  assert.equal(textOf(found.bytes.template?.(ROW)), "3400 B");
  assert.equal(textOf(found.series.template?.(ROW)), "–");
  assert.equal(textOf(found.last_time.template?.(ROW)), "21.5 –");
});

test("each rule has a line, and why an entity is recorded is below that it is", () => {
  const found = columns(words, false, true, true);
  const rules = String(found.rules.template?.({ ...ROW, rules: "Throttle 20 sec · Deadband 0.5 · Heartbeat 1 min" }));
  assert.equal(rules.match(/<div/g)?.length, 3);
  assert.equal(textOf(found.is_recorded.template?.({ ...ROW, why: "Nothing excludes it" })), "Recorded Nothing excludes it");
  assert.deepEqual([found.why.hidden, found.why.filterable], [true, true]);
});

test("a pattern reads from left to right, also where the text around it does not", () => {
  const { is_recorded: column } = columns(words, false, true, true);
  const drawn = String(column.template?.({ ...ROW, why: "Included by pattern: binary_sensor.*" }));
  assert.match(drawn, /<bdi>Included by pattern: binary_sensor\.\*<\/bdi>/);
});
