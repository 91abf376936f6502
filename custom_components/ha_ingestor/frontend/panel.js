/** The panel: the bar, the tabs, and what every page needs. */

import { LitElement, css, define, html, properties } from "./lit.js";
import { keepSubscribed } from "./live.js";
import { EVERY, appended, samplesOf } from "./samples.js";
import { notice, pageStyle } from "./style.js";
import { Words, load } from "./words.js";

const PATH = "/ha-ingestor";
// Each is a module, which is loaded when it is looked at.
const PAGES = ["flow", "entities", "points", "sources", "registries", "problems"];
// What is of importance here; everything else of `hass` changes with every state.
/** @type {(keyof Hass)[]} */
const WATCHED = ["localize", "locale", "connected", "themes"];
const ARROWS_MS = 300;
const here = new URL(".", import.meta.url).pathname;

const style = css`
  .content {
    padding: clamp(8px, 2vw, 16px);
    max-width: 1440px;
    margin: 0 auto;
    box-sizing: border-box;
  }
  .stale {
    filter: grayscale(1);
    opacity: 0.6;
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
  updated(changed) {
    const isFirst = changed.has("_destinations") && !changed.get("_destinations");
    if (!isFirst && !changed.has("route")) return;
    // On a phone not all tabs are in view; where to, is known once the group has its arrows.
    const tab = this.renderRoot.querySelector(`[data-page=${this._page}]`);
    setTimeout(() => tab?.scrollIntoView({ block: "nearest", inline: "center" }), ARROWS_MS);
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
    this._end = keepSubscribed(
      this.hass.connection,
      { type: "ha_ingestor/subscribe" },
      (event) => this._show(event),
      (error) => { this._problem = error; },
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
    return PAGES.includes(name) ? name : PAGES[0];
  }

  /**
   * Go to a page; the destination that was chosen stays chosen.
   * @param {string} page
   */
  _go(page, entry = this._named) {
    history.pushState(null, "", `${PATH}/${page}${entry ? `?entry=${entry}` : ""}`);
    window.dispatchEvent(new CustomEvent("location-changed"));
    this.requestUpdate();
  }

  render() {
    const { _words: words, _page: page, _destinations: destinations } = this;
    // eslint-disable-next-line no-unsanitized/method -- it is one of the names above
    import(`./${page}.js`).then(() => undefined, () => page).then((unread) => { this._unread = unread; });
    /** @param {string} level @param {string} said */
    const reloading = (level, said) => notice(level, html`${said}
      <ha-button slot="action" @click=${() => location.reload()}>${words.text("reload")}</ha-button>`);
    const isOutdated = !here.startsWith(`${this.panel.config.modules}/`);
    return html`<ha-top-app-bar-fixed .narrow=${this.narrow}>
      <div slot="title">${words.text("title")}</div>
      <ha-tab-group slot="subRow" tab-only
        @wa-tab-show=${(event) => event.detail.name !== this._page && this._go(event.detail.name)}>
        ${PAGES.map((each) => html`<ha-tab-group-tab slot="nav" data-page=${each} .panel=${each} .active=${each === page}>
          ${words.text(`page.${each}`)}
        </ha-tab-group-tab>`)}
      </ha-tab-group>
      <div class="content">
        ${isOutdated ? reloading("info", words.text("outdated")) : ""}
        ${this._unread === page ? reloading("error", `${words.text("not_read")} ${words.text(`page.${page}`)}`) : ""}
        ${this._isStale ? notice("warning", words.text("connection_lost", { time: words.moment(this._since && this._since * 1000) })) : ""}
        ${destinations
          ? html`<div class=${this._isStale ? "stale" : ""}>${this._content(words, destinations, page)}</div>`
          : html`<p>${words.text("loading")}</p>`}
      </div>
    </ha-top-app-bar-fixed>`;
  }

  get _isStale() {
    return !this.hass.connected || this._problem !== undefined;
  }

  /**
   * The destination that the address names, or the first one.
   * @param {Destination[]} destinations
   */
  _chosen(destinations) {
    // The address of another page is there before that page is, while we are still shown.
    if (location.pathname.startsWith(PATH)) this._named = new URLSearchParams(location.search).get("entry");
    return destinations.find((each) => each.config_entry_id === this._named) ?? destinations[0];
  }

  /** @type {Draw<Destination[], Content, [page: string]>} */
  _content(words, destinations, page) {
    if (!destinations.length) return html`<p>${words.text("no_destination")}</p>`;
    const chosen = this._chosen(destinations);
    const isAsked = page !== "flow" && destinations.length > 1;
    return html`${isAsked ? this._choice(words, destinations, chosen) : ""} ${this._drawn(page, {
      hass: this.hass,
      connection: this.hass.connection,
      words,
      narrow: this.narrow,
      route: this.route,
      destinations,
      hours: this._hours,
      store: this._store,
      destination: chosen,
      entryId: chosen.config_entry_id,
      state: chosen.state,
    })}`;
  }

  /**
   * The element of a page, which takes what it draws of what there is.
   * @param {string} page
   * @param {object} told
   */
  _drawn(page, told) {
    const name = `ha-ingestor-${page}`;
    if (this._shown?.localName !== name) this._shown = document.createElement(name);
    return Object.assign(this._shown, told);
  }

  /** @type {Draw<Destination[], Content, [chosen: Destination]>} */
  _choice(words, destinations, chosen) {
    return html`<label class="bar">${words.text("destination")}
      <select @change=${(event) => this._go(this._page, event.target.value)}>
        ${destinations.map(({ config_entry_id: id, title }) =>
          html`<option value=${id} ?selected=${id === chosen.config_entry_id}>${title}</option>`)}
      </select>
    </label>`;
  }
}

define("ha-ingestor-panel", Panel);
