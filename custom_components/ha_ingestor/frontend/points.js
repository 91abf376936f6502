/** The page with the points as they are captured. */

import { LitElement, css, define, html, properties } from "./lit.js";
import { keepSubscribed } from "./live.js";
import { button, pageStyle } from "./style.js";

// More than anybody scrolls back.
const KEPT = 200;
const TYPING_MS = 400;
const FIELDS_SHOWN = 4;
const ENTITY = /^[a-z0-9_]+\.[a-z0-9_]+$/;

const style = css`
  .bar input {
    flex: 1 1 240px;
  }
  details {
    border-block-end: 1px solid var(--divider-color);
  }
  summary {
    display: grid;
    grid-template-columns: 92px minmax(0, 2fr) minmax(0, 3fr);
    gap: 12px;
    padding: 8px 4px;
    cursor: pointer;
    overflow-wrap: anywhere;
  }
  summary::marker {
    content: none;
  }
  .parts {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: 2px 16px;
    padding: 0 4px 12px;
    margin: 0;
  }
  dt {
    color: var(--secondary-text-color);
  }
  dd {
    margin: 0;
    overflow-wrap: anywhere;
  }
  .line {
    grid-column: 1 / -1;
    margin-block-start: 8px;
    padding: 8px;
    background: var(--primary-background-color);
    border-radius: var(--ha-border-radius-md);
  }
  @media (max-width: 600px) {
    summary {
      grid-template-columns: auto 1fr;
    }
    .fields {
      grid-column: 1 / -1;
    }
  }
`;

/** @extends {LitElement<PointsMembers>} */
class Points extends LitElement {
  static properties = properties(
    ["connection", "words", "entryId", "route"],
    ["_points", "_leftOut", "_isPaused", "_error"],
  );

  static styles = [pageStyle, style];

  constructor() {
    super();
    /** @type {PointsMembers["_points"]} */
    this._points = [];
    this._leftOut = 0;
    this._number = 0;
    this._wanted = new URLSearchParams(location.search).get("entity") ?? "";
  }

  connectedCallback() {
    super.connectedCallback();
    if (this.hasUpdated) this._follow();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this._timer);
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
    const wanted = this._wanted.trim();
    const filter = ENTITY.test(wanted) ? { entity_id: wanted } : wanted ? { text: wanted } : {};
    this._end = keepSubscribed(
      this.connection,
      { type: "ha_ingestor/subscribe_points", config_entry_id: this.entryId, ...filter },
      (event) => this._take(event),
      (error) => {
        this._error = error;
      },
    );
  }

  /** @param {{ points: LivePoint[], left_out: number }} event */
  _take({ points, left_out: leftOut }) {
    this._error = undefined;
    if (this._isPaused || !(points.length || leftOut)) return;
    const numbered = points.map((each) => ({ ...each, number: (this._number += 1) }));
    this._points = [...numbered.reverse(), ...this._points].slice(0, KEPT);
    this._leftOut += leftOut;
  }

  /** @param {string} value */
  _typed(value) {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => {
      this._wanted = value.slice(0, 255);
      history.replaceState(history.state, "", address(this.entryId, this._wanted));
      this._follow();
    }, TYPING_MS);
  }

  render() {
    const { words } = this;
    return html`<div class="card">
      <div class="bar">
        <input type="search" aria-label=${words.text("points.filter")} placeholder=${words.text("points.filter")}
          .value=${this._wanted} @input=${(event) => this._typed(event.target.value)} />
        ${button(words.text(this._isPaused ? "points.resume" : "points.pause"), () => { this._isPaused = !this._isPaused; })}
      </div>
      <p class="secondary" role="status">
        ${words.text(this._isPaused ? "points.paused" : "points.live")}
        ${this._leftOut ? words.text("points.left_out", { count: words.number(this._leftOut) }) : ""}
      </p>
      ${this._error ? html`<ha-alert alert-type="error">${words.text("not_read")} ${this._error.message}</ha-alert>` : ""}
      ${this._points.length ? this._points.map((each) => this._point(each)) : html`<p>${words.text("points.none")}</p>`}
    </div>`;
  }

  /** @param {LivePoint} point */
  _point(point) {
    const { words } = this;
    const fields = Object.entries(point.fields);
    const short = fields.slice(0, FIELDS_SHOWN).map(([name, value]) => `${name}=${value}`);
    return html`<details>
      <summary>
        <span class="secondary">${words.moment(point.time * 1000)}</span>
        <bdi>${point.entity_id ?? point.measurement}</bdi>
        <bdi class="code fields" dir="ltr">${short.join("  ")}${fields.length > FIELDS_SHOWN ? " …" : ""}</bdi>
      </summary>
      <dl class="parts">
        <dt>${words.text("points.measurement")}</dt><dd><bdi>${point.measurement}</bdi></dd>
        ${Object.entries(point.tags).map(([name, value]) => part(words.text("points.tag"), name, value))}
        ${fields.map(([name, value]) => part(words.text("points.field"), name, String(value)))}
        <bdi class="code line" dir="ltr">${point.line}</bdi>
      </dl>
    </details>`;
  }
}

/** @param {string} kind @param {string} name @param {string} value */
const part = (kind, name, value) => html`<dt>${kind} <bdi>${name}</bdi></dt><dd><bdi>${value}</bdi></dd>`;

/** @param {string} entryId @param {string} entity */
const address = (entryId, entity) =>
  `/ha-ingestor/points?${new URLSearchParams({ entry: entryId, ...(entity && { entity }) })}`;

define("ha-ingestor-points", Points);
