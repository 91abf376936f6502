// What the pages have in common, and what they say of a state.
import assert from "node:assert/strict";
import { test } from "node:test";

import "./lit_stub.mjs";
import { Page } from "../../custom_components/ha_ingestor/frontend/page.js";
import { table } from "../../custom_components/ha_ingestor/frontend/style.js";

/** @type {() => any} */
const opened = () => {
  /** @type {any} */
  const page = new Page();
  /** @type {any[]} */
  const called = [];
  const callService = (/** @type {any[]} */ ...told) => {
    called.push([...told, page._isBusy]);
    return page.isRefused ? Promise.reject(new Error("no")) : Promise.resolve();
  };
  return Object.assign(page, { called, destination: { config_entry_id: "one" }, hass: { callService, states: {} } });
};

test("an action is for the destination that is shown, or for the one that is named", async () => {
  const page = opened();
  assert.equal(await page._act("flush"), true);
  await page._act("resume", "two");
  assert.deepEqual(page.called, [
    ["ha_ingestor", "flush", { config_entry_id: "one" }, true],
    ["ha_ingestor", "resume", { config_entry_id: "two" }, true],
  ]);
  assert.equal(page._isBusy, false);
});

test("an action that fails leaves no button disabled, and no error behind", async () => {
  const page = Object.assign(opened(), { isRefused: true });
  assert.equal(await page._act("flush"), false);
  assert.equal(page._isBusy, false);
});

test("a state that changes is drawn only where it is the one that is shown", () => {
  const page = opened();
  const before = { states: { "sensor.a": { state: "1" }, "sensor.b": { state: "1" } } };
  page.hass = { states: { ...before.states, "sensor.b": { state: "2" } } };
  page._entity = () => "sensor.a";
  assert.equal(page.shouldUpdate(new Map([["hass", before]])), false);
  page._entity = () => "sensor.b";
  assert.equal(page.shouldUpdate(new Map([["hass", before]])), true);
  assert.equal(page.shouldUpdate(new Map([["words", undefined]])), true);
});

test("each cell of a table has its title, for a phone, where cells are below each other", () => {
  assert.match(String(table(["Since", "Duration"], [["now", "goes on"]])), /<td data-title=Since>now<\/td><td data-title=Duration>goes on/);
});
