// The dialog that changes entities: what it asks, and what it says of the effect.
import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";

import "./lit_stub.mjs";
import { Change } from "../../custom_components/ha_ingestor/frontend/change.js";
import { Words } from "../../custom_components/ha_ingestor/frontend/words.js";

/** @type {Localize} */
const localize = (key, values = {}) =>
  key.includes(".refused.") ? "" : [key.split("config_panel.").at(-1), ...Object.values(values)].join(" ");
/** @type {any} What the words need of Home Assistant. */
const english = { locale: { language: "en", number_format: "language" }, localize };
const FILTER = { captured: 12, total: 40, added: ["sensor.b"], removed: ["sensor.c", "sensor.d"], points_per_hour: 1200, points_per_hour_now: 1500, measured_hours: 2 };

/** @type {(more: object) => any} */
const opened = (more) => {
  /** @type {any} */
  const dialog = new Change();
  /** @type {{ message: any, resolve: Function, reject: Function }[]} */
  const asked = [];
  const hass = {
    callWS: (/** @type {any} */ message) => new Promise((resolve, reject) => { asked.push({ message, resolve, reject }); }),
    loadBackendTranslation: async () => (/** @type {string} */ key, /** @type {any} */ values) =>
      (key.endsWith("error.known") ? `Told about ${values.invalid_value}` : ""),
  };
  /** @type {string[]} */
  const told = [];
  const dispatchEvent = (/** @type {Event} */ { type }) => told.push(type);
  return Object.assign(dialog, { words: new Words(english), hass, entryId: "one", entityIds: ["sensor.a"], kind: "include", asked, told, dispatchEvent, ...more });
};
const settled = () => new Promise(setImmediate);
/** @type {(dialog: any) => string} */
const said = (dialog) => String(dialog.render()).replace(/<[^>]+>/g, " ").replace(/\s+/g, " ");

afterEach(() => mock.timers.reset());

test("each kind of change asks for what it means", () => {
  const both = { config_entry_id: "one", entity_id: ["sensor.a"] };
  assert.deepEqual(opened({ kind: "include" })._message, { ...both, recorded: true });
  assert.deepEqual(opened({ kind: "exclude" })._message, { ...both, recorded: false });
  const dialog = opened({ kind: "rules", rules: { throttle: 90 } });
  dialog.firstUpdated();
  assert.deepEqual(dialog._message, { ...both, rules: { heartbeat: 0, throttle: 90, deadband: 0 } });
});

test("the effect has the counts before and after, and names eight entities at most", async () => {
  const dialog = opened({});
  dialog.firstUpdated();
  assert.match(said(dialog), /loading/);
  const removed = Array.from({ length: 10 }, (_, number) => `sensor.r${number}`);
  dialog.asked[0].resolve({ is_changed: true, filter: { ...FILTER, removed }, rules: [] });
  await settled();
  assert.match(said(dialog), /change\.recorded 21 12 40/);
  assert.match(said(dialog), /change\.rate 1,500 1,200 2 hr/);
  assert.match(said(dialog), /change\.added sensor\.b change\.removed sensor\.r0 .* sensor\.r7 change\.more 2/);
  assert.doesNotMatch(said(dialog), /sensor\.r8|none_left/);
});

test("what was not measured is not said, and that nothing would be recorded is", async () => {
  const dialog = opened({ kind: "exclude" });
  dialog.firstUpdated();
  const filter = { ...FILTER, captured: 0, added: [], points_per_hour: null };
  dialog.asked[0].resolve({ is_changed: true, filter, rules: [] });
  await settled();
  assert.doesNotMatch(said(dialog), /change\.rate/);
  assert.match(said(dialog), /change\.none_left/);
});

test("rules are said as points an hour, for each kind of entity that has others", async () => {
  const dialog = opened({ kind: "rules" });
  dialog.firstUpdated();
  const rules = [{ entities: 2, throttle: 90, heartbeat: 10, deadband: 0 }, { entities: 1, throttle: 0, heartbeat: 0, deadband: 0.25 }];
  dialog.asked[0].resolve({ is_changed: true, filter: FILTER, rules });
  await settled();
  assert.match(said(dialog), /count\.entities\.other 2: .*rules\.at_most 40 rules\.at_least 6/);
  assert.match(said(dialog), /count\.entities\.one 1: .*rules\.from 0\.25/);
});

test("what was typed last is what is shown, also if an earlier answer comes later", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const dialog = opened({ kind: "rules" });
  dialog.firstUpdated();
  dialog._typed("throttle", "1");
  dialog._typed("throttle", "120");
  dialog._typed("heartbeat", "no number");
  mock.timers.tick(400);
  assert.deepEqual(dialog.asked.map((/** @type {any} */ each) => each.message.rules.throttle), [0, 120]);
  assert.equal(dialog.asked[1].message.rules.heartbeat, 0);
  dialog.asked[1].resolve({ is_changed: false, filter: FILTER, rules: [] });
  await settled();
  dialog.asked[0].resolve({ is_changed: true, filter: FILTER, rules: [] });
  await settled();
  assert.match(said(dialog), /change\.nothing/);
  assert.match(String(dialog.render()), /\.disabled=true/);
});

test("a number that is out of range is told without the rule, which the user did not name", async () => {
  const dialog = opened({ kind: "rules" });
  dialog.words.text = (/** @type {string} */ key, /** @type {any} */ { min, max }) => (key === "refused.known" ? `${min} to ${max}` : "");
  assert.equal(await dialog._reason({ message: "raw", translation_key: "known", translation_placeholders: { invalid_value: "sensor.a", min: "0", max: "60" } }), "0 to 60");
});

test("what the options refuse is said with their words, and without any as it came", async () => {
  const dialog = opened({ kind: "rules" });
  dialog.firstUpdated();
  dialog.asked[0].reject({ message: "raw", translation_key: "known", translation_placeholders: { invalid_value: "sensor.a" } });
  await settled();
  assert.match(said(dialog), /Told about sensor\.a/);
  assert.equal(await dialog._reason({ message: "raw", translation_key: "other" }), "raw");
  assert.equal(await dialog._reason({ message: "raw" }), "raw");
});

test("it is applied once it changes something, and a refusal leaves the dialog open", async () => {
  const dialog = opened({});
  dialog.firstUpdated();
  assert.match(String(dialog.render()), /\.disabled=true/);
  dialog.asked[0].resolve({ is_changed: true, filter: FILTER, rules: [] });
  await settled();
  assert.doesNotMatch(String(dialog.render()), /\.disabled=true/);
  dialog._apply();
  assert.match(String(dialog.render()), /\.disabled=true/);
  dialog.asked[1].reject({ message: "not now" });
  await settled();
  assert.match(said(dialog), /not now/);
  assert.deepEqual(dialog.told, []);
  dialog._apply();
  dialog.asked[2].resolve({});
  await settled();
  assert.equal(dialog.asked[2].message.type, "ha_ingestor/change_entities");
  assert.deepEqual(dialog.told, ["changed"]);
});
