/** The dialog that changes some entities: first what it would do, then to do it. */

import { css, define, html, properties } from "./lit.js";
import { Page } from "./page.js";
import { footer, notice, pageStyle } from "./style.js";

const LISTED = 8;
const TYPING_MS = 400;
const HOUR = 3600;
// The units of the options: minutes, seconds, and that of the entity.
const FIELDS = { heartbeat: "minute", throttle: "second", deadband: "" };

const style = css`
  .fields {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(140px, 1fr));
    gap: 12px;
    margin-block: 0 16px;
  }
  label {
    display: flex;
    flex-direction: column;
    gap: 4px;
  }
  label input {
    color: var(--primary-text-color);
    font-size: var(--ha-font-size-m);
  }
  p {
    margin: 0 0 8px;
  }
  .big {
    font-size: var(--ha-font-size-xl);
  }
  ul {
    margin: 0 0 12px;
    padding-inline-start: 20px;
  }
  li {
    overflow-wrap: anywhere;
  }
`;

/** @extends {Page<ChangeMembers>} */
export class Change extends Page {
  static properties = properties(
    ["hass", "words", "entryId", "entityIds", "kind", "rules"],
    ["_values", "_preview", "_error", "_isBusy"],
  );

  static styles = [pageStyle, style];

  firstUpdated() {
    this._values = { heartbeat: 0, throttle: 0, deadband: 0, ...this.rules };
    this._look();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearTimeout(this._timer);
  }

  get _message() {
    const wanted = this.kind === "rules" ? { rules: this._values } : { recorded: this.kind === "include" };
    return { config_entry_id: this.entryId, entity_id: this.entityIds, ...wanted };
  }

  async _look() {
    const asked = (this._asked = (this._asked ?? 0) + 1);
    try {
      const found = await this.hass.callWS({ type: "ha_ingestor/preview_entities", ...this._message });
      if (asked === this._asked) [this._preview, this._error] = [found, undefined];
    } catch (error) {
      if (asked === this._asked) [this._preview, this._error] = [undefined, await this._reason(error)];
    }
  }

  /**
   * The options have a text for what they refuse.
   * @param {any} refusal
   */
  async _reason({ message, translation_key: key, translation_placeholders: values }) {
    if (!key) return message;
    const own = this.words.text(`refused.${key}`, values);
    if (own) return own;
    const localize = await this.hass.loadBackendTranslation("options", "ha_ingestor");
    return localize(`component.ha_ingestor.options.error.${key}`, values) || message;
  }

  /** @param {string} name @param {string} value */
  _typed(name, value) {
    this._values = { ...this._values, [name]: Number(value) || 0 };
    this._preview = undefined;
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._look(), TYPING_MS);
  }

  async _apply() {
    this._isBusy = true;
    try {
      await this.hass.callWS({ type: "ha_ingestor/change_entities", ...this._message });
      this._tell("changed");
    } catch (error) {
      this._error = await this._reason(error);
    } finally {
      this._isBusy = false;
    }
  }

  render() {
    const { words, kind, entityIds } = this;
    const entities = words.count("entities", entityIds.length);
    const isReady = this._preview?.is_changed && !this._isBusy;
    const close = () => this._tell("closed");
    return html`<ha-dialog open .headerTitle=${words.text(`change.title_${kind}`, { entities })}
      @closed=${close}>
      ${kind === "rules" && this._values ? this._fields(words, this._values) : ""}
      <div role="status">
        ${this._error ? notice("error", this._error) : this._effect(words)}
      </div>
      ${footer(words, close, words.text("change.apply"), () => this._apply(), !isReady)}
    </ha-dialog>`;
  }

  /** @type {Draw<Record<string, number>>} */
  _fields(words, values) {
    return html`<div class="fields">
      ${Object.entries(FIELDS).map(([name, unit]) => html`<label class="secondary">${words.text(`rules.${name}`)}
        <input type="number" min="0" step="any" inputmode="decimal" .value=${String(values[name])}
          @input=${(event) => this._typed(name, event.target.value)} />
        <span>${words.text(unit ? `rules.unit_${unit}` : "rules.unit_own")}</span>
      </label>`)}
    </div>`;
  }

  /** @param {Words} words */
  _effect(words) {
    const { _preview: preview } = this;
    if (!preview) return html`<p>${words.text("loading")}</p>`;
    if (!preview.is_changed) return html`<p>${words.text("change.nothing")}</p>`;
    return html`${this.kind === "rules" ? this._ruled(words, preview) : this._recorded(words, preview.filter)}
      <p class="secondary">${words.text("change.reload")}</p>`;
  }

  /** @type {Draw<ChangePreview>} */
  _ruled(words, { rules }) {
    /** @type {(key: string, value: number, digits: number) => Template} */
    const told = (key, value, digits) => html`<li>${words.text(`rules.${key}`, { count: words.number(value, digits) })}</li>`;
    return rules.map(({ entities, ...each }) => html`
      <p><b>${words.count("entities", entities)}:</b> ${words.rules(each) || words.text("entities.no_rules")}</p>
      <ul>
        ${each.throttle ? told("at_most", HOUR / each.throttle, 1) : ""}
        ${each.deadband ? told("from", each.deadband, 6) : ""}
        ${each.heartbeat ? told("at_least", 60 / each.heartbeat, 1) : ""}
      </ul>`);
  }

  /** @type {Draw<FilterPreview>} */
  _recorded(words, filter) {
    const { captured, added, removed, points_per_hour: then, points_per_hour_now: now } = filter;
    const before = captured - added.length + removed.length;
    return html`<p class="big">${words.text("change.recorded", { before, after: captured, total: filter.total })}</p>
      ${then === null || now === null
        ? ""
        : html`<p>${words.text("change.rate", {
            before: now,
            after: then,
            duration: words.duration(filter.measured_hours * HOUR),
          })}</p>`}
      ${this._list(words, "added", added)} ${this._list(words, "removed", removed)}
      ${captured ? "" : notice("warning", words.text("change.none_left"))}`;
  }

  /** @param {Words} words @param {string} name @param {readonly string[]} entityIds */
  _list(words, name, entityIds) {
    if (!entityIds.length) return "";
    const more = entityIds.length - LISTED;
    return html`<p>${words.text(`change.${name}`)}</p>
      <ul>
        ${entityIds.slice(0, LISTED).map((each) => html`<li><bdi class="code">${each}</bdi></li>`)}
        ${more > 0 ? html`<li>${words.text("change.more", { count: more })}</li>` : ""}
      </ul>`;
  }
}

define("ha-ingestor-change", Change);
