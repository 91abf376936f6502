/** The last hour of a destination, and what follows from it. */

const HOUR = 3600;
// A rate over less would jump.
export const EVERY = 10;
// A trend is taken over so many seconds.
const TREND = 60;
// A backlog below this is what is on its way.
export const ON_ITS_WAY = 2000;
// From here on there is a repair too.
const NEARLY_FULL = 0.8;

/** @type {(columns: Columns | null) => Sample[]} */
export const samplesOf = (columns) =>
  columns
    ? columns.time.map((time, index) => ({
        time,
        received: columns.received[index],
        written: columns.written[index],
        backlog: columns.backlog[index],
        bytes: columns.spool_bytes[index],
      }))
    : [];

/**
 * Add the counts of now, if the last ones are old enough; returns new samples.
 * @type {(samples: Sample[], health: Health | null, now: number) => Sample[]}
 */
export const appended = (samples, health, now) => {
  if (!health?.ledger || now - (samples.at(-1)?.time ?? 0) < EVERY) return samples;
  const sample = {
    time: now,
    received: health.ledger.received,
    written: health.ledger.written,
    backlog: backlogOf(health),
    bytes: health.spool_bytes,
  };
  return [...samples.filter((each) => each.time > now - HOUR), sample];
};

/** @param {Health} health */
export const backlogOf = (health) => (health.pending ?? 0) + health.waiting;

/** @param {Health} health */
export const isNearlyFull = ({ spool_bytes: bytes, spool_limit: limit }) => bytes > limit * NEARLY_FULL;

/** @param {Counts} counts */
export const sum = (counts) => Object.values(counts).reduce((one, other) => one + other, 0);

/**
 * The value at each sample, as [seconds since 1970, value].
 * @type {Series}
 */
export const levels = (samples, name) => samples.map((each) => [each.time, each[name]]);

/** @type {Series} */
export const rates = (samples, name) =>
  samples.slice(1).map((each, index) => {
    const before = samples[index];
    const seconds = Math.max(each.time - before.time, 1);
    return [each.time, Math.max(((each[name] - before[name]) * 60) / seconds, 0)];
  });

/**
 * In how many seconds the backlog is gone at the present speed; null when it does not shrink.
 * @type {Foretell<number>}
 */
export const emptyIn = (samples, backlog, now) => secondsUntil(samples, now, "backlog", backlog, 0);

/**
 * In how many seconds the spool is full at the present speed; null when it does not grow.
 * @type {Foretell<Health>}
 */
export const fullIn = (samples, health, now) =>
  secondsUntil(samples, now, "bytes", health.spool_bytes, health.spool_limit);

/** @type {(samples: Sample[], now: number, name: keyof Sample, value: number, goal: number) => number | null} */
const secondsUntil = (samples, now, name, value, goal) => {
  const before = samples.find((each) => each.time >= now - TREND);
  const isOver = samples.slice(-2).every((each) => each[name] === value);
  if (!before || now - before.time < EVERY / 2 || isOver) return null;
  const speed = (value - before[name]) / (now - before.time);
  const left = goal - value;
  return speed && left / speed > 0 ? left / speed : null;
};
