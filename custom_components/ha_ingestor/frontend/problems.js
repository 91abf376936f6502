/** The page with what went wrong: outages, points in quarantine, and a test of the whole way. */

import "./change.js";
import { css, define, html, properties } from "./lit.js";
import { Page } from "./page.js";
import { ask, button, notice, pageStyle, table } from "./style.js";

const RECORDS = 100;
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
  @media (max-width: 600px) {
    thead {
      display: none;
    }
    td {
      display: block;
    }
    td:not(:last-child) {
      border: 0;
      padding-block-end: 0;
    }
    td::before {
      content: attr(data-title) ": ";
    }
  }
`;

/** @extends {Page<ProblemsMembers>} */
export class Problems extends Page {
  static properties = properties(
    ["hass", "words", "destination"],
    ["_records", "_isBusy", "_result", "_tested", "_isPurging", "_leavingOut"],
  );

  static styles = [pageStyle, style];

  get _say() {
    return this.words.group("problems");
  }

  /** @param {Changed<ProblemsMembers>} changed */
  willUpdate(changed) {
    const before = changed.get("destination");
    if (before && before.config_entry_id !== this.destination.config_entry_id) {
      this._records = this._result = this._tested = undefined;
    }
  }

  /** @param {string} service */
  async _call(service, data = {}) {
    const entry = this.destination.config_entry_id;
    const asked = { domain: "ha_ingestor", service, service_data: { config_entry_id: entry, ...data } };
    return (await this.hass.callWS({ type: "call_service", ...asked, return_response: true })).response;
  }

  /** @param {() => Promise<string>} work */
  async _do(work) {
    this._isBusy = true;
    this._result = undefined;
    this._result = await work().then((text) => ({ level: "success", text }), ({ message: text }) => ({ level: "error", text }));
    this._isBusy = false;
  }

  _show() {
    return this._do(async () => {
      const { points } = await this._call("export_quarantine", { limit: RECORDS });
      this._records = points.reverse();
      return "";
    });
  }

  /**
   * Take all points out, and say what was done with how many.
   * @type {(action: "replay" | "purge", done: "replayed" | "purged") => Promise<void>}
   */
  _empty(action, done) {
    this._isPurging = false;
    return this._do(async () => {
      const found = await this._call(`${action}_quarantine`);
      this._records = undefined;
      return this._say(done, { points: this.words.count("points", found[done]) });
    });
  }

  async _test() {
    this._tested = { isRunning: true };
    this._tested = await this._call("self_test").then(({ destinations }) => destinations[0], ({ message }) => ({ message }));
  }

  async _download() {
    const id = this.destination.config_entry_id;
    const { path } = await this.hass.callWS({ type: "auth/sign_path", path: `/api/diagnostics/config_entry/${id}` });
    Object.assign(document.createElement("a"), { href: path, download: "" }).click();
  }

  render() {
    const { health } = this.destination;
    if (!health) return html`<div class="card">${this._say("not_loaded")}</div>`;
    return html`${this._outages(health)} ${this._quarantine(health)} ${this._selfTest()} ${this._dialog()}`;
  }

  /** @param {Health} health */
  _outages(health) {
    const { words, _say: say } = this;
    const found = this.destination.outages.toReversed();
    return html`<div class="card">
      <h2>${say("outages")}</h2>
      ${found.length
        ? table(OUTAGE.map((each) => say(each)), found.map((each) => [
            words.moment(each.since),
            each.until ? words.duration((Date.parse(each.until) - Date.parse(each.since)) / 1000) : say("still"),
            html`${each.problem === "none" ? words.named("status", each.status) : words.named("problem", each.problem)}
              <div class="secondary code"><bdi>${each.detail}</bdi></div>`,
            this._afterwards(each),
          ]))
        : html`<p>${health.history.length
            ? say("no_outages", { time: words.moment(health.history[0].time) })
            : say("no_history")}</p>`}
    </div>`;
  }

  /** @param {Outage} outage */
  _afterwards({ points, delivered, not_written: notWritten }) {
    const { words, _say: say } = this;
    if (points === null) return "–";
    // Some of those that were refused may be newer than the outage.
    const written = Math.max(points - notWritten, 0);
    const told = { written, points: words.count("points", points), time: words.moment(delivered) };
    return html`${say(notWritten ? "some_by" : delivered ? "all_by" : "under_way", told)}
      ${notWritten ? html`<div class="secondary">${say("not_written", { points: words.count("points", notWritten) })}</div>` : ""}`;
  }

  /** @param {Health} health */
  _quarantine(health) {
    const { words, _say: say } = this;
    const { quarantined: total } = this.destination;
    const isLocked = this._isBusy || !total;
    const { rejection } = health;
    return html`<div class="card">
      <h2>${say("quarantine")}</h2>
      <p class="secondary">${say("quarantine_is")}</p>
      ${total === null ? "" : html`<p>${total
        ? say("holds", { points: words.count("points", total) })
        : say("empty")}</p>`}
      ${rejection
        ? html`<p>${say("newest")} <bdi>${rejection.entity_id ?? ""}</bdi>
            <br /><bdi class="code">${rejection.reason}</bdi></p>
            ${rejection.entity_id ? html`<p>${button(say("leave_out"), () => { this._leavingOut = rejection.entity_id ?? undefined; })}</p>` : ""}`
        : ""}
      <div class="bar">
        ${button(say("show"), () => this._show(), isLocked)}
        ${button(say("replay"), () => this._empty("replay", "replayed"), isLocked)}
        ${button(say("purge"), () => { this._isPurging = true; }, isLocked, "danger")}
      </div>
      ${this._result?.text ? notice(this._result.level, this._result.text) : ""}
      ${this._records ? this._list() : ""}
    </div>`;
  }

  _list() {
    const { words, _records: records = [], _say: say } = this;
    if (!records.length) return "";
    return html`<p class="secondary">${say("shown", { count: records.length, total: this.destination.quarantined })}</p>
      <ul>${records.map((each) => html`<li>
        <span class="secondary">${words.moment(each.time)}</span> <bdi>${said(each.reason)}</bdi>
        <bdi class="code" dir="ltr" style="display: block">${each.line}</bdi>
      </li>`)}</ul>`;
  }

  _selfTest() {
    const { _tested: tested, _say: say } = this;
    const level = tested?.verdict === "ok" ? "success" : "warning";
    return html`<div class="card">
      <h2>${say("self_test")}</h2>
      <p class="secondary">${say("self_test_is")}</p>
      <div class="bar">
        ${button(say("test"), () => this._test(), tested?.isRunning, "brand", "accent")}
        ${button(say("diagnostics"), () => this._download())}
      </div>
      ${tested?.isRunning ? html`<p role="status">${say("testing")}</p>` : ""}
      ${tested?.message ? notice(level, tested.message) : ""}
    </div>`;
  }

  _dialog() {
    const { words, _say: say } = this;
    if (this._leavingOut) {
      const end = () => { this._leavingOut = undefined; };
      return html`<ha-ingestor-change .hass=${this.hass} .words=${words} .entryId=${this.destination.config_entry_id}
        .entityIds=${[this._leavingOut]} .kind=${"exclude"} @closed=${end} @changed=${end}></ha-ingestor-change>`;
    }
    if (!this._isPurging) return "";
    const close = () => { this._isPurging = false; };
    return ask(words, close, say("purge"), say("purge_question"), () => this._empty("purge", "purged"));
  }
}

/** @param {string} reason */
const said = (reason) => {
  try {
    const { message, error } = JSON.parse(reason);
    return message ?? error ?? reason;
  } catch {
    return reason;
  }
};

define("ha-ingestor-problems", Problems);
