/** The page with what the data-api and the metadata store have of the registries. */

import { css, define, html, properties } from "./lit.js";
import { Page } from "./page.js";
import { SETTINGS, button, facts, head, linked, notice, pageStyle, table } from "./style.js";

const TABLES = ["devices", "entities", "services", "areas", "floors", "labels"];
const CHANGES = ["added", "changed", "removed", "returned", "renamed"];

const style = css`
  .counts :is(th, td):last-child {
    padding-inline-end: 0;
    text-align: end;
    font-variant-numeric: tabular-nums;
  }
  .cards {
    grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr));
  }
`;

/** @extends {Page<RegistriesMembers>} */
class Registries extends Page {
  static properties = properties(["hass", "words", "destination", "store"], ["_isBusy"]);

  static styles = [pageStyle, style];

  get _say() {
    return this.words.group("registries");
  }

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
      <h2>${this._say("data_api")}</h2>
      <p>${health ? linked(SETTINGS, this._say("no_data_api")) : words.text("problems.not_loaded")}</p>
    </div>`;
  }

  /** @type {Draw<DataApi>} */
  _dataApi(words, api) {
    const isWell = api.connected;
    const told = [
      ["last_sync", words.moment(api.last_sync)],
      ["sent", words.number(api.rows_sent)],
      ["unchanged", words.number(api.rows_unchanged)],
      ["pending", words.number(api.rows_pending)],
    ];
    if (api.next_retry && !isWell) told.push(["next_retry", words.moment(api.next_retry)]);
    return html`<div class="card">
      ${head("mdi:server-network-outline", api.title, marked(words, isWell, api.problem), isWell)}
      ${api.detail && !isWell ? html`<p class="code"><bdi>${api.detail}</bdi></p>` : ""}
      ${this._rows(words, api.rows_stored, "stored")}
      ${facts(told.map(([key, value]) => [this._say(key), value]))}
      ${this._refused(words, api)} ${this._stale(api)}
      ${button(this._say("resync"), () => this._resync(), this._isBusy)}
    </div>`;
  }

  async _resync() {
    const isBegun = await this._act("resync_registries");
    if (isBegun) this._tell("hass-notification", { message: this._say("asked") }, true);
  }

  /** @param {Words} words @param {Counts} rows @param {string} what */
  _rows(words, rows, what) {
    const known = TABLES.filter((each) => each in rows);
    if (!known.length) return "";
    const titles = [this._say("table"), this._say(what)];
    return table(titles, known.map((each) => [words.text(`table.${each}`), words.number(rows[each])]), "counts");
  }

  /** @type {Draw<DataApi>} */
  _refused(words, api) {
    if (!api.rows_rejected) return html`<p class="secondary">${this._say("none_refused")}</p>`;
    return html`<h3>${this._say("refused", { count: api.rows_rejected })}</h3>
      <p class="secondary">${this._say("refused_is")}</p>
      ${table(["table", "row", "reason"].map((each) => this._say(each)), api.rejections.map((each) =>
        [words.text(`table.${each.table}`), html`<bdi class="code">${each.key}</bdi>`, html`<bdi class="code">${each.reason}</bdi>`]))}`;
  }

  /** @param {DataApi} api */
  _stale(api) {
    if (!api.rows_stale) return "";
    const more = api.rows_stale - api.stale.length;
    return html`<h3>${this._say("stale", { count: api.rows_stale })}</h3>
      <p class="secondary">${this._say("stale_is")}</p>
      <p class="code">${api.stale.map((each) => html`<bdi>${each}</bdi><br />`)}</p>
      ${more > 0 ? html`<p>${this.words.text("change.more", { count: more })}</p>` : ""}`;
  }

  /** @type {Draw<Store>} */
  _store(words, store) {
    const { _say: say } = this;
    const isWell = store.error ? false : store.synced_at ? true : null;
    const changes = CHANGES.filter((each) => store.changes[each]).map((each) =>
      say(each, { count: store.changes[each] }));
    return html`<div class="card">
      ${head("mdi:database-outline", say("store"), marked(words, isWell, "disk"), isWell)}
      <p class="secondary">${say("store_is")}</p>
      ${store.error ? notice("error", html`${say("store_error")} <bdi>${store.error}</bdi>`) : ""}
      ${store.aside ? notice("warning", say("store_aside")) : ""}
      ${this._rows(words, store.rows, "kept")}
      ${facts([
        [say("last_sync"), words.moment(store.synced_at)],
        [say("changes"), changes.join(", ") || say("no_changes")],
      ])}
    </div>`;
  }
}

/** @type {Draw<boolean | null, string, [problem: string]>} */
const marked = (words, isWell, problem) =>
  isWell === false ? words.named("problem", problem) : words.named("status", isWell ? "ok" : "starting");

define("ha-ingestor-registries", Registries);
