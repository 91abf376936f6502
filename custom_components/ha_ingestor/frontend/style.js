/** What the pages have in common. */

import { css, html } from "./lit.js";

export const pageStyle = css`
  :host {
    display: block;
    color: var(--primary-text-color);
    font-family: var(--ha-font-family-body);
    font-size: var(--ha-font-size-m);
  }
  a {
    /* The color itself is too light for small letters on white; so is that of errors. */
    color: color-mix(in srgb, var(--primary-color) 60%, var(--primary-text-color));
  }
  .card {
    background: var(--card-background-color);
    border: 1px solid var(--divider-color);
    border-radius: var(--ha-border-radius-lg);
    padding: 16px;
    margin-block-end: 16px;
  }
  .card > :last-child {
    margin-block-end: 0;
  }
  h2,
  h3,
  b {
    font-weight: var(--ha-font-weight-medium);
  }
  h2 {
    margin: 0 0 12px;
    font-size: var(--ha-font-size-l);
    overflow-wrap: anywhere;
  }
  h3 {
    margin: 0;
    font-size: inherit;
  }
  p,
  .rest,
  .sentence {
    /* A language that we lack has English sentences, also from right to left. */
    unicode-bidi: plaintext;
  }
  :is(p, .rest, .sentence):dir(rtl) {
    text-align: right;
  }
  ha-alert {
    display: block;
    margin-block: 12px;
  }
  .code {
    font-family: var(--ha-font-family-code);
    font-size: var(--ha-font-size-s);
    overflow-wrap: anywhere;
  }
  .secondary,
  th {
    font-size: var(--ha-font-size-s);
  }
  .secondary,
  th,
  dt,
  .head ha-icon {
    color: var(--secondary-text-color);
  }
  .facts {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: 6px 16px;
    margin: 0 0 16px;
  }
  dd {
    margin: 0;
    overflow-wrap: anywhere;
  }
  .cards {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr));
    gap: 16px;
    align-items: start;
  }
  .cards > .card {
    margin: 0;
  }
  .head {
    display: flex;
    align-items: center;
    gap: 12px;
    margin-block-end: 12px;
  }
  .head h2 {
    margin: 0;
    flex: 1 1 auto;
  }
  .mark {
    font-size: var(--ha-font-size-s);
    padding: 2px 10px;
    border-radius: 12px;
    border: 1px solid var(--divider-color);
    white-space: nowrap;
  }
  .mark.good {
    border-color: var(--success-color);
  }
  .mark.bad {
    border-color: var(--error-color);
  }
  .bad {
    color: color-mix(in srgb, var(--error-color) 80%, var(--primary-text-color));
  }
  table {
    width: 100%;
    border-collapse: collapse;
    margin-block-end: 16px;
  }
  th,
  td {
    text-align: start;
    padding-block: 8px;
    padding-inline: 0 8px;
    border-block-end: 1px solid var(--divider-color);
    vertical-align: top;
  }
  th {
    font-weight: normal;
  }
  .bar {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px 12px;
    margin-block-end: 12px;
  }
  .bar > .rest {
    flex: 1 1 0;
    min-width: 200px;
  }
  input,
  select,
  .chip {
    font: inherit;
    color: inherit;
    background: var(--card-background-color);
    border: 1px solid var(--divider-color);
    border-radius: var(--ha-border-radius-md);
    padding: 8px 12px;
    min-width: 0;
  }
  .chip {
    border-radius: 16px;
    padding-block: 4px;
    cursor: pointer;
  }
  .chip[aria-pressed="true"] {
    background: color-mix(in srgb, var(--primary-color) 15%, transparent);
    border-color: var(--primary-color);
  }
  :focus-visible {
    outline: 2px solid var(--primary-color);
    outline-offset: 2px;
  }
`;

/** @type {Button} */
export const button = (label, act, isDisabled = false, variant = "brand", appearance = "outlined") => html`<ha-button
  appearance=${appearance} variant=${variant} .disabled=${isDisabled} @click=${act}>${label}</ha-button>`;

/** @type {Draw<() => unknown, Template, Parameters<Button>>} */
export const footer = (words, cancel, label, act, isDisabled = false, variant = "brand") => html`<ha-dialog-footer slot="footer">
  <ha-button slot="secondaryAction" appearance="plain" @click=${cancel}>${words.text("cancel")}</ha-button>
  <ha-button slot="primaryAction" variant=${variant} .disabled=${isDisabled} @click=${act}>${label}</ha-button>
</ha-dialog-footer>`;

/**
 * A question before something that cannot be undone.
 * @type {Draw<() => unknown, Template, [title: string, question: string, act: () => unknown]>}
 */
export const ask = (words, close, title, question, act) => html`<ha-dialog open .headerTitle=${title} @closed=${close}>
  <p>${question}</p>
  ${footer(words, close, title, act, false, "danger")}
</ha-dialog>`;

/** @param {Content[]} titles @param {Content[][]} rows */
export const table = (titles, rows, kind = "") => html`<table class=${kind}>
  <thead><tr>${titles.map((each) => html`<th>${each}</th>`)}</tr></thead>
  <tbody>${rows.map((row) => html`<tr>${row.map((each, column) => html`<td data-title=${titles[column]}>${each}</td>`)}</tr>`)}</tbody>
</table>`;

// Where destinations and sources are set up.
export const SETTINGS = "/config/integrations/integration/ha_ingestor";

/** @param {string} level @param {Content} said */
export const notice = (level, said) => html`<ha-alert alert-type=${level}>${said}</ha-alert>`;

/** @param {string} href @param {string} said */
export const linked = (href, said) => html`<a href=${href}>${said}</a>`;

/** @param {[Content, Content][]} pairs */
export const facts = (pairs) => html`<dl class="facts">
  ${pairs.map(([name, value]) => html`<dt>${name}</dt><dd><bdi>${value}</bdi></dd>`)}
</dl>`;

/**
 * The head of a card: what it is about, and how that is.
 * @type {(icon: string, title: string, mark: string, isGood: boolean | null) => Template}
 */
export const head = (icon, title, mark, isGood) => html`<div class="head">
  <ha-icon .icon=${icon}></ha-icon>
  <h2><bdi>${title}</bdi></h2>
  <span class="mark ${isGood === null ? "" : isGood ? "good" : "bad"}">${mark}</span>
</div>`;
