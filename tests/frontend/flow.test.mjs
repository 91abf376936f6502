// The page with the way of the points: where it leads to.
import assert from "node:assert/strict";
import { test } from "node:test";

import { defined } from "./lit_stub.mjs";
import { Words } from "../../custom_components/ha_ingestor/frontend/words.js";
import "../../custom_components/ha_ingestor/frontend/flow.js";

/** @type {Localize} */
const localize = (key, values = {}) => [key.split("config_panel.").at(-1), ...Object.values(values)].join(" ");
/** @type {any} What the words need of Home Assistant. */
const english = { locale: { language: "en", number_format: "language" }, localize };

/** @type {(health: object) => string} */
const says = (health) => {
  const page = new defined["ha-ingestor-flow"]();
  page.words = new Words(english);
  const known = { status: "ok", concern: "none", ledger: { evicted: 0 }, pending: 9, waiting: 0, performance: {}, ...health };
  const destination = { config_entry_id: "two", state: "loaded", health: known, remotes: [], mqtt: [] };
  return page._says(destination, [], 1_800_000_000);
};

test("an advice leads to the destination that it is about", () => {
  assert.match(says({ concern: "rejected" }), /href=\/ha-ingestor\/problems\?entry=two>advice.quarantine/);
});

test("a disk that takes no points is said beside a database that is away", () => {
  const told = says({ status: "retrying", concern: "unreachable", spool_error: "No space left on device", waiting: 206 });
  assert.match(told, /waits.memory [^<]*206/);
  assert.match(told, /advice.network[^]*advice.disk/);
  assert.doesNotMatch(told, /waits.retrying/);
});
