/** The page with where the events come from. */

import { css, define, html, properties } from "./lit.js";
import { origins } from "./origins.js";
import { Page } from "./page.js";
import { button, facts, head, pageStyle } from "./style.js";

const ICONS = { local: "mdi:home-outline", remote: "mdi:home-import-outline", mqtt: "mdi:access-point" };

const style = css`
  .bar {
    margin-block-end: 16px;
  }
`;

/** @extends {Page<SourcesMembers>} */
class Sources extends Page {
  static properties = properties(["hass", "words", "destination"], ["_isBusy"]);

  static styles = [pageStyle, style];

  async _connect() {
    this._isBusy = true;
    const data = { config_entry_id: this.destination.config_entry_id };
    // What goes wrong is said by Home Assistant itself.
    await this.hass.callService("ha_ingestor", "flush", data).catch(() => undefined);
    this._isBusy = false;
  }

  render() {
    const { words } = this;
    const found = origins(words, this.destination);
    const isLost = found.some((each) => each.connected === false);
    return html`<div class="bar">
        <span class="secondary rest">${words.text("origin.add")}</span>
        ${isLost ? button(words.text("origin.connect"), () => this._connect(), this._isBusy) : ""}
      </div>
      <div class="cards">${found.map((each) => this._card(words, each))}</div>`;
  }

  /** @type {Draw<Origin>} */
  _card(words, each) {
    const state = each.connected === null ? "unknown" : each.connected ? "connected" : "not_connected";
    return html`<div class="card">
      ${head(ICONS[each.kind], each.title, each.problem || words.text(`origin.${state}`), each.connected)}
      ${each.note ? html`<p>${words.text(`origin.${each.note}`)}</p>` : ""}
      ${each.detail ? html`<p class="code"><bdi>${each.detail}</bdi></p>` : ""}
      ${facts(each.facts.map(([key, value]) => [words.text(`origin.${key}`), html`<bdi>${value}</bdi>`]))}
    </div>`;
  }
}

define("ha-ingestor-sources", Sources);
