// The page with the sources: history that is being written.
import assert from "node:assert/strict";
import { test } from "node:test";

import { defined } from "./lit_stub.mjs";
import { Words } from "../../custom_components/ha_ingestor/frontend/words.js";
import "../../custom_components/ha_ingestor/frontend/sources.js";

/** @type {Localize} */
const localize = (key) => key.split("config_panel.").at(-1) ?? "";
/** @type {any} What the words need of Home Assistant. */
const english = { locale: { language: "en", number_format: "language" }, localize };

const opened = () => {
  const page = new defined["ha-ingestor-sources"]();
  /** @type {string[]} */
  const called = [];
  return Object.assign(page, {
    words: new Words(english),
    destination: { config_entry_id: "one", health: { backfill: { status: "running" } } },
    called,
    _act: (/** @type {string} */ action) => called.push(action),
  });
};

test("history that is being written is stopped for good only after a question", () => {
  const page = opened();
  assert.doesNotMatch(page._history(page.words), /ha-dialog/);
  page._isAsking = true;
  assert.match(page._history(page.words), /<ha-dialog [^]*origin.stop_question/);
  assert.deepEqual(page.called, []);
});

test("nothing is left to stop when history is written", () => {
  const page = opened();
  page._isAsking = true;
  page.destination.health.backfill.status = "done";
  assert.equal(page._history(page.words), "");
});
