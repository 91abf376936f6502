/** The two equations of the counts, with both sides. */

import { css, html } from "./lit.js";
import { sum } from "./samples.js";

export const ledgerStyle = css`
  .equation {
    display: flex;
    flex-wrap: wrap;
    align-items: flex-start;
    gap: 8px 12px;
    padding-block: 8px;
  }
  .term {
    display: flex;
    flex-direction: column;
    min-width: 64px;
  }
  .term b {
    font-weight: var(--ha-font-weight-medium, 500);
    font-size: var(--ha-font-size-l, 16px);
    font-variant-numeric: tabular-nums;
  }
  .term span {
    color: var(--secondary-text-color);
    font-size: var(--ha-font-size-s, 12px);
  }
  .sign {
    color: var(--secondary-text-color);
    font-size: var(--ha-font-size-l, 16px);
  }
  .verdict {
    display: flex;
    align-items: center;
    gap: 4px;
    margin-inline-start: auto;
    font-size: var(--ha-font-size-s, 12px);
    color: var(--secondary-text-color);
  }
  .verdict ha-icon {
    --mdc-icon-size: 18px;
  }
  .verdict.bad {
    color: var(--error-color);
  }
`;

/** Show both equations, checked with the numbers that are shown. */
export const ledger = (words, { ledger: counts, pending }) => {
  const filtered = sum(counts.filtered);
  const lost = sum(counts.lost);
  return html`${equation(words, ["received", counts.received], [
    ["filtered", filtered],
    ["deduplicated", counts.deduplicated],
    ["captured", counts.captured],
    ["waiting", counts.waiting],
  ])}
  ${equation(words, ["captured", counts.captured], [
    ["written", counts.written],
    ["quarantined", counts.quarantined],
    ["evicted", counts.evicted],
    ["lost", lost],
    ["pending", pending],
  ])}`;
};

const equation = (words, left, right) => {
  const isBalanced = left[1] === right.reduce((total, [, count]) => total + count, 0);
  const icon = isBalanced ? "mdi:check-circle-outline" : "mdi:alert-circle-outline";
  return html`<div class="equation">
    ${term(words, left)}
    ${right.map((each, index) => html`<span class="sign">${index ? "+" : "="}</span>${term(words, each)}`)}
    <span class="verdict ${isBalanced ? "" : "bad"}">
      <ha-icon .icon=${icon}></ha-icon>${words.text(isBalanced ? "ledger.balanced" : "ledger.unbalanced")}
    </span>
  </div>`;
};

const term = (words, [name, count]) =>
  html`<span class="term"><b>${words.number(count)}</b><span>${words.text(`term.${name}`)}</span></span>`;
