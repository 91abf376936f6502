/** What the pages have in common. */

import { LitElement } from "./lit.js";

export const Page = /** @type {PageClass} */ (
  /** @extends {LitElement<PageMembers>} */
  class extends LitElement {
    /** The entity whose state is shown. */
    _entity() {
      return "";
    }

    /**
     * Any other state that changes is no reason to draw.
     * @param {Changed<PageMembers>} changed
     */
    shouldUpdate(changed) {
      const id = this._entity();
      const isOther = () => changed.get("hass")?.states[id] !== this.hass.states[id];
      return [...changed.keys()].some((key) => key !== "hass") || isOther();
    }

    /** @param {string} name @param {unknown} [detail] */
    _tell(name, detail, isForAll = false) {
      this.dispatchEvent(new CustomEvent(name, { detail, bubbles: isForAll, composed: isForAll }));
    }

    /**
     * Run an action of ours, and say whether it was. What goes wrong is said by Home Assistant.
     * @param {string} action
     */
    async _act(action, entry = this.destination.config_entry_id) {
      this._isBusy = true;
      const done = this.hass.callService("ha_ingestor", action, { config_entry_id: entry });
      const isDone = await done.then(() => true, () => false);
      this._isBusy = false;
      return isDone;
    }
  }
);
