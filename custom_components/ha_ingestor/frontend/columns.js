/** The columns of the table of entities. */

import { html } from "./lit.js";

const CUT = "overflow: hidden; text-overflow: ellipsis;";
const SMALL = "color: var(--secondary-text-color); font-size: var(--ha-font-size-s);";
const OUT = "color: var(--secondary-text-color);";

// It is drawn inside the table, where our styles do not reach.
/** @param {TableRow} row */
const named = (row) => html`<div style=${CUT}><bdi>${row.name}</bdi></div>
  <div style=${CUT + SMALL}><bdi>${row.entity_id}</bdi></div>`;

/** @param {TableRow} row */
const recorded = (row) => html`<div style="display: flex; align-items: center; gap: 8px; ${row.recorded ? "" : OUT}">
  <ha-icon style="--mdc-icon-size: 20px; color: var(${row.recorded ? "--success-color" : "--disabled-text-color"})"
    .icon=${row.recorded ? "mdi:check-circle-outline" : "mdi:minus-circle-outline"}></ha-icon>${row.is_recorded}
</div>`;

// Below these widths the table scrolls sideways.
const WIDTHS = {
  name: "180px",
  is_recorded: "140px",
  why: "120px",
  rules: "150px",
  points: "130px",
  bytes: "100px",
  series: "80px",
  last_state: "140px",
  last_time: "100px",
};

/**
 * On a phone there is one column, with what matters most below the name.
 * @param {Words} words
 * @param {boolean} narrow
 * @param {boolean} isMeasured
 * @param {boolean} hasRules
 */
export const columns = (words, narrow, isMeasured, hasRules) => {
  const found = described(words, isMeasured);
  found.rules.hidden = !hasRules;
  for (const [name, minWidth] of Object.entries(WIDTHS)) {
    if (narrow) found[name].hidden = name !== "name";
    else found[name].minWidth = minWidth;
  }
  if (narrow) found.name.template = (row) => short(words, row);
  return found;
};

/** @type {Draw<TableRow>} */
const short = (words, row) => {
  const told = [row.is_recorded, row.is_measured ? words.text("entities.hourly", { count: words.number(row.points) }) : "", row.rules, row.last_state];
  return html`<div style=${CUT}><bdi>${row.name}</bdi></div>
    <div style=${CUT + SMALL}><bdi>${told.filter(Boolean).join(" · ")}</bdi></div>`;
};

/**
 * Points and bytes are by the hour, once it is measured; before that all of them.
 * @param {Words} words
 * @param {boolean} isMeasured
 * @returns {Record<string, Column>}
 */
const described = (words, isMeasured) => ({
  name: {
    title: words.text("entities.name"),
    main: true,
    sortable: true,
    filterable: true,
    flex: 3,
    template: named,
  },
  entity_id: { title: words.text("entities.entity_id"), filterable: true, hidden: true },
  domain: { title: words.text("group.domain"), hidden: true, groupable: true },
  integration: { title: words.text("group.integration"), hidden: true, groupable: true },
  area: { title: words.text("group.area"), hidden: true, groupable: true },
  is_recorded: {
    title: words.text("entities.recorded"),
    sortable: true,
    groupable: true,
    template: recorded,
  },
  why: { title: words.text("entities.why"), sortable: true, filterable: true, flex: 2 },
  rules: { title: words.text("entities.rules"), sortable: true, filterable: true },
  points: {
    title: words.text(isMeasured ? "entities.per_hour" : "entities.points"),
    sortable: true,
    direction: "desc",
    type: "numeric",
    template: (row) => html`${words.number(row.points, isMeasured && row.points < 10 ? 1 : 0)}`,
  },
  bytes: {
    title: words.text(isMeasured ? "entities.bytes_per_hour" : "entities.bytes"),
    sortable: true,
    type: "numeric",
    template: (row) => html`${words.bytes(row.bytes)}`,
  },
  series: {
    title: words.text("entities.series"),
    sortable: true,
    type: "numeric",
    template: (row) => html`${words.series(row.series, row.series_max)}`,
  },
  last_state: {
    title: words.text("entities.last_state"),
    template: (row) => html`<bdi>${row.last_state ?? "–"}</bdi>`,
  },
  last_time: {
    title: words.text("entities.last_time"),
    sortable: true,
    type: "numeric",
    template: (row) => html`${row.last_time ? words.moment(row.last_time * 1000) : "–"}`,
  },
});
