/** The page with every entity: recorded or not, why, and what it costs. */

import { LitElement, css, define, html } from "./lit.js";
import { pageStyle } from "./style.js";

const SHOWN = ["all", "recorded", "left_out"];
const KEPT = {
  all: () => true,
  recorded: (each) => each.recorded,
  left_out: (each) => !each.recorded,
};
const NAMED = new Set(["areas", "floors", "devices"]);
// What was measured for less says nothing about an hour.
const HOURS_MIN = 1 / 60;

class Entities extends LitElement {
  static properties = {
    hass: { attribute: false },
    words: { attribute: false },
    narrow: { type: Boolean },
    entryId: { attribute: false },
    _answer: { state: true },
    _error: { state: true },
    _shown: { state: true },
    _open: { state: true },
  };

  static styles = [
    pageStyle,
    css`
      .bar {
        margin-block-end: 12px;
      }
      ha-data-table {
        --data-table-border-width: 0;
        height: calc(100dvh - var(--header-height, 56px) - 170px);
        min-height: 320px;
      }
      .table {
        padding: 0;
        overflow: hidden;
      }
      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 4px 16px;
      }
      dt {
        color: var(--secondary-text-color);
      }
      dd {
        margin: 0;
        overflow-wrap: anywhere;
      }
      .links {
        display: flex;
        flex-wrap: wrap;
        gap: 8px 16px;
      }
    `,
  ];

  constructor() {
    super();
    this._shown = "all";
  }

  shouldUpdate(changed) {
    // `hass` changes with every state; the names are read when the rows are.
    return [...changed.keys()].some((key) => key !== "hass");
  }

  willUpdate(changed) {
    if (changed.has("entryId")) this._read();
    if (["_answer", "_shown", "words", "narrow"].some((key) => changed.has(key))) this._arrange();
  }

  async _read() {
    const asked = this.entryId;
    this._error = undefined;
    const message = { type: "ha_ingestor/entities", config_entry_id: asked };
    try {
      const answer = await this.hass.callWS(message);
      if (asked === this.entryId) this._answer = answer;
    } catch (error) {
      this._error = error;
    }
  }

  _arrange() {
    const { _answer: answer, words } = this;
    if (!answer) return;
    const isMeasured = answer.hours >= HOURS_MIN;
    this._columns = columns(words, this.narrow);
    this._rows = answer.entities.filter(KEPT[this._shown]).map((each) => ({
      ...each,
      id: each.entity_id,
      name: this.hass.states[each.entity_id]?.attributes.friendly_name || each.entity_id,
      why: this._why(each),
      per_hour: isMeasured ? (each.points ?? 0) / answer.hours : null,
      bytes_per_hour: isMeasured ? (each.bytes ?? 0) / answer.hours : null,
    }));
  }

  /** Say what decides whether an entity is recorded. */
  _why({ rule, recorded }) {
    const { words } = this;
    if (!rule) return words.text(recorded ? "entities.why_all" : "entities.why_not_listed");
    const [list, criterion, value] = rule;
    // What has a name is stored by its id.
    const named = NAMED.has(criterion) ? this.hass[criterion]?.[value] : undefined;
    return words.text(`entities.why_${list}`, {
      criterion: words.word("criterion", criterion),
      value: named?.name_by_user || named?.name || value,
    });
  }

  render() {
    const { words, _answer: answer } = this;
    if (this._error) return html`<ha-alert alert-type="error">${words.text("not_read")} ${this._error.message}</ha-alert>`;
    if (!answer) return html`<p>${words.text("loading")}</p>`;
    const recorded = answer.entities.filter((each) => each.recorded).length;
    return html`<div class="bar">
        ${SHOWN.map((each) => html`<button class="chip" aria-pressed=${each === this._shown}
          @click=${() => { this._shown = each; }}>${words.text(`entities.${each}`)}</button>`)}
        <span class="secondary rest">${words.text("entities.summary", {
          recorded: words.number(recorded),
          total: words.number(answer.entities.length),
          duration: words.duration(answer.hours * 3600),
        })}</span>
        <ha-button appearance="plain" size="small" @click=${() => this._read()}>${words.text("refresh")}</ha-button>
      </div>
      <div class="card table">
        <ha-data-table .columns=${this._columns} .data=${this._rows} .narrow=${this.narrow}
          .searchLabel=${words.text("entities.search")} .noDataText=${words.text("entities.none")}
          clickable @row-click=${(event) => { this._open = event.detail.id; }}></ha-data-table>
      </div>
      ${this._dialog()}`;
  }

  _dialog() {
    const { words } = this;
    const row = this._answer.entities.find((each) => each.entity_id === this._open);
    if (!row) return "";
    const state = this.hass.states[row.entity_id];
    const id = encodeURIComponent(row.entity_id);
    const entry = encodeURIComponent(this.entryId);
    const facts = [
      ["entity_id", html`<bdi class="code">${row.entity_id}</bdi>`],
      ["recorded", words.text(row.recorded ? "entities.yes" : "entities.no")],
      ["why", this._why(row)],
      ["points", row.points === undefined ? "–" : words.number(row.points)],
      ["bytes", row.bytes === undefined ? "–" : words.bytes(row.bytes)],
      ["last_state", html`<bdi>${row.last_state ?? "–"}</bdi>`],
      ["last_time", row.last_time ? words.moment(row.last_time * 1000) : "–"],
      ["state_now", html`<bdi>${state ? state.state : "–"}</bdi>`],
    ];
    return html`<ha-dialog open .headerTitle=${state?.attributes.friendly_name || row.entity_id}
      @closed=${() => { this._open = undefined; }}>
      <dl>${facts.map(([key, value]) => html`<dt>${words.text(`entities.${key}`)}</dt><dd>${value}</dd>`)}</dl>
      <div class="links">
        <a href="/ha-ingestor/points?entry=${entry}&entity=${id}">${words.text("entities.watch")}</a>
        <a href="/history?entity_id=${id}">${words.text("entities.history")}</a>
        <a href="/config/integrations/integration/ha_ingestor">${words.text("entities.change")}</a>
      </div>
    </ha-dialog>`;
  }
}

const CUT = "overflow: hidden; text-overflow: ellipsis;";
const SMALL = "color: var(--secondary-text-color); font-size: var(--ha-font-size-s, 12px);";

// It is drawn inside the table, where our styles do not reach.
const named = (row) => html`<div style=${CUT}><bdi>${row.name}</bdi></div>
  <div style=${CUT + SMALL}><bdi>${row.entity_id}</bdi></div>`;

const columns = (words, narrow) => ({
  name: {
    title: words.text("entities.name"),
    main: true,
    sortable: true,
    filterable: true,
    flex: 3,
    // On a phone the table itself puts the other columns below the name.
    ...(narrow ? {} : { template: named }),
  },
  entity_id: { title: words.text("entities.entity_id"), filterable: true, hidden: true },
  recorded: {
    title: words.text("entities.recorded"),
    sortable: true,
    minWidth: "100px",
    template: (row) => html`${words.text(row.recorded ? "entities.yes" : "entities.no")}`,
  },
  why: { title: words.text("entities.why"), sortable: true, filterable: true, flex: 2 },
  per_hour: {
    title: words.text("entities.per_hour"),
    sortable: true,
    direction: "desc",
    type: "numeric",
    template: (row) => html`${words.number(row.per_hour, row.per_hour < 10 ? 1 : 0)}`,
  },
  bytes_per_hour: {
    title: words.text("entities.bytes_per_hour"),
    sortable: true,
    type: "numeric",
    template: (row) => html`${words.bytes(row.bytes_per_hour)}`,
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

define("ha-ingestor-entities", Entities);
