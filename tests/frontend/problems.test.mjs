// The page with what went wrong: what became of the points that waited.
import assert from "node:assert/strict";
import { test } from "node:test";

import "./lit_stub.mjs";
import { Problems } from "../../custom_components/ha_ingestor/frontend/problems.js";
import { Words } from "../../custom_components/ha_ingestor/frontend/words.js";

/** @type {Localize} */
const localize = (key, values = {}) => [key.split("config_panel.").at(-1), ...Object.values(values)].join(" ");
/** @type {any} What the words need of Home Assistant. */
const english = { locale: { language: "en", number_format: "language" }, localize };
const END = "2026-11-26T15:52:12Z";

/** @type {(outage: object) => string} */
const afterwards = (outage) => {
  /** @type {any} */
  const page = new Problems();
  page.words = Object.assign(new Words(english), { moment: (/** @type {string} */ value) => value });
  return String(page._afterwards(outage)).replace(/<[^>]+>/g, " ").replace(/\s+/g, " ").trim();
};

test("points that were given up are not among those that were delivered after an outage", () => {
  assert.equal(
    afterwards({ points: 9116, delivered: END, not_written: 1287 }),
    `problems.some_by 7,829 count.points.other 9,116 ${END} problems.not_written count.points.other 1,287`,
  );
  // Newer points that were refused are counted too.
  assert.match(afterwards({ points: 1, delivered: END, not_written: 2 }), /some_by 0 /);
});

test("that all points were delivered is said where they were", () => {
  assert.match(afterwards({ points: 208, delivered: END, not_written: 0 }), /^problems\.all_by .* 208/);
  assert.match(afterwards({ points: 208, delivered: null, not_written: 0 }), /^problems\.under_way/);
  assert.equal(afterwards({ points: null, delivered: null, not_written: 0 }), "–");
});
