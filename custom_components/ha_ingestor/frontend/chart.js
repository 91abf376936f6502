/** A small chart of the last hour. */

import { css, html } from "./lit.js";

const WIDTH = 300;
const HEIGHT = 64;
const HOUR = 3600;
// A gap longer than this is one: nothing was measured.
const GAP = 60;

export const chartStyle = css`
  .charts {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 220px), 1fr));
    gap: 16px;
  }
  .chart {
    margin: 0;
  }
  figcaption,
  .scale {
    display: flex;
    justify-content: space-between;
    gap: 8px;
  }
  figcaption b {
    unicode-bidi: plaintext;
    color: var(--primary-text-color);
  }
  svg {
    display: block;
    width: 100%;
    height: 64px;
    margin-block: 4px;
    border-block-end: 1px solid var(--divider-color);
    /* The past is at the left, whatever the direction of the text. */
    direction: ltr;
  }
  .area {
    fill: var(--primary-color);
    opacity: 0.15;
  }
  .line {
    fill: none;
    stroke: var(--primary-color);
    stroke-width: 1.5;
    vector-effect: non-scaling-stroke;
  }
  .scale {
    direction: ltr;
  }
`;

/**
 * Draw `points`, which are [seconds since 1970, value]; `shown` makes a text of a value.
 * @type {Draw<string, Template, [points: Dot[], shown: (value?: number) => string, now: number]>}
 */
export const chart = (words, name, points, shown, now) => {
  const title = words.text(`chart.${name}`);
  const highest = Math.max(...points.map(([, value]) => value), 0);
  const newest = points.at(-1)?.[1];
  const parts = split(points).map((part) => path(part, highest || 1, now));
  const label = words.text("chart.label", { title, now: shown(newest), highest: shown(highest) });
  return html`<figure class="chart">
    <figcaption class="secondary"><span>${title}</span><b>${shown(newest)}</b></figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label=${label}>
      <path class="area" d=${parts.map((each) => each.area).join("")}></path>
      <path class="line" d=${parts.map((each) => each.line).join("")}></path>
    </svg>
    <div class="scale secondary">
      <span>${words.text("chart.hour_ago")}</span>
      <span>${words.text("chart.highest", { value: shown(highest) })}</span>
      <span>${words.text("chart.now")}</span>
    </div>
  </figure>`;
};

/** @param {Dot[]} points */
const split = (points) => {
  /** @type {Dot[][]} */
  const parts = [];
  for (const point of points) {
    const part = parts.at(-1);
    if (part && point[0] - part[part.length - 1][0] <= GAP) part.push(point);
    else parts.push([point]);
  }
  return parts;
};

/** @param {Dot[]} points @param {number} highest @param {number} now */
const path = (points, highest, now) => {
  /** @param {Dot} dot */
  const x = ([time]) => (WIDTH * (1 - Math.min(Math.max(now - time, 0), HOUR) / HOUR)).toFixed(1);
  /** @param {Dot} dot */
  const y = ([, value]) => ((HEIGHT - 2) * (1 - value / highest) + 1).toFixed(1);
  const line = `M${points.map((each) => `${x(each)},${y(each)}`).join("L")}`;
  return { line, area: `${line}V${HEIGHT}H${x(points[0])}Z` };
};
