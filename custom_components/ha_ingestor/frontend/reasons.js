/** What is recorded and why, and why it may have no points all the same. */

const NAMED = new Set(["areas", "floors", "devices"]);
const SILENT = new Set(["unavailable", "unknown"]);

/** Say what decides whether an entity is recorded. */
export const ruleText = (words, hass, { rule, recorded }) => {
  if (!rule) return words.text(recorded ? "entities.why_all" : "entities.why_not_listed");
  const [list, criterion, value] = rule;
  // What has a name is stored by its id.
  const named = NAMED.has(criterion) ? hass[criterion]?.[value] : undefined;
  return words.text(`entities.why_${list}`, {
    criterion: words.word("criterion", criterion),
    value: named?.name_by_user || named?.name || value,
  });
};

/** Name what keeps an entity without points; empty where nothing does, or it is left out anyway. */
export const hindrance = (row, state, numbersOnly) => {
  if (!row.recorded) return "";
  if (row.disabled) return "disabled";
  if (row.stateless) return "stateless";
  if (state && SILENT.has(state)) return "silent";
  if (row.points) return "";
  if (numbersOnly && state !== undefined && !Number.isFinite(Number(state || NaN))) return "number";
  return "unchanged";
};

/** Count what is recorded, and of how many. Without a state there is nothing to record. */
export const recordedOf = (rows) => {
  const present = rows.filter((each) => !each.stateless);
  return { recorded: present.filter((each) => each.recorded).length, total: present.length };
};
