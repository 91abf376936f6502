/** Texts, numbers and times in the language and the formats of the user. */

const PANEL = "component.ha_ingestor.config_panel";
const STATUS = "component.ha_ingestor.entity.sensor.status";
const CATEGORIES = ["config_panel", "entity"];

const NUMBER_LOCALES = {
  comma_decimal: ["en-US", "en"],
  decimal_comma: ["de", "es", "it"],
  space_comma: ["fr", "sv", "cs"],
  quote_decimal: ["de-CH"],
  system: undefined,
};
const DURATIONS = [
  [86_400, "day"],
  [3_600, "hour"],
  [60, "minute"],
  [1, "second"],
];
const SIZES = [
  [1e9, "gigabyte"],
  [1e6, "megabyte"],
  [1e3, "kilobyte"],
  [1, "byte"],
];

/** Ask for our texts; Home Assistant forgets them when the language changes. */
export const load = (hass) =>
  Promise.all(CATEGORIES.map((each) => hass.loadBackendTranslation(each, "ha_ingestor")));

export class Words {
  constructor(hass) {
    const { language, number_format: numbers, time_format: times, time_zone: zone } = hass.locale;
    this._localize = hass.localize;
    this._language = language;
    this._numbers = numbers in NUMBER_LOCALES ? NUMBER_LOCALES[numbers] : language;
    this._grouping = numbers !== "none";
    this._hour12 = { 12: true, 24: false }[times];
    this._zone = zone === "server" ? hass.config.time_zone : undefined;
    this._plural = new Intl.PluralRules(language);
  }

  /** A text of the panel; empty for a key that there is not. */
  text(key, values) {
    return this._localize(`${PANEL}.${key}`, values);
  }

  /** A text of the panel, or the word itself where it has none. */
  word(group, key) {
    return this.text(`${group}.${key}`) || key;
  }

  status(key) {
    return this._localize(`${STATUS}.state.${key}`) || key;
  }

  problem(key) {
    return this._localize(`${STATUS}.state_attributes.problem.state.${key}`) || key;
  }

  remoteProblem(key) {
    const of = "component.ha_ingestor.entity.binary_sensor.remote_connected.state_attributes.problem.state";
    return this._localize(`${of}.${key}`) || key;
  }

  recovery(key) {
    return this._localize(`component.ha_ingestor.entity.sensor.points_recovered.state_attributes.status.state.${key}`) || key;
  }

  button(key) {
    return this._localize(`component.ha_ingestor.entity.button.${key}.name`) || key;
  }

  breaker(key) {
    return this._localize(`component.ha_ingestor.entity.sensor.breaker.state.${key}`) || key;
  }

  /** A count with its noun, such as "7 points". */
  count(noun, value) {
    const form = this._plural.select(value) === "one" ? "one" : "other";
    return this.text(`count.${noun}.${form}`, { count: this.number(value) });
  }

  /** The rules of an entity in a few words; empty without any. */
  rules({ heartbeat, throttle, deadband } = {}) {
    const said = {
      throttle: throttle && this.span(throttle),
      deadband: deadband && this.number(deadband, 6),
      heartbeat: heartbeat && this.span(heartbeat * 60),
    };
    return Object.entries(said)
      .filter(([, value]) => value)
      .map(([name, value]) => this.text("rules.is", { rule: this.text(`rules.${name}`), value }))
      .join(" · ");
  }

  number(value, digits = 0) {
    return this._format(value, { maximumFractionDigits: digits });
  }

  percent(value) {
    return this._format(value, { style: "percent", maximumFractionDigits: 0 });
  }

  /** How many a minute; small ones with a digit more. */
  perMinute(value) {
    if (value === null || value === undefined) return "–";
    const count = this.number(value, value < 10 ? 1 : 0);
    return this.text("per_minute", { count });
  }

  bytes(value) {
    return this._unit(value, SIZES);
  }

  duration(seconds) {
    return this._unit(seconds, DURATIONS);
  }

  /** A duration that somebody chose, which is not rounded. */
  span(seconds) {
    const [size, name] = DURATIONS.find(([each]) => seconds >= each && seconds % each === 0) ?? DURATIONS.at(-1);
    return this._format(seconds / size, unit(name, 3));
  }

  seconds(value) {
    if (value === null || value === undefined) return "–";
    if (value >= 1) return this._format(value, unit("second", 1));
    return this._format(value * 1000, unit("millisecond", 0));
  }

  /** A moment of today as a time, an older one with its date. */
  moment(value) {
    const when = new Date(value);
    const isToday = when.toDateString() === new Date().toDateString();
    return new Intl.DateTimeFormat(this._language, {
      ...(isToday ? {} : { day: "numeric", month: "short" }),
      timeStyle: undefined,
      hour: "numeric",
      minute: "2-digit",
      second: "2-digit",
      hour12: this._hour12,
      timeZone: this._zone,
    }).format(when);
  }

  _unit(value, table) {
    if (value === null || value === undefined) return "–";
    const [size, name] = table.find(([each]) => value >= each) ?? table.at(-1);
    const digits = value / size < 10 && size > 1 && table === SIZES ? 1 : 0;
    return this._format(value / size, unit(name, digits));
  }

  _format(value, options) {
    if (value === null || value === undefined) return "–";
    const format = { useGrouping: this._grouping, ...options };
    return new Intl.NumberFormat(this._numbers, format).format(value);
  }
}

const unit = (name, digits) => ({
  style: "unit",
  unit: name,
  unitDisplay: "short",
  maximumFractionDigits: digits,
});
