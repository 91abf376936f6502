/** The page with where the events come from. */

import { define, html, properties } from "./lit.js";
import { isOpen, origins } from "./origins.js";
import { Page } from "./page.js";
import { SETTINGS, ask, button, facts, head, linked, pageStyle } from "./style.js";

const ICONS = { local: "mdi:home-outline", remote: "mdi:home-import-outline", mqtt: "mdi:access-point" };

/** @extends {Page<SourcesMembers>} */
class Sources extends Page {
  static properties = properties(["hass", "words", "destination"], ["_isBusy", "_isAsking"]);

  static styles = pageStyle;

  render() {
    const { words } = this;
    const found = origins(words, this.destination);
    // We connect to no broker, and try no refused token again.
    const isLost = found.some((each) => each.kind === "remote" && each.connected === false && each.note !== "refused");
    return html`<div class="bar">
        <span class="secondary rest">${linked(SETTINGS, words.text("origin.add"))}</span>
        ${isLost ? button(words.text("origin.connect"), () => this._act("flush"), this._isBusy) : ""}
      </div>
      <div class="cards">${found.map((each) => this._card(words, each))}</div>`;
  }

  /** @type {Draw<Origin>} */
  _card(words, each) {
    const state = each.connected === null ? "unknown" : each.connected ? "connected" : "not_connected";
    const note = words.text(`origin.${each.note}`);
    return html`<div class="card">
      ${head(ICONS[each.kind], each.title, each.problem || words.text(`origin.${state}`), each.connected)}
      ${each.note ? html`<p>${each.note === "refused" ? linked("/config/repairs", note) : note}</p>` : ""}
      ${each.detail ? html`<p class="code"><bdi>${each.detail}</bdi></p>` : ""}
      ${facts(each.facts.map(([key, value]) => [words.text(`origin.${key}`), value]))}
      ${each.kind === "local" ? this._history(words) : ""}
    </div>`;
  }

  /** @param {Words} words */
  _history(words) {
    const backfill = this.destination.health?.backfill;
    if (!isOpen(backfill)) return "";
    const next = backfill.status === "paused" ? "resume" : "pause";
    const stop = words.text("origin.stop");
    /** @param {boolean} isAsking */
    const asking = (isAsking) => { this._isAsking = isAsking; };
    const act = () => [asking(false), this._act("cancel_backfill")];
    return html`<div class="bar">
      ${button(words.text(`points.${next}`), () => this._act(`${next}_backfill`), this._isBusy)}
      ${button(stop, () => asking(true), this._isBusy)}
    </div>
    ${this._isAsking ? ask(words, () => asking(false), stop, words.text("origin.stop_question"), act) : ""}`;
  }
}

define("ha-ingestor-sources", Sources);
