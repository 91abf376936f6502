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
    /* The color itself is too light for small letters on white. */
    color: color-mix(in srgb, var(--primary-color) 60%, var(--primary-text-color));
  }
  .card {
    background: var(--card-background-color);
    border: 1px solid var(--divider-color);
    border-radius: var(--ha-border-radius-lg);
    padding: 16px;
    margin-block-end: 16px;
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
  ha-alert {
    display: block;
    margin-block: 12px;
  }
  .code {
    font-family: var(--ha-font-family-code);
    font-size: var(--ha-font-size-s);
    overflow-wrap: anywhere;
  }
  .secondary {
    color: var(--secondary-text-color);
    font-size: var(--ha-font-size-s);
  }
  .facts {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: 6px 16px;
    margin: 0 0 16px;
  }
  .facts:last-child {
    margin: 0;
  }
  .facts dt {
    color: var(--secondary-text-color);
  }
  .facts dd {
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
  .head ha-icon {
    color: var(--secondary-text-color);
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
    color: var(--error-color);
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
    overflow-wrap: anywhere;
  }
  th {
    color: var(--secondary-text-color);
    font-weight: normal;
    font-size: var(--ha-font-size-s);
  }
  .bar {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px 12px;
  }
  .bar > .rest {
    flex: 1 1 auto;
  }
  input,
  select {
    font: inherit;
    color: inherit;
    background: var(--card-background-color);
    border: 1px solid var(--divider-color);
    border-radius: var(--ha-border-radius-md);
    padding: 8px 12px;
    min-width: 0;
  }
  .chip {
    font: inherit;
    color: inherit;
    background: none;
    border: 1px solid var(--divider-color);
    border-radius: 16px;
    padding: 4px 12px;
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

/** @type {(label: string, act: () => unknown, isDisabled?: boolean, variant?: string) => Template} */
export const button = (label, act, isDisabled = false, variant = "brand") => html`<ha-button
  appearance="outlined" variant=${variant} .disabled=${isDisabled} @click=${act}>${label}</ha-button>`;

/**
 * Names with their values.
 * @param {[Content, Content][]} pairs
 */
export const facts = (pairs) => html`<dl class="facts">
  ${pairs.map(([name, value]) => html`<dt>${name}</dt><dd><bdi>${value}</bdi></dd>`)}
</dl>`;

/**
 * The head of a card: what it is about, and how that is.
 * @param {string} icon
 * @param {string} title
 * @param {string} mark
 * @param {boolean | null} isGood
 */
export const head = (icon, title, mark, isGood) => html`<div class="head">
  <ha-icon .icon=${icon}></ha-icon>
  <h2><bdi>${title}</bdi></h2>
  <span class="mark ${isGood === null ? "" : isGood ? "good" : "bad"}">${mark}</span>
</div>`;
