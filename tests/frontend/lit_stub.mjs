// Stands for Home Assistant's Lit where there is no browser: a template is the text that it would be.
/** @type {(value: unknown) => string} */
const shown = (value) => (Array.isArray(value) ? value.map(shown).join("") : String(value ?? ""));
/** @type {(strings: TemplateStringsArray, ...values: unknown[]) => string} */
const html = (strings, ...values) =>
  strings.map((each, index) => each + (index < values.length ? shown(values[index]) : "")).join("");

class Main {
  disconnectedCallback() {}
  requestUpdate() {}
}
Object.assign(Main.prototype, { html, css: html });
/** @type {Record<string, any>} The elements of the panel, by name. */
export const defined = {};
const customElements = {
  get: (/** @type {string} */ name) => (name === "home-assistant-main" ? Main : defined[name]),
  define: (/** @type {string} */ name, /** @type {unknown} */ element) => { defined[name] = element; },
};
Object.assign(globalThis, { HTMLElement: class {}, customElements });
