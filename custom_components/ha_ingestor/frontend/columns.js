/** The columns of the table of entities. */

import { html } from "./lit.js";

const CUT = "overflow: hidden; text-overflow: ellipsis;";
/** @type {Column} */
const NUMERIC = { sortable: true, type: "numeric" };
const SMALL = "color: var(--secondary-text-color); font-size: var(--ha-font-size-s);";

// It is drawn inside the table, where our styles do not reach.
/** @param {string} text */
const lines = (text) => html`<div title=${text} style="${CUT + SMALL} white-space: normal; max-height: 2.4em; line-height: 1.2;"><bdi>${text}</bdi></div>`;

/** @param {string} name @param {string} more */
const named = (name, more) => html`<div style=${CUT}><bdi>${name}</bdi></div>
  <div style=${CUT + SMALL}><bdi>${more}</bdi></div>`;

/** @param {TableRow} row */
const recorded = (row) => html`<div style="display: flex; align-items: center; gap: 8px">
  <ha-icon style="--mdc-icon-size: 20px; color: var(${row.recorded ? "--success-color" : "--disabled-text-color"})"
    .icon=${row.recorded ? "mdi:check-circle-outline" : "mdi:minus-circle-outline"}></ha-icon>
  <div style="min-width: 0">${row.is_recorded}${lines(row.why)}</div>
</div>`;

/**
 * On a phone there is one column, with what matters most below the name.
 * @type {Draw<boolean, Record<string, Column>, [isMeasured: boolean, hasRules: boolean]>}
 */
export const columns = (words, narrow, isMeasured, hasRules) => {
  const found = described(words, isMeasured);
  for (const [name, column] of Object.entries(found)) {
    column.title ??= words.text(`${column.groupable ? "group" : "entities"}.${name}`);
    column.hidden ??= (narrow && name !== "name") || (name === "rules" && !hasRules);
    if (narrow || column.hidden) delete column.minWidth;
  }
  if (narrow) found.name.template = (row) => short(words, row);
  return found;
};

/** @type {Draw<TableRow>} */
const short = (words, row) => {
  const told = [row.is_recorded, row.is_measured ? words.text("entities.hourly", { count: row.points }) : "", row.rules, row.last_state];
  return named(row.name, told.filter(Boolean).join(" · "));
};

/**
 * Points and bytes are by the hour, once it is measured; before that all of them. Below the widths
 * the table scrolls sideways.
 * @type {Draw<boolean, Record<string, Column>>}
 */
const described = (words, isMeasured) => ({
  name: { main: true, sortable: true, filterable: true, flex: 3, minWidth: "180px", template: (row) => named(row.name, row.entity_id) },
  entity_id: { filterable: true, hidden: true },
  domain: { hidden: true, groupable: true },
  integration: { hidden: true, groupable: true },
  area: { hidden: true, groupable: true },
  is_recorded: { title: words.text("entities.recorded"), sortable: true, groupable: true, flex: 2, minWidth: "165px", template: recorded },
  why: { filterable: true, hidden: true },
  rules: { sortable: true, filterable: true, minWidth: "165px", template: ({ rules }) => rules.split(" · ").map(lines) },
  points: {
    ...NUMERIC,
    title: words.text(isMeasured ? "entities.per_hour" : "entities.points"),
    direction: "desc",
    minWidth: "125px",
    template: (row) => html`${words.number(row.points, isMeasured && row.points < 10 ? 1 : 0)}`,
  },
  bytes: {
    ...NUMERIC,
    title: words.text(isMeasured ? "entities.bytes_per_hour" : "entities.bytes"),
    minWidth: "85px",
    template: (row) => html`${words.bytes(row.bytes)}`,
  },
  series: { ...NUMERIC, minWidth: "75px", template: (row) => html`${words.series(row.series, row.series_max)}` },
  last_time: {
    ...NUMERIC,
    minWidth: "125px",
    template: (row) => named(row.last_state ?? "–", words.moment(row.last_time && row.last_time * 1000)),
  },
});
