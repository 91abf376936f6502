/** The page with what went wrong: outages, points in quarantine, and a test of the whole way. */

import "./change.js";
import { css, define, html, properties } from "./lit.js";
import { Page } from "./page.js";
import { button, pageStyle } from "./style.js";

const RECORDS = 100;
// While points are being refused it is no use to count them again and again.
const COUNT_MS = 5000;
const OUTAGE = ["since", "lasted", "problem", "afterwards"];

const style = css`
  ul {
    list-style: none;
    margin: 12px 0 0;
    padding: 0;
  }
  li {
    padding-block: 8px;
    border-block-end: 1px solid var(--divider-color);
  }
`;

/** @extends {Page<ProblemsMembers>} */
class Problems extends Page {
  static properties = properties(
    ["hass", "words", "destination"],
    ["_records", "_total", "_isBusy", "_result", "_tested", "_isPurging", "_leavingOut"],
  );

  static styles = [pageStyle, style];

  /** @param {Changed<ProblemsMembers>} changed */
  willUpdate(changed) {
    const before = changed.get("destination");
    if (before && before.config_entry_id !== this.destination.config_entry_id) {
      this._records = this._result = this._tested = this._total = this._counted = undefined;
    }
  }

  updated() {
    const quarantined = this.destination.health?.ledger?.quarantined;
    if (quarantined === undefined || quarantined === this._counted) return;
    this._counted = quarantined;
    clearTimeout(this._timer);
    if (quarantined) this._timer = setTimeout(() => this._count(), this._total === undefined ? 0 : COUNT_MS);
    else this._total = 0;
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this._timer);
  }

  /** How many are there now, which no count says: it has all that ever were. */
  async _count() {
    const id = this.destination.config_entry_id;
    const found = await this._call("export_quarantine", { limit: 1 }).catch(() => ({}));
    if (id === this.destination.config_entry_id) this._total = found.total;
  }

  /** @param {string} service */
  async _call(service, data = {}) {
    const entry = this.destination.config_entry_id;
    const { response } = await this.hass.callWS({
      type: "call_service",
      domain: "ha_ingestor",
      service,
      service_data: { config_entry_id: entry, ...data },
      return_response: true,
    });
    return response;
  }

  /**
   * Do something that takes a while, and show what came of it.
   * @param {() => Promise<string>} work
   */
  async _do(work) {
    this._isBusy = true;
    this._result = undefined;
    try {
      this._result = { level: "success", text: await work() };
    } catch (error) {
      this._result = { level: "error", text: error.message };
    } finally {
      this._isBusy = false;
      this._counted = undefined;
    }
  }

  _show() {
    return this._do(async () => {
      const { points, total } = await this._call("export_quarantine", { limit: RECORDS });
      [this._records, this._total] = [points.reverse(), total];
      return "";
    });
  }

  _replay() {
    return this._do(async () => {
      const { replayed } = await this._call("replay_quarantine");
      this._records = this._total = undefined;
      return this.words.text("problems.replayed", { points: this.words.count("points", replayed) });
    });
  }

  _purge() {
    this._isPurging = false;
    return this._do(async () => {
      const { purged } = await this._call("purge_quarantine");
      this._records = this._total = undefined;
      return this.words.text("problems.purged", { points: this.words.count("points", purged) });
    });
  }

  async _test() {
    this._tested = { isRunning: true };
    try {
      const { destinations } = await this._call("self_test");
      this._tested = destinations[0];
    } catch (error) {
      this._tested = { message: error.message };
    }
  }

  async _download() {
    const id = this.destination.config_entry_id;
    const { path } = await this.hass.callWS({
      type: "auth/sign_path",
      path: `/api/diagnostics/config_entry/${id}`,
    });
    const link = document.createElement("a");
    link.href = path;
    link.download = "";
    link.click();
  }

  render() {
    const { health, outages } = this.destination;
    if (!health) return html`<div class="card">${this.words.text("problems.not_loaded")}</div>`;
    return html`${this._outages(health, outages)} ${this._quarantine(health)} ${this._selfTest()} ${this._dialog()}`;
  }

  /** @param {Health} health @param {readonly Outage[]} outages */
  _outages(health, outages) {
    const { words } = this;
    const found = outages.toReversed();
    return html`<div class="card">
      <h2>${words.text("problems.outages")}</h2>
      ${found.length
        ? html`<table>
            <tr>${OUTAGE.map((each) => html`<th>${words.text(`problems.${each}`)}</th>`)}</tr>
            ${found.map((each) => html`<tr>
              <td>${words.moment(each.since)}</td>
              <td>${each.until ? words.duration((Date.parse(each.until) - Date.parse(each.since)) / 1000) : words.text("problems.still")}</td>
              <td>${each.problem === "none" ? words.named("status", each.status) : words.named("problem", each.problem)}
                <div class="secondary"><bdi>${each.detail}</bdi></div></td>
              <td>${this._afterwards(each)}</td>
            </tr>`)}
          </table>`
        : html`<p>${health.history.length
            ? words.text("problems.no_outages", { time: words.moment(health.history[0].time) })
            : words.text("problems.no_history")}</p>`}
    </div>`;
  }

  /**
   * What became of the points that waited.
   * @param {Outage} outage
   */
  _afterwards({ points, delivered, not_written: notWritten }) {
    const { words } = this;
    if (points === null) return "–";
    const said = words.count("points", points);
    return html`${delivered
      ? words.text("problems.all_by", { points: said, time: words.moment(delivered) })
      : words.text("problems.under_way", { points: said })}
      ${notWritten ? html`<div class="secondary">${words.text("problems.not_written", { points: words.count("points", notWritten) })}</div>` : ""}`;
  }

  /** @param {Health} health */
  _quarantine(health) {
    const { words, _total: total } = this;
    const isLocked = this._isBusy || !total;
    const { rejection } = health;
    return html`<div class="card">
      <h2>${words.text("problems.quarantine")}</h2>
      <p class="secondary">${words.text("problems.quarantine_is")}</p>
      ${total === undefined ? "" : html`<p>${total
        ? words.text("problems.holds", { points: words.count("points", total) })
        : words.text("problems.empty")}</p>`}
      ${rejection
        ? html`<p>${words.text("problems.newest")} <bdi>${rejection.entity_id ?? ""}</bdi>
            <br /><bdi class="code">${rejection.reason}</bdi></p>
            ${rejection.entity_id ? html`<p>${button(words.text("problems.leave_out"), () => { this._leavingOut = rejection.entity_id ?? undefined; })}</p>` : ""}`
        : ""}
      <div class="bar">
        ${button(words.text("problems.show"), () => this._show(), isLocked)}
        ${button(words.text("problems.replay"), () => this._replay(), isLocked)}
        ${button(words.text("problems.purge"), () => { this._isPurging = true; }, isLocked, "danger")}
      </div>
      ${this._result?.text ? html`<ha-alert alert-type=${this._result.level}>${this._result.text}</ha-alert>` : ""}
      ${this._records ? this._list() : ""}
    </div>`;
  }

  _list() {
    const { words, _records: records = [] } = this;
    if (!records.length) return "";
    return html`<p class="secondary">${words.text("problems.shown", {
        count: words.number(records.length), total: words.number(this._total) })}</p>
      <ul>${records.map((each) => html`<li>
        <span class="secondary">${words.moment(each.time)}</span> <bdi>${each.reason}</bdi>
        <bdi class="code" dir="ltr" style="display: block">${each.line}</bdi>
      </li>`)}</ul>`;
  }

  _selfTest() {
    const { words, _tested: tested } = this;
    const level = tested?.verdict === "ok" ? "success" : "warning";
    return html`<div class="card">
      <h2>${words.text("problems.self_test")}</h2>
      <p class="secondary">${words.text("problems.self_test_is")}</p>
      <div class="bar">
        <ha-button .disabled=${Boolean(tested?.isRunning)} @click=${() => this._test()}>${words.text("problems.test")}</ha-button>
        ${button(words.text("problems.diagnostics"), () => this._download())}
      </div>
      ${tested?.isRunning ? html`<p role="status">${words.text("problems.testing")}</p>` : ""}
      ${tested?.message ? html`<ha-alert alert-type=${level}>${tested.message}</ha-alert>` : ""}
    </div>`;
  }

  _dialog() {
    const { words } = this;
    if (this._leavingOut) {
      const end = () => { this._leavingOut = undefined; };
      return html`<ha-ingestor-change .hass=${this.hass} .words=${words} .entryId=${this.destination.config_entry_id}
        .entityIds=${[this._leavingOut]} .kind=${"exclude"} @closed=${end} @changed=${end}></ha-ingestor-change>`;
    }
    if (!this._isPurging) return "";
    return html`<ha-dialog open .headerTitle=${words.text("problems.purge")}
      @closed=${() => { this._isPurging = false; }}>
      <p>${words.text("problems.purge_question")}</p>
      <ha-dialog-footer slot="footer">
        <ha-button slot="secondaryAction" @click=${() => { this._isPurging = false; }}>${words.text("cancel")}</ha-button>
        <ha-button slot="primaryAction" variant="danger" @click=${() => this._purge()}>${words.text("problems.purge")}</ha-button>
      </ha-dialog-footer>
    </ha-dialog>`;
  }
}

define("ha-ingestor-problems", Problems);
