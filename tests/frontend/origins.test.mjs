// The sources of a destination, whatever kind they are of, in one shape.
import assert from "node:assert/strict";
import { test } from "node:test";

import { origins as originsOf } from "../../custom_components/ha_ingestor/frontend/origins.js";
import { Words } from "../../custom_components/ha_ingestor/frontend/words.js";

/** @type {Localize} */
const localize = (key, values = {}) => [key.split(".").at(-1), ...Object.values(values)].join(" ");
/** @type {any} What the words need of Home Assistant. */
const english = { locale: { language: "en", number_format: "language" }, localize };
const words = new Words(english);
/** @type {any} */
const health = { performance: { received_per_minute: 203, received_here_per_minute: 120, last_received: null } };
/** @type {(words: Words, destination: Pick<Destination, "health" | "remotes"> & { mqtt?: Mqtt[] }) => Origin[]} */
const origins = (said, destination) =>
  originsOf(said, { config_entry_id: "1", title: "Influx", state: "loaded", product: "InfluxDB 2", quarantined: 0, outages: [], data_api: null, mqtt: [], ...destination });
const REMOTE = {
  title: "Cabin",
  connected: true,
  problem: "none",
  detail: "",
  is_given_up: false,
  is_waiting_for_start: false,
  events: 20417,
  events_per_minute: 83,
  entities: 418,
  last_connected: null,
  reconnect_seconds: null,
  next_retry: null,
  version: "2026.11.0",
  clock_ahead: 0.2,
};
/** @type {(found: Origin, key: string) => string | undefined} */
const named = (found, key) => Object.fromEntries(found.facts)[key];

test("this home comes first, with its own rate, also where there are other sources", () => {
  const [local] = origins(words, { health, remotes: [] });
  assert.deepEqual([local.kind, local.connected, named(local, "rate")], ["local", true, "per_minute 120"]);
  assert.equal(named(origins(words, { health, remotes: [REMOTE] })[0], "rate"), "per_minute 120");
  assert.equal(origins(words, { health: null, remotes: [] })[0].connected, null);
});

test("a gap that is being filled says how far it is, and what came of it stays", () => {
  const recovery = { status: "reading", position: "2026-11-26T05:00:00Z", until: "2026-11-26T06:00:00Z", unfillable: 2 };
  /** @type {(more: Partial<Health> | object) => string[]} */
  const told = (more) => Object.keys(Object.fromEntries(origins(words, { health: { ...health, ...more }, remotes: [] })[0].facts));
  assert.deepEqual(told({ recovery }), ["rate", "last_event", "recovery", "filled_to", "gap_ends", "unfillable"]);
  const idle = { status: "idle", position: null, until: null, unfillable: 0 };
  assert.deepEqual(told({ recovery: idle, ledger: { recovered: 9 } }), ["rate", "last_event", "recovered"]);
});

test("a gap that waits says for what: for room in the spool, or for the recorder", () => {
  const recovery = { status: "waiting", position: null, until: null, unfillable: 0 };
  /** @type {(bytes: number) => string | undefined} */
  const note = (bytes) => origins(words, { health: { ...health, recovery, spool_bytes: bytes, spool_limit: 100 }, remotes: [] })[0].note;
  assert.deepEqual([note(49), note(50)], ["waits_for_recorder", "waits_for_room"]);
  assert.equal(origins(words, { health, remotes: [] })[0].note, "");
});

test("a home that is connected has a rate, and no difference of clocks below two seconds", () => {
  const [, cabin] = origins(words, { health, remotes: [REMOTE] });
  assert.deepEqual([cabin.title, cabin.connected, cabin.problem, cabin.note], ["Cabin", true, "", ""]);
  assert.deepEqual([named(cabin, "rate"), named(cabin, "clock")], ["per_minute 83", undefined]);
  const [, ahead] = origins(words, { health, remotes: [{ ...REMOTE, clock_ahead: -3 }] });
  assert.equal(named(ahead, "clock"), "3 sec");
});

test("a home that is lost says why, and a rate would be none", () => {
  const lost = { ...REMOTE, connected: false, problem: "message_too_large", detail: "9 MB", is_given_up: true };
  const [, cabin] = origins(words, { health, remotes: [lost] });
  assert.deepEqual([cabin.problem, cabin.detail, cabin.note], ["message_too_large", "9 MB", "given_up"]);
  assert.equal(named(cabin, "rate"), "–");
});

test("a home that refuses the token has another advice than to try again", () => {
  const lost = { ...REMOTE, connected: false, problem: "invalid_auth", is_given_up: true };
  assert.equal(origins(words, { health, remotes: [lost] })[1].note, "refused");
});

test("messages of a broker are a source like others", () => {
  const mqtt = { title: "MQTT", connected: true, is_set_up: true, messages_per_minute: 612, points: 9, filtered: { retained: 2, other: 1 }, last_message: null };
  const found = origins(words, { health, remotes: [REMOTE], mqtt: [mqtt] });
  assert.deepEqual(found.map((each) => each.kind), ["local", "remote", "mqtt"]);
  assert.equal(named(found[2], "left_out"), "3");
});
