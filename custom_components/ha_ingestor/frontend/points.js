/** The page with the points as they are captured. */

import { LitElement, css, define, html, properties } from "./lit.js";
import { keepSubscribed } from "./live.js";
import { button, facts, notice, pageStyle } from "./style.js";

// More than anybody scrolls back.
const KEPT = 200;
const TYPING_MS = 400;
// What comes faster than it can be read is drawn in steps, which costs the browser less.
const READABLE = 5;
const STEP_MS = 3000;
const FIELDS_SHOWN = 4;
const ENTITY = /^[a-z0-9_]+\.[a-z0-9_]+$/;

const style = css`
  .row {
    display: grid;
    grid-template-columns: 92px minmax(0, 2fr) minmax(0, 3fr);
    align-items: center;
    gap: 0 12px;
    width: 100%;
    height: 40px;
    border: 0;
    border-block-end: 1px solid var(--divider-color);
    font: inherit;
    color: inherit;
    background: none;
    text-align: start;
    cursor: pointer;
    /* All rows move when a point comes: only those in view are laid out, and each by itself. */
    contain: strict;
    content-visibility: auto;
  }
  .row > * {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  @media (max-width: 600px) {
    .row {
      grid-template-columns: auto 1fr;
      height: 56px;
    }
    .row > :last-child {
      grid-column: 1 / -1;
    }
  }
`;

/** @extends {LitElement<PointsMembers>} */
export class Points extends LitElement {
  static properties = properties(["connection", "words", "entryId", "route"], ["_isPaused", "_open", "_error"]);

  static styles = [pageStyle, style];

  constructor() {
    super();
    /** @type {PointsMembers["_points"]} */
    this._points = [];
    this._leftOut = 0;
    this._wanted = new URLSearchParams(location.search).get("entity") ?? "";
  }

  connectedCallback() {
    super.connectedCallback();
    if (this.hasUpdated) this._follow();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this._timer);
    clearTimeout(this._step);
    this._end?.();
  }

  /** @param {Changed<PointsMembers>} changed */
  willUpdate(changed) {
    if (changed.has("entryId") || changed.has("connection")) this._follow();
  }

  _follow() {
    this._end?.();
    this._points = [];
    this._leftOut = 0;
    this.requestUpdate();
    const wanted = this._wanted.trim();
    const filter = ENTITY.test(wanted) ? { entity_id: wanted } : wanted ? { text: wanted } : {};
    this._end = keepSubscribed(
      this.connection,
      { type: "ha_ingestor/subscribe_points", config_entry_id: this.entryId, ...filter },
      (event) => this._take(event),
      (error) => { this._error = error; },
    );
  }

  /** @param {{ points: LivePoint[], left_out: number }} event */
  _take({ points, left_out: leftOut }) {
    this._error = undefined;
    if (this._isPaused || !(points.length || leftOut)) return;
    const isCalm = points.length <= READABLE || !this._points.length;
    this._points = [...points.toReversed(), ...this._points].slice(0, KEPT);
    this._leftOut += leftOut;
    this._step ??= setTimeout(() => {
      this._step = undefined;
      this.requestUpdate();
    }, isCalm ? 0 : STEP_MS);
  }

  /** @param {string} value */
  _typed(value) {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => {
      this._wanted = value.slice(0, 255);
      this._isPaused = false;
      const told = new URLSearchParams({ entry: this.entryId, ...(this._wanted && { entity: this._wanted }) });
      history.replaceState(history.state, "", `/ha-ingestor/points?${told}`);
      this._follow();
    }, TYPING_MS);
  }

  get _say() {
    return this.words.group("points");
  }

  render() {
    const { words, _say: say } = this;
    return html`<div class="card">
      <div class="bar">
        <input class="rest" type="search" aria-label=${say("filter")} placeholder=${say("filter")}
          .value=${this._wanted} @input=${(event) => this._typed(event.target.value)} />
        ${button(say(this._isPaused ? "resume" : "pause"), () => { this._isPaused = !this._isPaused; })}
      </div>
      <p class="secondary" role="status">
        ${say(this._isPaused ? "paused" : "live")}
        ${this._leftOut ? say("left_out", { count: this._leftOut }) : ""}
      </p>
      ${this._error ? notice("error", html`${words.text("not_read")} ${this._error.message}`) : ""}
      ${this._points.length ? this._points.map((each) => this._point(each)) : html`<p>${say("none")}</p>`}
    </div>`;
  }

  /** @param {LivePoint} point */
  _point(point) {
    const { words, _say: say } = this;
    const fields = Object.entries(point.fields);
    const short = fields.slice(0, FIELDS_SHOWN).map(([name, value]) => `${name}=${value}`);
    const isOpen = point === this._open;
    return html`<button class="row" aria-expanded=${isOpen} @click=${() => { this._open = isOpen ? undefined : point; }}>
        <span class="secondary">${words.moment(point.time * 1000)}</span>
        <bdi>${point.entity_id ?? point.measurement}${point.tags.instance ? ` · ${point.tags.instance}` : ""}</bdi>
        <bdi class="code" dir="ltr">${short.join("  ")}${fields.length > FIELDS_SHOWN ? " …" : ""}</bdi>
      </button>
      ${isOpen ? html`<p class="code"><bdi dir="ltr">${point.line}</bdi></p>
        ${facts([
          [say("measurement"), point.measurement],
          ...Object.entries(point.tags).map((each) => part(say("tag"), each)),
          ...fields.map((each) => part(say("field"), each)),
        ])}` : ""}`;
  }
}

/** @type {(kind: string, part: [string, Content]) => [Content, Content]} */
const part = (kind, [name, value]) => [html`${kind} <bdi>${name}</bdi>`, String(value)];

define("ha-ingestor-points", Points);
