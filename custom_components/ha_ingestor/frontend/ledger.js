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
    font-size: var(--ha-font-size-l);
    font-variant-numeric: tabular-nums;
  }
  .sign {
    color: var(--secondary-text-color);
    font-size: var(--ha-font-size-l);
  }
  .verdict {
    display: flex;
    align-items: center;
    gap: 4px;
    margin-inline-start: auto;
  }
  .verdict ha-icon {
    --mdc-icon-size: 18px;
  }
  .verdict.bad {
    color: var(--error-color);
  }
`;

/**
 * Show both equations, checked with the numbers that are shown.
 * @param {Words} words
 * @param {Ledger} counts
 * @param {number} pending
 */
export const ledger = (words, counts, pending) => {
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

/** @param {Words} words @param {Term} left @param {Term[]} right */
const equation = (words, left, right) => {
  const isBalanced = left[1] === right.reduce((total, [, count]) => total + count, 0);
  const icon = isBalanced ? "mdi:check-circle-outline" : "mdi:alert-circle-outline";
  return html`<div class="equation">
    ${term(words, left)}
    ${right.map((each, index) => html`<span class="sign">${index ? "+" : "="}</span>${term(words, each)}`)}
    <span class="secondary verdict ${isBalanced ? "" : "bad"}">
      <ha-icon .icon=${icon}></ha-icon>${words.text(isBalanced ? "ledger.balanced" : "ledger.unbalanced")}
    </span>
  </div>`;
};

/** @type {Draw<Term>} */
const term = (words, [name, count]) =>
  html`<span class="term"><b>${words.number(count)}</b><span class="secondary">${words.text(`term.${name}`)}</span></span>`;
