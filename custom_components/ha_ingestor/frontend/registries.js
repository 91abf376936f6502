/** The page with what the data-api and the metadata store have of the registries. */

import { css, define, html, properties } from "./lit.js";
import { Page } from "./page.js";
import { button, facts, head, pageStyle, table } from "./style.js";

const TABLES = ["devices", "entities", "services", "areas", "floors", "labels"];
const CHANGES = ["added", "changed", "removed", "returned", "renamed"];

const style = css`
  .counts :is(th, td):last-child {
    padding-inline-end: 0;
    text-align: end;
    font-variant-numeric: tabular-nums;
  }
  th:first-child,
  td:first-child {
    white-space: nowrap;
    overflow-wrap: normal;
  }
  .cards {
    grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr));
  }
`;

/** @extends {Page<RegistriesMembers>} */
class Registries extends Page {
  static properties = properties(["hass", "words", "destination", "store"], ["_isBusy"]);

  static styles = [pageStyle, style];

  render() {
    const { words, destination, store } = this;
    return html`<div class="cards">
      ${destination.data_api ? this._dataApi(words, destination.data_api) : this._none(words, destination)}
      ${store ? this._store(words, store) : ""}
    </div>`;
  }

  /** @type {Draw<Destination>} */
  _none(words, { health }) {
    return html`<div class="card">
      <h2>${words.text("registries.data_api")}</h2>
      <p>${words.text(health ? "registries.no_data_api" : "problems.not_loaded")}</p>
    </div>`;
  }

  /** @type {Draw<DataApi>} */
  _dataApi(words, api) {
    const isWell = api.connected;
    const mark = isWell === false ? words.named("problem", api.problem) : words.named("status", isWell ? "ok" : "starting");
    const told = [
      ["last_sync", words.moment(api.last_sync)],
      ["sent", words.number(api.rows_sent)],
      ["unchanged", words.number(api.rows_unchanged)],
      ["pending", words.number(api.rows_pending)],
    ];
    if (api.next_retry && !isWell) told.push(["next_retry", words.moment(api.next_retry)]);
    return html`<div class="card">
      ${head("mdi:server-network-outline", api.title, mark, isWell)}
      ${api.detail && !isWell ? html`<p class="code"><bdi>${api.detail}</bdi></p>` : ""}
      ${this._rows(words, api.rows_stored, "stored")}
      ${facts(told.map(([key, value]) => [words.text(`registries.${key}`), value]))}
      ${this._refused(words, api)} ${this._stale(words, api)}
      ${button(words.text("registries.resync"), () => this._act("resync_registries"), this._isBusy)}
    </div>`;
  }

  /** @param {Words} words @param {Counts} rows @param {string} what */
  _rows(words, rows, what) {
    const known = TABLES.filter((each) => each in rows);
    if (!known.length) return "";
    const titles = [words.text("registries.table"), words.text(`registries.${what}`)];
    return table(titles, known.map((each) => [words.text(`table.${each}`), words.number(rows[each])]), "counts");
  }

  /** @type {Draw<DataApi>} */
  _refused(words, api) {
    if (!api.rows_rejected) return html`<p class="secondary">${words.text("registries.none_refused")}</p>`;
    return html`<h3>${words.text("registries.refused", { count: api.rows_rejected })}</h3>
      <p class="secondary">${words.text("registries.refused_is")}</p>
      ${table(["table", "row", "reason"].map((each) => words.text(`registries.${each}`)), api.rejections.map((each) =>
        [words.text(`table.${each.table}`), html`<bdi class="code">${each.key}</bdi>`, html`<bdi>${each.reason}</bdi>`]))}`;
  }

  /** @type {Draw<DataApi>} */
  _stale(words, api) {
    if (!api.rows_stale) return "";
    return html`<h3>${words.text("registries.stale", { count: api.rows_stale })}</h3>
      <p class="secondary">${words.text("registries.stale_is")}</p>
      <p class="code">${api.stale.map((each) => html`<bdi>${each}</bdi><br />`)}</p>`;
  }

  /** @type {Draw<Store>} */
  _store(words, store) {
    const isWell = store.error ? false : store.synced_at ? true : null;
    const mark = isWell === false ? words.named("problem", "disk") : words.named("status", isWell ? "ok" : "starting");
    const changes = CHANGES.filter((each) => store.changes[each]).map((each) =>
      words.text(`registries.${each}`, { count: store.changes[each] }));
    return html`<div class="card">
      ${head("mdi:database-outline", words.text("registries.store"), mark, isWell)}
      <p class="secondary">${words.text("registries.store_is")}</p>
      ${store.error ? html`<ha-alert alert-type="error">${words.text("registries.store_error")} <bdi>${store.error}</bdi></ha-alert>` : ""}
      ${store.aside ? html`<ha-alert alert-type="warning">${words.text("registries.store_aside")}</ha-alert>` : ""}
      ${this._rows(words, store.rows, "kept")}
      ${facts([
        [words.text("registries.last_sync"), words.moment(store.synced_at)],
        [words.text("registries.changes"), changes.join(", ") || words.text("registries.no_changes")],
      ])}
    </div>`;
  }
}

define("ha-ingestor-registries", Registries);
