/** The page with every entity: recorded or not, why, and what it costs; and to change that. */

import "./change.js";
import "./entity.js";
import { columns } from "./columns.js";
import { css, define, html, properties } from "./lit.js";
import { Page } from "./page.js";
import { HOURS_MIN, amounts, recordedOf, ruleText } from "./reasons.js";
import { button, notice, pageStyle } from "./style.js";

/** @type {Record<string, (each: EntityRow) => boolean>} */
const KEPT = {
  all: () => true,
  recorded: (each) => each.recorded,
  left_out: (each) => !each.recorded,
};
const SHOWN = Object.keys(KEPT);
const GROUPS = ["", "domain", "integration", "area", "is_recorded"];
// What the rows are made of.
/** @type {(keyof EntitiesMembers)[]} */
const ARRANGED = ["_answer", "_shown", "words", "narrow"];
/** @type {ChangeKind[]} */
const CHANGES = ["include", "exclude", "rules"];
// What one change may name.
const CHANGED_MAX = 1000;

const style = css`
  .bar {
    min-height: 40px;
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
  .chosen {
    padding: 4px 12px;
    border-radius: var(--ha-border-radius-lg);
    background: var(--secondary-background-color);
  }
`;

/** @extends {Page<EntitiesMembers>} */
export class Entities extends Page {
  static properties = properties(
    ["hass", "words", "narrow", "entryId", "state"],
    ["_answer", "_error", "_shown", "_group", "_open", "_selected", "_change"],
  );

  static styles = [pageStyle, style];

  constructor() {
    super();
    const shown = new URLSearchParams(location.search).get("shown") ?? "";
    this._shown = SHOWN.includes(shown) ? shown : "all";
    this._group = "";
    /** @type {string[]} */
    this._selected = [];
  }

  _entity() {
    return this._open ?? "";
  }

  /** @param {Changed<EntitiesMembers>} changed */
  willUpdate(changed) {
    const isLoadedAgain = this.state === "loaded" && changed.get("state");
    if (changed.has("entryId")) [this._answer, this._selected] = [undefined, []];
    if (changed.has("entryId") || isLoadedAgain) this._read();
    if (ARRANGED.some((key) => changed.has(key))) this._arrange();
  }

  async _read() {
    const asked = this.entryId;
    this._error = undefined;
    try {
      const answer = await this.hass.callWS({ type: "ha_ingestor/entities", config_entry_id: asked });
      if (asked === this.entryId) this._answer = answer;
    } catch (error) {
      this._error = error;
    }
  }

  _arrange() {
    const { _answer: answer, words, hass } = this;
    if (!answer) return;
    const isMeasured = answer.hours >= HOURS_MIN;
    this._columns = columns(words, this.narrow, isMeasured, answer.entities.some((each) => each.rules));
    this._rows = answer.entities.filter(KEPT[this._shown]).map((each) => ({
      ...each,
      id: each.entity_id,
      name: hass.states[each.entity_id]?.attributes.friendly_name || each.entity_id,
      domain: each.entity_id.split(".")[0],
      area: this._area(each.entity_id),
      is_recorded: words.text(each.recorded ? "entities.yes" : "entities.no"),
      why: ruleText(words, hass, each),
      rules: words.rules(each.rules),
      series_max: answer.series_max,
      is_measured: isMeasured,
      ...amounts(each, isMeasured ? answer.hours : 0),
    }));
  }

  /** @param {string} entityId */
  _area(entityId) {
    const { areas, devices, entities } = this.hass;
    const entity = entities[entityId];
    const area = entity?.area_id ?? devices[entity?.device_id ?? ""]?.area_id;
    return areas[area ?? ""]?.name ?? "";
  }

  /** @param {ChangeKind} kind @param {string[]} entityIds */
  _begin(kind, entityIds) {
    this._open = undefined;
    this._change = { kind, entityIds };
  }

  _changed() {
    this._change = undefined;
    this._clear();
    this._tell("hass-notification", { message: this.words.text("change.done") }, true);
    this._read();
  }

  _clear() {
    /** @type {any} */
    const table = this.renderRoot.querySelector("ha-data-table");
    table.clearSelection();
    // In its head the mark of all would stay.
    Object.assign(table.renderRoot.querySelector("ha-checkbox") ?? {}, { checked: false });
  }

  render() {
    const { words, _answer: answer } = this;
    if (this._error) return notice("error", html`${words.text("not_read")} ${this._error.message}`);
    if (!answer) return html`<p>${words.text("loading")}</p>`;
    return html`${this._selected.length ? this._chosen(words) : this._bar(words, answer)}
      <div class="card table">
        <ha-data-table .columns=${this._columns} .data=${this._rows} .narrow=${this.narrow}
          .searchLabel=${words.text("entities.search")} .noDataText=${words.text("entities.none")}
          .groupColumn=${this._group || undefined} selectable clickable
          @selection-changed=${(event) => { this._selected = event.detail.value; }}
          @row-click=${(event) => { this._open = event.detail.id; }}></ha-data-table>
      </div>
      ${this._dialog(words, answer)}`;
  }

  /** @type {Draw<EntitiesAnswer>} */
  _bar(words, answer) {
    const { recorded, total } = recordedOf(answer.entities);
    return html`<div class="bar">
      ${SHOWN.map((each) => html`<button class="chip" aria-pressed=${each === this._shown}
        @click=${() => { this._shown = each; }}>${words.text(`entities.${each}`)}</button>`)}
      <span class="secondary rest">${words.text(answer.hours < HOURS_MIN ? "entities.summary_unmeasured" : "entities.summary", {
        recorded,
        total,
        duration: words.duration(answer.hours * 3600),
      })}</span>
      <select aria-label=${words.text("group.label")} @change=${(event) => { this._group = event.target.value; }}>
        ${GROUPS.map((each) => html`<option value=${each} ?selected=${each === this._group}>${words.text(`group.${each || "none"}`)}</option>`)}
      </select>
      ${button(words.text("refresh"), () => this._read(), false, "brand", "plain")}
    </div>`;
  }

  /** @param {Words} words */
  _chosen(words) {
    const isTooMuch = this._selected.length > CHANGED_MAX;
    return html`<div class="bar chosen" role="toolbar" aria-label=${words.text("change.toolbar")}>
      <span class="rest" role="status">${words.text("change.selected", { entities: words.count("entities", this._selected.length) })}
        ${isTooMuch ? words.text("change.too_many", { count: CHANGED_MAX }) : ""}</span>
      ${CHANGES.map((each) => button(words.text(`change.${each}`), () => this._begin(each, this._selected), isTooMuch))}
      ${button(words.text("change.clear"), () => this._clear(), false, "brand", "plain")}
    </div>`;
  }

  /** @type {Draw<EntitiesAnswer>} */
  _dialog(words, answer) {
    const { _change: change } = this;
    if (change) {
      return html`<ha-ingestor-change .hass=${this.hass} .words=${words} .entryId=${this.entryId}
        .entityIds=${change.entityIds} .kind=${change.kind} .rules=${commonRules(answer.entities, change.entityIds)}
        @closed=${() => { this._change = undefined; }} @changed=${() => this._changed()}></ha-ingestor-change>`;
    }
    const row = answer.entities.find((each) => each.entity_id === this._open);
    return row && html`<ha-ingestor-entity .hass=${this.hass} .words=${words} .row=${row} .entryId=${this.entryId}
      .numbersOnly=${answer.numbers_only} .seriesMax=${answer.series_max} @closed=${() => { this._open = undefined; }}
      @change=${(event) => this._begin(event.detail, [row.entity_id])}></ha-ingestor-entity>`;
  }
}

/**
 * The rules that all of these have, or none.
 * @type {(entities: readonly EntityRow[], chosen: string[]) => Rules}
 */
export const commonRules = (entities, chosen) => {
  const wanted = new Set(chosen);
  const found = entities.filter((each) => wanted.has(each.entity_id)).map((each) => JSON.stringify(each.rules ?? {}));
  return new Set(found).size === 1 ? JSON.parse(found[0]) : {};
};

define("ha-ingestor-entities", Entities);
