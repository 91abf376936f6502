/**
 * The only door to Lit: Home Assistant's own, which it puts on the prototype of its elements.
 *
 * The panel sits inside `home-assistant-main`, so that is always defined.
 */
let found = customElements.get("home-assistant-main");
while (found && found !== HTMLElement && !Object.hasOwn(found.prototype, "html")) {
  found = Object.getPrototypeOf(found);
}

export const LitElement = found;
export const { html, css } = found.prototype;

/** Define an element. After an update the page that is open keeps the old one. */
export const define = (name, element) => {
  if (!customElements.get(name)) customElements.define(name, element);
};
