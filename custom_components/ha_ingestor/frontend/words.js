/** Texts, numbers and times in the language and the formats of the user. */

const PANEL = "component.ha_ingestor.config_panel";
const ENTITY = "component.ha_ingestor.entity";
const CATEGORIES = ["config_panel", "entity"];
// The entities that have words for what we show too.
/** @type {Record<string, string>} */
const NAMES = {
  status: "sensor.status.state",
  problem: "sensor.status.state_attributes.problem.state",
  remote_problem: "binary_sensor.remote_connected.state_attributes.problem.state",
  backfill: "sensor.backfill.state_attributes.status.state",
  recovery: "sensor.points_recovered.state_attributes.status.state",
  breaker: "sensor.breaker.state",
  button: "button",
};

/** @type {Record<string, string[] | undefined>} */
const NUMBER_LOCALES = {
  comma_decimal: ["en-US", "en"],
  decimal_comma: ["de", "es", "it"],
  space_comma: ["fr", "sv", "cs"],
  quote_decimal: ["de-CH"],
  system: undefined,
};
/** @type {Step[]} */
const DURATIONS = [
  [86_400, "day"],
  [3_600, "hour"],
  [60, "minute"],
  [1, "second"],
];
// As the options and the sensors have them; Intl knows none of these.
/** @type {Step[]} */
const SIZES = [
  [2 ** 30, "GiB"],
  [2 ** 20, "MiB"],
  [2 ** 10, "KiB"],
  [1, "B"],
];

/**
 * Ask for our texts; Home Assistant forgets them when the language changes.
 * @param {Hass} hass
 */
export const load = (hass) =>
  Promise.all(CATEGORIES.map((each) => hass.loadBackendTranslation(each, "ha_ingestor")));

export class Words {
  /** @param {Hass} hass */
  constructor(hass) {
    const { language, number_format: numbers, time_format: times, time_zone: zone } = hass.locale;
    this._localize = hass.localize;
    this._language = language;
    this._numbers = numbers in NUMBER_LOCALES ? NUMBER_LOCALES[numbers] : language;
    this._grouping = numbers !== "none";
    this._hour12 = { 12: true, 24: false }[times];
    this._zone = zone === "server" ? hass.config.time_zone : undefined;
    this._day = new Intl.DateTimeFormat("en", { dateStyle: "short", timeZone: this._zone });
    // They are slow to make.
    this._today = this._clock({});
    this._earlier = this._clock({ day: "numeric", month: "short" });
    this._plural = new Intl.PluralRules(language);
  }

  /**
   * A text of the panel; empty for a key that there is not. Numbers are in the format of the user.
   * @param {string} key
   * @param {Record<string, unknown>} [values]
   */
  text(key, values = {}) {
    const said = Object.entries(values).map(([name, value]) => [name, typeof value === "number" ? this.number(value) : value]);
    return this._localize(`${PANEL}.${key}`, Object.fromEntries(said));
  }

  /** @type {(group: string) => (key: string, values?: Record<string, unknown>) => string} */
  group(group) {
    return (key, values) => this.text(`${group}.${key}`, values);
  }

  /** @type {(group: string, key: string) => string} */
  word(group, key) {
    return this.text(`${group}.${key}`) || key;
  }

  /** @type {(what: string, key: string) => string} */
  named(what, key) {
    return this._localize(`${ENTITY}.${NAMES[what]}.${key}`) || key;
  }

  /**
   * A count with its noun, such as "7 points".
   * @type {(noun: string, value: number) => string}
   */
  count(noun, value) {
    const form = this._plural.select(value) === "one" ? "one" : "other";
    return this.text(`count.${noun}.${form}`, { count: this.number(value) });
  }

  /** @type {(value: Amount, limit: number) => string} */
  series(value, limit) {
    if (!value) return "–";
    return value < limit ? this.number(value) : `≥ ${this.number(limit)}`;
  }

  /** @param {Rules} [rules] */
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

  /** @param {Amount} value */
  number(value, digits = 0) {
    return this._format(value, { maximumFractionDigits: digits });
  }

  /** @param {number} value */
  percent(value) {
    return this._format(value, { style: "percent", maximumFractionDigits: 0 });
  }

  /** @param {Amount} value */
  perMinute(value) {
    if (value == null) return "–";
    const count = this.number(value, value < 10 ? 1 : 0);
    return this.text("per_minute", { count });
  }

  /** @param {Amount} value */
  bytes(value) {
    if (value == null) return "–";
    const [size, name] = step(value, SIZES);
    return `${this.number(value / size, value / size < 10 && size > 1 ? 1 : 0)}\u00a0${name}`;
  }

  /** @param {Amount} seconds */
  duration(seconds) {
    if (seconds == null) return "–";
    const [size, name] = step(seconds, DURATIONS);
    return this._format(seconds / size, unit(name, 0));
  }

  /**
   * A duration that somebody chose, which is not rounded.
   * @param {number} seconds
   */
  span(seconds) {
    const [size, name] = DURATIONS.find(([each]) => seconds >= each && seconds % each === 0) ?? DURATIONS[DURATIONS.length - 1];
    return this._format(seconds / size, unit(name, 3));
  }

  /** @param {Amount} value */
  seconds(value) {
    if (value == null) return "–";
    if (value >= 1) return this._format(value, unit("second", 1));
    return this._format(value * 1000, unit("millisecond", 0));
  }

  /** @param {Moment | Amount} value */
  moment(value) {
    if (!value) return "–";
    const when = new Date(value);
    const isToday = this._day.format(when) === this._day.format(Date.now());
    return (isToday ? this._today : this._earlier).format(when);
  }

  /** @param {Intl.DateTimeFormatOptions} date */
  _clock(date) {
    return new Intl.DateTimeFormat(this._language, {
      ...date,
      hour: "numeric",
      minute: "2-digit",
      second: "2-digit",
      hour12: this._hour12,
      timeZone: this._zone,
    });
  }

  /** @param {Amount} value @param {Intl.NumberFormatOptions} options */
  _format(value, options) {
    if (value == null) return "–";
    const format = { useGrouping: this._grouping, ...options };
    return new Intl.NumberFormat(this._numbers, format).format(value);
  }
}

/** @param {number} value @param {Step[]} table */
const step = (value, table) => table.find(([each]) => value >= each) ?? table[table.length - 1];

/** @param {string} name @param {number} digits @returns {Intl.NumberFormatOptions} */
const unit = (name, digits) => ({
  style: "unit",
  unit: name,
  unitDisplay: "short",
  maximumFractionDigits: digits,
});
