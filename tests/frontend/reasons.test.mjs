// Why an entity has no points, how many are recorded, and how rules are said.
import assert from "node:assert/strict";
import { test } from "node:test";

import { amounts, hindrance as hindranceOf, recordedOf, ruleText } from "../../custom_components/ha_ingestor/frontend/reasons.js";
import { Words } from "../../custom_components/ha_ingestor/frontend/words.js";

/** @type {Localize} */
const localize = (key, values = {}) =>
  [key.replace("component.ha_ingestor.config_panel.", ""), ...Object.values(values)].join(" ");
/** @type {any} What the words need of Home Assistant. */
const english = { locale: { language: "en", number_format: "language" }, localize };
const words = new Words(english);

/** @type {(row: Partial<EntityRow>) => EntityRow} */
const of = (row) => ({ entity_id: "sensor.a", recorded: true, ...row });
/** @type {(row: Partial<EntityRow>, state: string | undefined, numbersOnly: boolean) => string} */
const hindrance = (row, state, numbersOnly) => hindranceOf(of(row), state, numbersOnly);

test("of what is recorded the first thing that keeps it without points is named", () => {
  const row = { recorded: true };
  assert.equal(hindrance({ recorded: false, stateless: true }, undefined, false), "");
  assert.equal(hindrance({ ...row, disabled: true, stateless: true }, undefined, false), "disabled");
  assert.equal(hindrance({ ...row, stateless: true }, undefined, false), "stateless");
  assert.equal(hindrance({ ...row, points: 4 }, "unavailable", false), "silent");
  assert.equal(hindrance({ ...row, points: 4 }, "21.5", false), "");
  assert.equal(hindrance(row, "calm", true), "number");
  assert.equal(hindrance(row, "21.5", true), "unchanged");
  assert.equal(hindrance(row, "calm", false), "unchanged");
});

test("what has no state is not counted, as in the preview of a change", () => {
  const rows = [{ recorded: true }, { recorded: false }, { recorded: true, disabled: true, stateless: true }].map(of);
  assert.deepEqual(recordedOf(rows), { recorded: 1, total: 2 });
});

test("a rule names an area by its name, and what has none by its value", () => {
  /** @type {any} */
  const hass = { areas: { a1: { name: "Attic" } } };
  /** @type {(criterion: string, value: string) => string} */
  const told = (criterion, value) => ruleText(words, hass, of({ rule: ["exclude", criterion, value] }));
  assert.equal(told("areas", "a1"), "entities.why_exclude criterion.areas Attic");
  assert.equal(told("areas", "gone"), "entities.why_exclude criterion.areas gone");
  assert.equal(told("domains", "light"), "entities.why_exclude criterion.domains light");
  assert.equal(ruleText(words, hass, of({ recorded: false })), "entities.why_not_listed");
});

test("what somebody chose is not rounded", () => {
  assert.equal(words.rules({ throttle: 90, heartbeat: 10 }), "rules.is rules.throttle 90 sec · rules.is rules.heartbeat 10 min");
  assert.equal(words.rules({ throttle: 120 }), "rules.is rules.throttle 2 min");
  assert.equal(words.rules({ deadband: 0.05, heartbeat: 1.5 }), "rules.is rules.deadband 0.05 · rules.is rules.heartbeat 90 sec");
  assert.equal(words.rules(undefined), "");
});

test("points are by the hour without the first one, and all of them before it is measured", () => {
  assert.deepEqual(amounts({ points: 11, bytes: 1100 }, 2), { points: 5, bytes: 500 });
  assert.deepEqual(amounts({ points: 1, bytes: 100 }, 2), { points: 0, bytes: 0 });
  assert.deepEqual(amounts({}, 2), { points: 0, bytes: 0 });
  assert.deepEqual(amounts({ points: 11, bytes: 1100 }, 0), { points: 11, bytes: 1100 });
});

test("bytes have the units of the options, and series are not counted above a limit", () => {
  assert.equal(words.bytes(256 * 2 ** 20), "256\u00a0MiB");
  assert.equal(words.bytes(1536), "1.5\u00a0KiB");
  assert.equal(words.bytes(999), "999\u00a0B");
  assert.equal(words.bytes(undefined), "–");
  assert.deepEqual([undefined, 1, 19, 20].map((each) => words.series(each, 20)), ["–", "1", "19", "≥ 20"]);
});
