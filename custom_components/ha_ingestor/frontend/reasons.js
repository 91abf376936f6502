/** What is recorded and why, and why it may have no points all the same. */

// What was measured for less says nothing about an hour.
export const HOURS_MIN = 1 / 6;
const SILENT = new Set(["unavailable", "unknown"]);

/** @type {Draw<Hass, string, [EntityRow]>} */
export const ruleText = (words, hass, { rule, recorded, secret }) => {
  if (secret) return words.text("entities.why_secret");
  if (!rule) return words.text(recorded ? "entities.why_all" : "entities.why_not_listed");
  const [list, criterion, value] = rule;
  // What has a name is stored by its id.
  /** @type {Record<string, Hass["areas"]>} */
  const all = { areas: hass.areas, floors: hass.floors, devices: hass.devices };
  const named = all[criterion]?.[value];
  return words.text(`entities.why_${list}`, {
    criterion: words.word("criterion", criterion),
    value: named?.name_by_user || named?.name || value,
  });
};

/**
 * Name what keeps an entity without points; empty where nothing does, or it is left out anyway.
 * @type {(row: EntityRow, state: string | undefined, numbersOnly: boolean) => string}
 */
export const hindrance = (row, state, numbersOnly) => {
  if (!row.recorded) return "";
  if (row.disabled) return "disabled";
  if (row.stateless) return "stateless";
  if (state && SILENT.has(state)) return "silent";
  if (row.points) return "";
  if (numbersOnly && state !== undefined && !Number.isFinite(Number(state || NaN))) return "number";
  return "unchanged";
};

/**
 * Count what is recorded, and of how many. Without a state there is nothing to record.
 * @param {readonly EntityRow[]} rows
 */
export const recordedOf = (rows) => {
  const present = rows.filter((each) => !each.stateless);
  return { recorded: present.filter((each) => each.recorded).length, total: present.length };
};

/**
 * Points and bytes by the hour; all of them while no hours were measured.
 * @param {{ points?: number, bytes?: number }} all
 * @param {number} hours
 */
export const amounts = ({ points = 0, bytes = 0 }, hours) => {
  if (!hours) return { points, bytes };
  // The first point is the state that there was at the start.
  const later = Math.max(points - 1, 0);
  return { points: later / hours, bytes: points ? (bytes * later) / points / hours : 0 };
};
