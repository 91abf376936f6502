/** The page that shows where the points are now. */

import { chart, chartStyle } from "./chart.js";
import { ledger, ledgerStyle } from "./ledger.js";
import { css, define, html, properties } from "./lit.js";
import { Page } from "./page.js";
import { EVERY, levels, rates } from "./samples.js";
import { situation } from "./situation.js";
import { stageStyle, stages } from "./stages.js";
import { SETTINGS, button, linked, pageStyle } from "./style.js";

const ICONS = {
  good: "mdi:check-circle-outline",
  info: "mdi:information-outline",
  warning: "mdi:alert-outline",
  error: "mdi:alert-circle-outline",
};

/** @type {(keyof Sample)[]} */
const CHARTS = ["received", "written"];
// Which action helps at once.
/** @type {Record<string, string>} */
const REMEDIES = { retrying: "flush", blocked: "flush", paused: "resume" };

const style = css`
  .destinations {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr));
    gap: 16px;
    align-items: start;
  }
  .pipeline {
    container-type: inline-size;
  }
  .says {
    display: flex;
    gap: 12px;
    margin-block-end: 20px;
    align-items: flex-start;
  }
  .says ha-icon {
    --mdc-icon-size: 28px;
    flex: none;
    color: var(--level, var(--success-color));
  }
  .says.info {
    --level: var(--info-color);
  }
  .says :is(p, ha-button) {
    margin: 4px 0 0;
  }
  .says .sentence {
    font-size: var(--ha-font-size-l);
  }
`;

// Where to do what is advised.
/** @type {Record<string, string>} */
const PLACES = {
  quarantine: "/ha-ingestor/problems",
  sources: "/ha-ingestor/sources",
  place: "/config/repairs",
  rejected: "/config/repairs",
  address: SETTINGS,
  credentials: SETTINGS,
  entry: SETTINGS,
  spool: SETTINGS,
  tls: SETTINGS,
};

/** @extends {Page<FlowMembers>} */
class Flow extends Page {
  static properties = properties(["hass", "words", "destinations", "hours"]);

  static styles = [pageStyle, stageStyle, chartStyle, ledgerStyle, style];

  render() {
    const now = Date.now() / 1000;
    return html`<div class="destinations">
      ${this.destinations.map((each) => this._destination(each, now))}
    </div>`;
  }

  /** @param {Destination} destination @param {number} now */
  _destination(destination, now) {
    // A chart that moves with each second would be painted with each second.
    const end = Math.ceil(now / EVERY) * EVERY;
    const { words } = this;
    const { health } = destination;
    const samples = this.hours.get(destination.config_entry_id) ?? [];
    return html`<div>
      <div class="card pipeline">
        <h2><bdi>${destination.title}</bdi></h2>
        ${this._says(destination, samples, now)}
        ${health ? stages(words, { ...destination, health }, samples, now) : ""}
      </div>
      ${health?.ledger
        ? html`<div class="card">
              <h2>${words.text("chart.title")}</h2>
              <div class="charts">
                ${CHARTS.map((each) => chart(words, each, rates(samples, each), (value) => words.perMinute(value), end))}
                ${chart(words, "backlog", levels(samples, "backlog"), (value) => words.number(value), end)}
              </div>
            </div>
            <div class="card">
              <h2>${words.text("ledger.title")}</h2>
              ${ledger(words, health.ledger, health.pending ?? 0)}
            </div>`
        : ""}
    </div>`;
  }

  /** @param {Destination} destination @param {Sample[]} samples @param {number} now */
  _says(destination, samples, now) {
    const { words } = this;
    const { level, key, points, problem, duration, advice, isFilling, isInMemory } = situation(destination, samples, now);
    const sentence = words.text(`says.${key}`, {
      points: words.count("points", points),
      problem: words.named("problem", problem),
      duration: words.duration(duration),
    });
    const waits = words.text(`waits.${isInMemory ? "memory" : isFilling ? "filling" : key}`, {
      gone: destination.health?.ledger?.evicted ?? 0,
      memory: destination.health?.waiting,
    });
    const advised = [...new Set([advice, isFilling ? "spool" : "", isInMemory ? "disk" : ""])].filter(Boolean).map((each) => [each, words.text(`advice.${each}`)]);
    const detail = level === "error" || level === "warning" ? destination.health?.detail : "";
    return html`<div class="says ${level}" role="status">
      <ha-icon .icon=${ICONS[level]}></ha-icon>
      <div>
        <div class="sentence">${sentence} ${waits}</div>
        ${advised.map(([each, said]) => html`<p>${PLACES[each] ? linked(`${PLACES[each]}?entry=${destination.config_entry_id}`, said) : said}</p>`)}
        ${detail ? html`<p class="secondary code"><bdi>${detail}</bdi></p>` : ""}
        ${REMEDIES[key]
          ? button(words.named("button", `${REMEDIES[key]}.name`), () => this._act(REMEDIES[key], destination.config_entry_id))
          : ""}
      </div>
    </div>`;
  }
}

define("ha-ingestor-flow", Flow);
