/** The dialog with everything that is known of one entity. */

import { define, html, properties } from "./lit.js";
import { Page } from "./page.js";
import { hindrance, ruleText } from "./reasons.js";
import { button, facts, notice, pageStyle } from "./style.js";

/** @extends {Page<EntityMembers>} */
class Entity extends Page {
  static properties = properties(["hass", "words", "row", "entryId", "numbersOnly", "seriesMax"]);

  static styles = pageStyle;

  _entity() {
    return this.row.entity_id;
  }

  render() {
    const { words, row } = this;
    const state = this.hass.states[row.entity_id];
    const id = encodeURIComponent(row.entity_id);
    const hinders = hindrance(row, state?.state, this.numbersOnly);
    const told = [
      ["entity_id", html`<span class="code">${row.entity_id}</span>`],
      ["recorded", words.text(row.recorded ? "entities.yes" : "entities.no")],
      ["why", ruleText(words, this.hass, row)],
      ["rules", words.rules(row.rules) || words.text("entities.no_rules")],
      ["points", words.number(row.points)],
      ["bytes", words.bytes(row.bytes)],
      ["series", words.series(row.series, this.seriesMax)],
      ["last_state", row.last_state ?? "–"],
      ["last_time", words.moment(row.last_time && row.last_time * 1000)],
      ["state_now", state?.state ?? "–"],
    ];
    /** @param {ChangeKind} kind */
    const change = (kind) => button(words.text(`change.${kind}`), () => this._tell("change", kind));
    return html`<ha-dialog open .headerTitle=${state?.attributes.friendly_name || row.entity_id}
      @closed=${() => this._tell("closed")}>
      ${hinders ? notice("info", words.text(`hindrance.${hinders}`)) : ""}
      ${facts(told.map(([key, value]) => [words.text(`entities.${key}`), value]))}
      <div class="bar">
        <a href="/ha-ingestor/points?entry=${this.entryId}&amp;entity=${id}">${words.text("entities.watch")}</a>
        <a href="/history?entity_id=${id}">${words.text("entities.history")}</a>
      </div>
      <div class="bar">${change(row.recorded ? "exclude" : "include")} ${change("rules")}</div>
    </ha-dialog>`;
  }
}

define("ha-ingestor-entity", Entity);
