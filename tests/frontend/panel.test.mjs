// The panel around its pages: which destination they are about.
import assert from "node:assert/strict";
import { test } from "node:test";

import { defined } from "./lit_stub.mjs";

/** @type {string[]} */
const visited = [];
const visit = (/** @type {string} */ url) => {
  visited.push(url);
  Object.assign(globalThis.location, { pathname: url.split("?")[0], search: url.includes("?") ? `?${url.split("?")[1]}` : "" });
};
Object.assign(globalThis, {
  location: { pathname: "/ha-ingestor", search: "" },
  history: { pushState: (/** @type {unknown} */ _state, /** @type {string} */ _title, /** @type {string} */ url) => visit(url) },
  window: { dispatchEvent: () => true },
});
await import("../../custom_components/ha_ingestor/frontend/panel.js");

/** @type {any} */
const TWO = [{ config_entry_id: "one" }, { config_entry_id: "two" }];

test("the destination that was chosen stays chosen on every page", () => {
  const panel = new defined["ha-ingestor-panel"]();
  visit("/ha-ingestor/sources");
  assert.equal(panel._chosen(TWO).config_entry_id, "one");
  panel._go("sources", "two");
  assert.equal(panel._chosen(TWO).config_entry_id, "two");
  panel._go("problems");
  assert.equal(visited.at(-1), "/ha-ingestor/problems?entry=two");
  assert.equal(panel._chosen(TWO).config_entry_id, "two");
});

test("without a choice the address names no destination", () => {
  const panel = new defined["ha-ingestor-panel"]();
  visit("/ha-ingestor/flow");
  panel._chosen(TWO);
  panel._go("entities");
  assert.equal(visited.at(-1), "/ha-ingestor/entities");
});
