// Numbers, sizes and times as the user has chosen them.
import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Words } from "../../custom_components/ha_ingestor/frontend/words.js";

/** @type {Localize} */
const localize = (key, values = {}) => [key.split(".").at(-1), ...Object.values(values)].join(" ");
/** @type {(locale: Partial<Locale>, more?: object) => Words} */
const wordsOf = (locale, more = {}) => {
  /** @type {any} What the words need of Home Assistant. */
  const hass = { locale: { language: "en", number_format: "language", ...locale }, localize, ...more };
  return new Words(hass);
};

test("numbers have the format that is chosen, whatever the language", () => {
  const count = (/** @type {string} */ format) => wordsOf({ number_format: format }).number(1234567.5, 1);
  assert.equal(count("comma_decimal"), "1,234,567.5");
  assert.equal(count("decimal_comma"), "1.234.567,5");
  assert.equal(count("none"), "1234567.5");
  assert.equal(wordsOf({ language: "de" }).number(1234.5, 1), "1.234,5");
});

test("what is not known is a dash, and zero is a number", () => {
  const words = wordsOf({});
  for (const told of [words.number, words.bytes, words.duration, words.seconds, words.perMinute]) {
    assert.equal(told.call(words, null), "–");
    assert.doesNotMatch(told.call(words, 0), /–/);
  }
});

test("a size and a duration have the unit that fits", () => {
  const words = wordsOf({});
  assert.deepEqual([999, 1024, 9.9 * 2 ** 20, 10.4 * 2 ** 20, 3 * 2 ** 30].map((each) => words.bytes(each)), [
    "999\u00a0B",
    "1\u00a0KiB",
    "9.9\u00a0MiB",
    "10\u00a0MiB",
    "3\u00a0GiB",
  ]);
  assert.deepEqual([59, 60, 3600, 86_400 * 2].map((each) => words.duration(each)), ["59 sec", "1 min", "1 hr", "2 days"]);
  assert.deepEqual([0.0123, 1.26].map((each) => words.seconds(each)), ["12 ms", "1.3 sec"]);
});

test("a rate below ten has a digit more", () => {
  const words = wordsOf({});
  assert.deepEqual([1.66, 9.94, 10.4].map((each) => words.perMinute(each)), ["per_minute 1.7", "per_minute 9.9", "per_minute 10"]);
});

test("a count has the form of its language", () => {
  assert.deepEqual([0, 1, 2].map((each) => wordsOf({}).count("points", each)), ["other 0", "one 1", "other 2"]);
  assert.equal(wordsOf({ language: "fr" }).count("points", 0), "one 0");
});

test("a number in a text has the format of the user, and a group gives the texts below it", () => {
  const words = wordsOf({ language: "de" });
  assert.equal(words.text("change.recorded", { before: 1200, after: "all" }), "recorded 1.200 all");
  assert.equal(words.group("problems")("holds", { count: 5000 }), "holds 5.000");
  assert.equal(words.moment(null), "–");
});

test("a moment has the clock of the user, in the zone that is chosen", () => {
  const zone = { config: { time_zone: "Asia/Tokyo" } };
  const moment = "2027-01-15T20:05:06Z";
  const said = (/** @type {string} */ format) => wordsOf({ time_format: format, time_zone: "server" }, zone).moment(moment);
  assert.match(said("24"), /5:05:06$/);
  assert.match(said("12"), /5:05:06\sAM/);
});

test("it is the day of the zone that is chosen that counts", () => {
  mock.timers.enable({ apis: ["Date"], now: Date.parse("2027-01-15T20:00:00Z") });
  try {
    const tokyo = wordsOf({ time_zone: "server" }, { config: { time_zone: "Asia/Tokyo" } });
    assert.match(tokyo.moment("2027-01-15T14:00:00Z"), /^Jan 15, 11:00:00/);
    assert.match(tokyo.moment("2027-01-15T16:00:00Z"), /^1:00:00/);
  } finally {
    mock.timers.reset();
  }
});

test("a moment of another day has its date", () => {
  const words = wordsOf({});
  assert.match(words.moment(Date.now() - 3 * 86_400_000), /[A-Z][a-z]{2}/);
  assert.doesNotMatch(words.moment(Date.now()), /[A-Z][a-z]{2} \d/);
});
