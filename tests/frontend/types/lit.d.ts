/** What the panel uses of Lit, which it has from Home Assistant (`frontend/lit.js`). */

interface Template {
  readonly strings: TemplateStringsArray;
}

interface Style {
  readonly cssText: string;
}

/** What a listener gets, whichever element of the panel or of Home Assistant it is of. */
interface PanelEvent extends Event {
  readonly detail: any;
  readonly target: HTMLInputElement & HTMLSelectElement;
}

/** What may stand in a template. */
type Content = string | number | boolean | null | undefined | object | ((event: PanelEvent) => unknown);

interface Lit {
  html(strings: TemplateStringsArray, ...values: Content[]): Template;
  css(strings: TemplateStringsArray): Style;
}

/** The properties that are others since the last update, with what they were. */
interface Changed<Members> {
  readonly size: number;
  has(name: keyof Members): boolean;
  get<Name extends keyof Members>(name: Name): Members[Name] | undefined;
  keys(): Iterable<keyof Members>;
}

interface LitMembers extends HTMLElement {
  readonly hasUpdated: boolean;
  readonly renderRoot: ShadowRoot;
  connectedCallback(): void;
  disconnectedCallback(): void;
  requestUpdate(): void;
}

/** Lit's class; `Members` are the properties that Lit makes, and what an element keeps for itself. */
interface LitClass {
  new <Members = object>(): LitMembers & Members;
}
