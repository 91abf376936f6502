/**
 * The only import of Lit: Home Assistant's own, which it puts on the prototype of its elements.
 *
 * The panel sits inside `home-assistant-main`, so that is always defined.
 * @type {any}
 */
let found = customElements.get("home-assistant-main");
while (found && found !== HTMLElement && !Object.hasOwn(found.prototype, "html")) {
  found = Object.getPrototypeOf(found);
}

/** @type {LitClass} */
export const LitElement = found;
/** @type {Lit} */
export const { html, css } = found.prototype;

/**
 * The properties of an element: what it is given, and what it keeps of its own to be drawn.
 * @type {(given: string[], own?: string[]) => object}
 */
export const properties = (given, own = []) =>
  Object.fromEntries([
    ...given.map((name) => [name, { attribute: false }]),
    ...own.map((name) => [name, { state: true }]),
  ]);

/**
 * Define an element. After an update the page that is open keeps the old one.
 * @type {(name: string, element: CustomElementConstructor) => void}
 */
export const define = (name, element) => {
  if (!customElements.get(name)) customElements.define(name, element);
};
