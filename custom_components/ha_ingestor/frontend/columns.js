/** The columns of the table of entities. */

import { html } from "./lit.js";

const CUT = "overflow: hidden; text-overflow: ellipsis;";
const SMALL = "color: var(--secondary-text-color); font-size: var(--ha-font-size-s, 12px);";
const OUT = "color: var(--secondary-text-color);";

// It is drawn inside the table, where our styles do not reach.
const named = (row) => html`<div style=${CUT}><bdi>${row.name}</bdi></div>
  <div style=${CUT + SMALL}><bdi>${row.entity_id}</bdi></div>`;

const recorded = (row) => html`<div style="display: flex; align-items: center; gap: 8px; ${row.recorded ? "" : OUT}">
  <ha-icon style="--mdc-icon-size: 20px; color: var(${row.recorded ? "--success-color" : "--disabled-text-color"})"
    .icon=${row.recorded ? "mdi:check-circle-outline" : "mdi:minus-circle-outline"}></ha-icon>${row.is_recorded}
</div>`;

/** On a phone the table itself puts the other columns below the name. */
export const columns = (words, narrow) => ({
  name: {
    title: words.text("entities.name"),
    main: true,
    sortable: true,
    filterable: true,
    flex: 3,
    minWidth: "180px",
    ...(narrow ? {} : { template: named }),
  },
  entity_id: { title: words.text("entities.entity_id"), filterable: true, hidden: true },
  domain: { title: words.text("group.domain"), hidden: true, groupable: true },
  integration: { title: words.text("group.integration"), hidden: true, groupable: true },
  area: { title: words.text("group.area"), hidden: true, groupable: true },
  is_recorded: {
    title: words.text("entities.recorded"),
    sortable: true,
    groupable: true,
    minWidth: "120px",
    ...(narrow ? {} : { template: recorded }),
  },
  why: { title: words.text("entities.why"), sortable: true, filterable: true, flex: 2, minWidth: "120px" },
  rules: { title: words.text("entities.rules"), sortable: true, filterable: true, minWidth: "100px" },
  per_hour: {
    title: words.text("entities.per_hour"),
    sortable: true,
    direction: "desc",
    type: "numeric",
    minWidth: "100px",
    template: (row) => html`${words.number(row.per_hour, row.per_hour < 10 ? 1 : 0)}`,
  },
  bytes_per_hour: {
    title: words.text("entities.bytes_per_hour"),
    sortable: true,
    type: "numeric",
    minWidth: "100px",
    template: (row) => html`${words.bytes(row.bytes_per_hour)}`,
  },
  last_state: {
    title: words.text("entities.last_state"),
    minWidth: "140px",
    template: (row) => html`<bdi>${row.last_state ?? "–"}</bdi>`,
  },
  last_time: {
    title: words.text("entities.last_time"),
    sortable: true,
    type: "numeric",
    minWidth: "100px",
    template: (row) => html`${row.last_time ? words.moment(row.last_time * 1000) : "–"}`,
  },
});
