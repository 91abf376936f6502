// The page with the points as they are captured.
import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";

import "./lit_stub.mjs";
import { Points } from "../../custom_components/ha_ingestor/frontend/points.js";
import { Words } from "../../custom_components/ha_ingestor/frontend/words.js";

/** @type {Localize} */
const localize = (key, values = {}) => [key.split("config_panel.").at(-1), ...Object.values(values)].join(" ");
/** @type {any} What the words need of Home Assistant. */
const english = { locale: { language: "en", number_format: "language" }, localize };
/** @type {(number: number) => LivePoint} */
const point = (number) => ({
  line: `m,entity_id=sensor.a value=${number} ${number}`,
  entity_id: "sensor.a",
  measurement: "m",
  tags: { entity_id: "sensor.a" },
  fields: { value: number, state: "on", third: 3, fourth: 4, fifth: 5 },
  time: 1_800_000_000 + number,
});
/** @type {(...numbers: number[]) => { points: LivePoint[], left_out: number }} */
const seen = (...numbers) => ({ points: numbers.map(point), left_out: 0 });

/** A page with a connection that notes what is asked. @type {(search?: string) => any} */
const opened = (search = "") => {
  Object.assign(globalThis, { location: { search } });
  /** @type {any} */
  const page = new Points();
  /** @type {any[]} */
  const asked = [];
  const connection = {
    connected: true,
    addEventListener() {},
    removeEventListener() {},
    subscribeMessage: async (/** @type {Function} */ show, /** @type {object} */ message) => {
      asked.push({ message, show, isEnded: false });
      const mine = asked.at(-1);
      return async () => { mine.isEnded = true; };
    },
  };
  Object.assign(page, { words: new Words(english), connection, entryId: "one", asked });
  page.willUpdate(new Map([["entryId", undefined]]));
  return page;
};
/** @type {(page: any) => unknown[]} */
const values = (page) => page._points.map((/** @type {LivePoint} */ each) => each.fields.value);

afterEach(() => mock.timers.reset());

test("the newest point is first, and no more are kept than anybody scrolls back", () => {
  const page = opened();
  page._take(seen(1, 2));
  page._take({ ...seen(3), left_out: 40 });
  page._take({ ...seen(), left_out: 2 });
  assert.deepEqual(values(page), [3, 2, 1]);
  assert.match(page.render(), /points\.left_out 42/);
  page._take(seen(...Array.from({ length: 300 }, (_, number) => number)));
  assert.equal(page._points.length, 200);
  assert.equal(values(page)[0], 299);
});

test("a few points are drawn at once, what comes faster than it can be read in steps", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const page = opened();
  page.drawn = 0;
  page.requestUpdate = () => { page.drawn += 1; };
  /** @type {(first: number, count: number) => void} */
  const take = (first, count) => page._take(seen(...Array.from({ length: count }, (_, number) => first + number)));
  // There is nothing to read yet.
  take(0, 40);
  mock.timers.tick(0);
  assert.equal(page.drawn, 1);
  take(40, 5);
  mock.timers.tick(0);
  assert.equal(page.drawn, 2);
  for (const second of [1, 2, 3]) {
    take(second * 100, 6);
    mock.timers.tick(999);
  }
  assert.equal(page.drawn, 2);
  mock.timers.tick(3);
  assert.equal(page.drawn, 3);
  assert.equal(values(page)[0], 305);
  take(400, 6);
  page.disconnectedCallback();
  mock.timers.tick(10_000);
  assert.equal(page.drawn, 3);
});

test("while the list is paused it stays as it is", () => {
  const page = opened();
  page._take(seen(1));
  page._isPaused = true;
  page._take({ ...seen(2), left_out: 5 });
  assert.deepEqual(values(page), [1]);
  assert.match(page.render(), /points\.paused/);
  assert.doesNotMatch(page.render(), /left_out/);
});

test("the point that was opened stays the one that is open, and only of it everything is drawn", () => {
  const page = opened();
  page._take(seen(1, 2));
  page._open = page._points[1];
  page._take(seen(3));
  const drawn = String(page.render()).split("<button class=\"row\"").slice(1);
  assert.deepEqual(drawn.map((each) => /aria-expanded=(\w+)/.exec(each)?.[1]), ["false", "false", "true"]);
  assert.deepEqual(drawn.map((each) => each.includes("points.measurement")), [false, false, true]);
  assert.match(drawn[2], /m,entity_id=sensor\.a value=1 1/);
  assert.match(drawn[0], /value=3 {2}state=on {2}third=3 {2}fourth=4 …/);
});

test("an entity id is asked for as one, anything else as a text", () => {
  assert.deepEqual(opened("?entity=sensor.attic").asked[0].message, {
    type: "ha_ingestor/subscribe_points",
    config_entry_id: "one",
    entity_id: "sensor.attic",
  });
  assert.equal(opened("?entity=+Attic+").asked[0].message.text, "Attic");
  assert.deepEqual(Object.keys(opened().asked[0].message), ["type", "config_entry_id"]);
});

test("what is typed is asked for once, after a pause, and what was asked before ends", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  /** @type {string[]} */
  const addresses = [];
  Object.assign(globalThis, { history: { state: null, replaceState: (/** @type {any[]} */ ...told) => addresses.push(told[2]) } });
  const page = opened();
  page._take(seen(1));
  await null;
  page._typed("att");
  page._typed("attic & co");
  mock.timers.tick(399);
  assert.equal(page.asked.length, 1);
  mock.timers.tick(1);
  assert.deepEqual(addresses, ["/ha-ingestor/points?entry=one&entity=attic+%26+co"]);
  assert.deepEqual(page.asked.map((/** @type {any} */ each) => each.message.text), [undefined, "attic & co"]);
  assert.ok(page.asked[0].isEnded);
  page.asked[0].show(seen(9));
  assert.deepEqual(values(page), []);
});
