/** The panel: the bar, the tabs, and what every page needs. */

import { LitElement, css, define, html, properties } from "./lit.js";
import { keepSubscribed } from "./live.js";
import { EVERY, appended, samplesOf } from "./samples.js";
import { pageStyle } from "./style.js";
import { Words, load } from "./words.js";

const PATH = "/ha-ingestor";
// Each is loaded when it is looked at.
/** @type {Record<string, () => Promise<unknown>>} */
const PAGES = {
  flow: () => import("./flow.js"),
  entities: () => import("./entities.js"),
  points: () => import("./points.js"),
  sources: () => import("./sources.js"),
  registries: () => import("./registries.js"),
  problems: () => import("./problems.js"),
};
const NAMES = Object.keys(PAGES);
// What is of importance here; everything else of `hass` changes with every state.
/** @type {(keyof Hass)[]} */
const WATCHED = ["localize", "locale", "connected", "themes"];
const here = new URL(".", import.meta.url).pathname;

const style = css`
  .content {
    padding: 16px;
    max-width: 1440px;
    margin: 0 auto;
    box-sizing: border-box;
  }
  .stale {
    filter: grayscale(1);
    opacity: 0.6;
  }
  .choice {
    display: flex;
    align-items: center;
    gap: 12px;
    margin-block-end: 16px;
  }
  @media (max-width: 600px) {
    .content {
      padding: 8px;
    }
  }
`;

/** @extends {LitElement<PanelMembers>} */
class Panel extends LitElement {
  static properties = properties(
    ["hass", "narrow", "route", "panel"],
    ["_destinations", "_hours", "_problem", "_since", "_unread"],
  );

  static styles = [pageStyle, style];

  constructor() {
    super();
    /** @type {PanelMembers["_hours"]} */
    this._hours = new Map();
  }

  /** @param {Changed<PanelMembers>} changed */
  shouldUpdate(changed) {
    const old = changed.get("hass");
    return changed.size > 1 || !old || WATCHED.some((key) => old[key] !== this.hass[key]);
  }

  connectedCallback() {
    super.connectedCallback();
    this._follow();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this._end?.();
    this._end = undefined;
  }

  /** @param {Changed<PanelMembers>} changed */
  willUpdate(changed) {
    const old = changed.get("hass");
    if (changed.has("hass") && old?.language !== this.hass.language) load(this.hass);
    if (changed.has("hass") && (old?.localize !== this.hass.localize || old?.locale !== this.hass.locale)) {
      this._words = new Words(this.hass);
    }
  }

  _follow() {
    const { connection } = this.hass;
    this._end = keepSubscribed(
      connection,
      { type: "ha_ingestor/subscribe" },
      (event) => this._show(event),
      (error) => {
        this._problem = error;
      },
    );
  }

  /** @param {{ destinations: Destination[], metadata_store: Store | null }} event */
  _show({ destinations, metadata_store: store }) {
    const now = Date.now() / 1000;
    const isFirst = !this._destinations || this._problem || now - (this._since ?? 0) > 30;
    this._destinations = destinations;
    this._store = store;
    this._problem = undefined;
    this._since = now;
    const hours = new Map(this._hours);
    for (const { config_entry_id: id, health } of destinations) {
      hours.set(id, appended(hours.get(id) ?? [], health, now));
    }
    this._hours = hours;
    if (isFirst) this._readHour();
  }

  async _readHour() {
    const answer = await this.hass.callWS({ type: "ha_ingestor/last_hour" }).catch(() => undefined);
    if (!answer) return;
    const hours = new Map(this._hours);
    for (const { config_entry_id: id, samples } of answer.destinations) {
      const known = samplesOf(samples);
      const newest = known.at(-1)?.time ?? 0;
      hours.set(id, [...known, ...(hours.get(id) ?? []).filter((each) => each.time >= newest + EVERY)]);
    }
    this._hours = hours;
  }

  get _page() {
    const name = this.route?.path.split("/")[1] ?? "";
    return NAMES.includes(name) ? name : NAMES[0];
  }

  /** @param {string} path */
  _go(path) {
    history.pushState(null, "", path);
    window.dispatchEvent(new CustomEvent("location-changed"));
    this.requestUpdate();
  }

  render() {
    const { _words: words, _page: page, _destinations: destinations } = this;
    PAGES[page]().then(() => undefined, () => page).then((unread) => { this._unread = unread; });
    const isOutdated = !here.startsWith(`${this.panel.config.modules}/`);
    return html`<ha-top-app-bar-fixed .narrow=${this.narrow}>
      <div slot="title">${words.text("title")}</div>
      <ha-tab-group slot="subRow" tab-only
        @wa-tab-show=${(event) => event.detail.name !== this._page && this._go(`${PATH}/${event.detail.name}`)}>
        ${NAMES.map((each) => html`<ha-tab-group-tab slot="nav" data-page=${each} .panel=${each} .active=${each === page}>
          ${words.text(`page.${each}`)}
        </ha-tab-group-tab>`)}
      </ha-tab-group>
      <div class="content">
        ${isOutdated ? html`<ha-alert>${words.text("outdated")}
          <ha-button slot="action" @click=${() => location.reload()}>${words.text("reload")}</ha-button>
        </ha-alert>` : ""}
        ${this._unread === page ? html`<ha-alert alert-type="error">${words.text("not_read")} ${words.text(`page.${page}`)}
          <ha-button slot="action" @click=${() => location.reload()}>${words.text("reload")}</ha-button>
        </ha-alert>` : ""}
        ${this._alert(words)}
        ${destinations
          ? html`<div class=${this._isStale ? "stale" : ""}>${this._content(words, page, destinations)}</div>`
          : html`<p>${words.text("loading")}</p>`}
      </div>
    </ha-top-app-bar-fixed>`;
  }

  get _isStale() {
    return !this.hass.connected || this._problem !== undefined;
  }

  /** @param {Words} words */
  _alert(words) {
    if (!this._isStale) return "";
    const time = this._since ? words.moment(this._since * 1000) : "–";
    return html`<ha-alert alert-type="warning">${words.text("connection_lost", { time })}</ha-alert>`;
  }

  /** @param {Words} words @param {string} page @param {Destination[]} destinations */
  _content(words, page, destinations) {
    if (!destinations.length) return html`<p>${words.text("no_destination")}</p>`;
    if (page === "flow") {
      return html`<ha-ingestor-flow .words=${words} .destinations=${destinations}
        .hours=${this._hours} .connection=${this.hass.connection}></ha-ingestor-flow>`;
    }
    const chosen = chosenOf(destinations);
    /** @type {Record<string, () => Template>} */
    const pages = {
      entities: () => html`<ha-ingestor-entities .hass=${this.hass} .words=${words}
        .narrow=${this.narrow} .entryId=${chosen.config_entry_id} .state=${chosen.state}></ha-ingestor-entities>`,
      points: () => html`<ha-ingestor-points .connection=${this.hass.connection} .words=${words}
        .entryId=${chosen.config_entry_id} .route=${this.route}></ha-ingestor-points>`,
      sources: () => html`<ha-ingestor-sources .hass=${this.hass} .words=${words}
        .destination=${chosen}></ha-ingestor-sources>`,
      registries: () => html`<ha-ingestor-registries .hass=${this.hass} .words=${words}
        .destination=${chosen} .store=${this._store}></ha-ingestor-registries>`,
      problems: () => html`<ha-ingestor-problems .hass=${this.hass} .words=${words}
        .destination=${chosen}></ha-ingestor-problems>`,
    };
    return html`${destinations.length > 1 ? this._choice(words, page, destinations, chosen) : ""} ${pages[page]()}`;
  }

  /** @param {Words} words @param {string} page @param {Destination[]} destinations @param {Destination} chosen */
  _choice(words, page, destinations, chosen) {
    return html`<label class="choice">${words.text("destination")}
      <select @change=${(event) => this._go(`${PATH}/${page}?entry=${event.target.value}`)}>
        ${destinations.map(({ config_entry_id: id, title }) =>
          html`<option value=${id} ?selected=${id === chosen.config_entry_id}>${title}</option>`)}
      </select>
    </label>`;
  }
}

/**
 * The destination that the address names, or the first one.
 * @param {Destination[]} destinations
 */
const chosenOf = (destinations) => {
  const named = new URLSearchParams(location.search).get("entry");
  return destinations.find((each) => each.config_entry_id === named) ?? destinations[0];
};

define("ha-ingestor-panel", Panel);
