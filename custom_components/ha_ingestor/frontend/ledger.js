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
  .sign:empty {
    display: none;
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
`;

/** @type {Draw<Ledger, Template, [pending: number]>} */
export const ledger = (words, counts, pending) => {
  const all = { ...counts, filtered: sum(counts.filtered), lost: sum(counts.lost), pending };
  return html`${equation(words, all, "received", ["filtered", "deduplicated", "captured", "waiting"])}
    ${equation(words, all, "captured", ["written", "quarantined", "evicted", "lost", "pending"])}`;
};

/** @type {Draw<Record<string, number>, Template, [left: string, right: string[]]>} */
const equation = (words, counts, left, right) => {
  const isBalanced = counts[left] === right.reduce((total, each) => total + counts[each], 0);
  const icon = isBalanced ? "mdi:check-circle-outline" : "mdi:alert-circle-outline";
  return html`<div class="equation">
    ${[left, ...right].map((each, index) => html`<span class="sign">${["", "="][index] ?? "+"}</span><span class="term">
      <b>${words.number(counts[each])}</b><span class="secondary">${words.text(`term.${each}`)}</span>
    </span>`)}
    <span class="secondary verdict ${isBalanced ? "" : "bad"}">
      <ha-icon .icon=${icon}></ha-icon>${words.text(isBalanced ? "ledger.balanced" : "ledger.unbalanced")}
    </span>
  </div>`;
};
