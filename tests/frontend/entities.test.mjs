// The page with all entities: its rows, what it reads when, and what is chosen.
import assert from "node:assert/strict";
import { test } from "node:test";

import "./lit_stub.mjs";
import { Entities, commonRules } from "../../custom_components/ha_ingestor/frontend/entities.js";
import { Words } from "../../custom_components/ha_ingestor/frontend/words.js";

/** @type {Localize} */
const localize = (key, values = {}) => [key.split("config_panel.").at(-1), ...Object.values(values)].join(" ");
/** @type {any} What the words need of Home Assistant. */
const english = { locale: { language: "en", number_format: "language" }, localize };
const HOME = {
  states: { "sensor.attic": { state: "21.5", attributes: { friendly_name: "Attic" } } },
  entities: {
    "sensor.attic": { area_id: "north", device_id: "box" },
    "light.hall": { area_id: null, device_id: "box" },
    "light.door": { area_id: null, device_id: null },
  },
  devices: { box: { name: "Box", area_id: "south" } },
  areas: { north: { name: "North" }, south: { name: "South" } },
  floors: {},
};
const ANSWER = {
  hours: 2,
  series_max: 20,
  numbers_only: false,
  entities: [
    { entity_id: "sensor.attic", recorded: true, points: 21, bytes: 2100, rules: { throttle: 60 } },
    { entity_id: "light.hall", recorded: true },
    { entity_id: "light.door", recorded: false, stateless: true },
  ],
};

/** @type {(search?: string) => any} */
const opened = (search = "") => {
  Object.assign(globalThis, { location: { search } });
  /** @type {any} */
  const page = new Entities();
  /** @type {((answer: any) => void)[]} */
  const answers = [];
  /** @type {any[]} */
  const asked = [];
  const callWS = (/** @type {any} */ message) => new Promise((resolve) => { asked.push(message); answers.push(resolve); });
  return Object.assign(page, { words: new Words(english), hass: { ...HOME, callWS }, narrow: false, entryId: "one", state: "loaded", answers, asked });
};
/** @type {(search?: string) => any} */
const shown = (search) => {
  const page = opened(search);
  page._answer = ANSWER;
  page.willUpdate(new Map([["_answer", undefined]]));
  return page;
};

test("a row has the name, the area of the entity or of its device, and its counts by the hour", () => {
  const [attic, hall, door] = shown()._rows;
  assert.deepEqual([attic.name, attic.domain, attic.area, attic.rules], ["Attic", "sensor", "North", "rules.is rules.throttle 1 min"]);
  assert.deepEqual([attic.points, attic.bytes], [10, 1000]);
  assert.deepEqual([hall.name, hall.area, hall.points], ["light.hall", "South", 0]);
  assert.deepEqual([door.area, door.is_recorded, door.why], ["", "entities.no", "entities.why_not_listed"]);
});

test("the address says which entities are shown, and another word there shows all", () => {
  const ids = (/** @type {any} */ page) => page._rows.map((/** @type {any} */ each) => each.id);
  assert.deepEqual(ids(shown("?shown=left_out")), ["light.door"]);
  assert.deepEqual(ids(shown("?shown=recorded")), ["sensor.attic", "light.hall"]);
  assert.equal(ids(shown("?shown=constructor")).length, 3);
});

test("the column of the rules is there where an entity has some", () => {
  const page = shown();
  assert.equal(page._columns.rules.hidden, false);
  page._answer = { ...ANSWER, entities: ANSWER.entities.slice(1) };
  page.willUpdate(new Map([["_answer", ANSWER]]));
  assert.equal(page._columns.rules.hidden, true);
});

test("an answer about a destination that was left meanwhile is not shown", async () => {
  const page = opened();
  page.willUpdate(new Map([["entryId", undefined]]));
  page.entryId = "two";
  page.willUpdate(new Map([["entryId", "one"]]));
  assert.deepEqual(page.asked.map((/** @type {any} */ each) => each.config_entry_id), ["one", "two"]);
  page.answers[0](ANSWER);
  await new Promise(setImmediate);
  assert.equal(page._answer, undefined);
  page.answers[1](ANSWER);
  await new Promise(setImmediate);
  assert.equal(page._answer, ANSWER);
});

test("it is read again when the destination is loaded again, and not before", () => {
  const page = opened();
  page.state = "setup_in_progress";
  page.willUpdate(new Map([["state", "loaded"]]));
  assert.equal(page.asked.length, 0);
  page.state = "loaded";
  page.willUpdate(new Map([["state", "setup_in_progress"]]));
  assert.equal(page.asked.length, 1);
});

test("what cannot be changed at once says so, and its buttons do nothing", () => {
  const page = shown();
  page._selected = ["sensor.attic"];
  assert.doesNotMatch(page.render(), /too_many|disabled=true/);
  page._selected = Array.from({ length: 1001 }, (_, number) => `sensor.n${number}`);
  assert.match(page.render(), /change\.too_many 1,000/);
  assert.equal(page.render().match(/disabled=true/g).length, 3);
});

test("rules are offered to be changed where all that are chosen have the same", () => {
  const [attic, hall] = ANSWER.entities;
  const other = { ...hall, rules: { throttle: 60 } };
  assert.deepEqual(commonRules([attic, other], ["sensor.attic", "light.hall"]), { throttle: 60 });
  assert.deepEqual(commonRules([attic, hall], ["sensor.attic", "light.hall"]), {});
  assert.deepEqual(commonRules([attic, hall], ["sensor.attic"]), { throttle: 60 });
});
