/** The page with where the events come from. */

import { LitElement, css, define, html } from "./lit.js";
import { origins } from "./origins.js";
import { facts, head, pageStyle } from "./style.js";

const ICONS = { local: "mdi:home-outline", remote: "mdi:home-import-outline", mqtt: "mdi:access-point" };

class Sources extends LitElement {
  static properties = {
    hass: { attribute: false },
    words: { attribute: false },
    destination: { attribute: false },
    _isBusy: { state: true },
  };

  static styles = [
    pageStyle,
    css`
      .bar {
        margin-block-end: 16px;
      }
    `,
  ];

  shouldUpdate(changed) {
    return [...changed.keys()].some((key) => key !== "hass");
  }

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
        ${isLost ? html`<ha-button appearance="outlined" .disabled=${Boolean(this._isBusy)}
          @click=${() => this._connect()}>${words.text("origin.connect")}</ha-button>` : ""}
      </div>
      <div class="cards">${found.map((each) => this._card(words, each))}</div>`;
  }

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
