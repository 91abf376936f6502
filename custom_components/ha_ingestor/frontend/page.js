/** What the pages have in common: a state that changes is no reason to draw them. */

import { LitElement } from "./lit.js";

export const Page = /** @type {PageClass} */ (
  /** @extends {LitElement<PageMembers>} */
  class extends LitElement {
    /** The entity whose state is shown. */
    _entity() {
      return "";
    }

    /** @param {Changed<PageMembers>} changed */
    shouldUpdate(changed) {
      const id = this._entity();
      const isOther = () => changed.get("hass")?.states[id] !== this.hass.states[id];
      return [...changed.keys()].some((key) => key !== "hass") || isOther();
    }
  }
);
