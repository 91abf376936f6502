/** The way of the points, from left to right: sources, filter, spool, database. */

import { css, html } from "./lit.js";
import { origins } from "./origins.js";
import { ON_ITS_WAY, backlogOf, emptyIn, fullIn, sum } from "./samples.js";

const REASONS_SHOWN = 3;
const WEEK = 7 * 86_400;
const NEARLY_FULL = 0.8;

export const stageStyle = css`
  .warning {
    --level: var(--warning-color);
    --fill: 0.3;
  }
  .error {
    --level: var(--error-color);
    --fill: 0.22;
  }
  .stages {
    display: flex;
    align-items: stretch;
  }
  .stage {
    flex: 1 1 0;
    min-width: 0;
  }
  .box,
  .registries {
    padding: 12px;
    border: 1px solid var(--level, var(--divider-color));
    border-radius: var(--ha-border-radius-lg);
    display: flex;
    gap: 4px;
  }
  .box {
    min-height: 168px;
    box-sizing: border-box;
    background: var(--card-background-color);
    flex-direction: column;
    overflow: hidden;
    position: relative;
  }
  .box.warning,
  .box.error {
    box-shadow: inset 0 3px 0 var(--level);
  }
  .box h3 {
    display: flex;
    align-items: center;
    gap: 8px;
  }
  .box h3 ha-icon {
    --mdc-icon-size: 20px;
    color: var(--secondary-text-color);
  }
  .box h3 a {
    color: inherit;
    text-decoration: none;
  }
  .box h3 a:hover {
    text-decoration: underline;
  }
  .box .big {
    font-size: var(--ha-font-size-2xl);
    line-height: 1.2;
    overflow-wrap: anywhere;
  }
  .row {
    display: flex;
    justify-content: space-between;
    column-gap: 8px;
  }
  .row,
  .link,
  .branch,
  .registries {
    font-size: var(--ha-font-size-s);
    color: var(--secondary-text-color);
  }
  .box .row {
    /* A value that has no room beside its name goes below it; no word is cut for it. */
    flex-wrap: wrap;
  }
  .row > :last-child,
  .link b {
    /* A number with its unit, whatever the direction of the text around it. */
    unicode-bidi: plaintext;
  }
  .stages b,
  .registries b,
  .row > :last-child {
    color: var(--primary-text-color);
  }
  .row > :last-child {
    margin-inline-start: auto;
    text-align: end;
  }
  .row > :first-child {
    min-width: 0;
    overflow-wrap: anywhere;
  }
  .bad {
    color: var(--error-color) !important;
  }
  .branch {
    --stem: 20px;
    margin-block-start: var(--stem);
    margin-inline: 8px;
    padding: 8px 12px;
    border: 1px dashed var(--level, var(--divider-color));
    border-radius: var(--ha-border-radius-md);
    position: relative;
  }
  .branch::before {
    content: "";
    position: absolute;
    inset-block-start: calc(-1 * var(--stem));
    inset-inline-start: 50%;
    height: var(--stem);
    border-inline-start: 1px dashed var(--secondary-text-color);
  }
  .link {
    --flow: var(--primary-color);
    flex: 0 0 92px;
    height: 168px;
    display: flex;
    flex-direction: column;
    justify-content: center;
    align-items: center;
    text-align: center;
  }
  .link.idle {
    --flow: var(--divider-color);
  }
  .link.broken {
    --flow: var(--error-color);
  }
  .link::after {
    content: "";
    margin-block-start: 16px;
  }
  .arrow {
    --along: 90deg;
    align-self: stretch;
    margin: 4px;
    height: 2px;
    background: var(--flow);
    position: relative;
  }
  .broken .arrow {
    background: repeating-linear-gradient(var(--along), var(--flow) 0 6px, transparent 6px 12px);
  }
  .arrow::after {
    content: "";
    position: absolute;
    inset-inline-end: -2px;
    inset-block-start: -4px;
    border-block: 5px solid transparent;
    border-inline-start: 9px solid var(--flow);
  }
  .tank {
    position: absolute;
    inset-inline: 0;
    inset-block-end: 0;
    background: var(--level, var(--primary-color));
    opacity: var(--fill, 0.16);
    pointer-events: none;
  }
  .registries {
    margin-block-start: 20px;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px 16px;
  }
  @container (max-width: 800px) {
    .stages,
    .stage {
      display: block;
    }
    .box {
      min-height: 0;
    }
    .link {
      height: auto;
      flex-direction: row;
      gap: 12px;
      padding-block: 6px;
      justify-content: flex-start;
      padding-inline-start: 24px;
    }
    .link::after {
      display: none;
    }
    .arrow {
      --along: 180deg;
      align-self: auto;
      width: 2px;
      height: 28px;
      order: -1;
    }
    .arrow::after {
      inset-inline: -4px auto;
      inset-block: auto -2px;
      border-inline: 5px solid transparent;
      border-block: 9px solid var(--flow);
      border-block-end-width: 0;
    }
    .branch {
      --stem: 12px;
    }
  }
`;

/**
 * Draw the pipeline of a loaded destination.
 * @param {Words} words
 * @param {Loaded} destination
 * @param {Sample[]} samples
 * @param {number} now
 */
export const stages = (words, destination, samples, now) => {
  const { health } = destination;
  const { performance } = health;
  const backlog = backlogOf(health);
  const isBroken = health.connected === false;
  const { captured_per_minute: captured } = performance;
  return html`<div class="stages">
      ${sources(words, destination)}
      ${link(words.perMinute(performance.received_per_minute), words.text("flow.received"),
        performance.received_per_minute ? "" : "idle")}
      ${filter(words, destination)}
      ${link(words.perMinute(captured), words.text("flow.captured"), captured ? "" : "idle")}
      ${spool(words, destination, backlog, samples, now)}
      ${link(isBroken ? words.text("flow.interrupted") : words.perMinute(performance.written_per_minute),
        isBroken ? "" : words.text("flow.written"),
        isBroken ? "broken" : performance.written_per_minute ? "" : "idle")}
      ${database(words, destination, now)}
    </div>
    ${registries(words, destination)}`;
};

/** @param {string} level @param {string} icon @param {Content} title @param {Content} content */
const box = (level, icon, title, content) => html`<div class="box ${level}">
  <h3><ha-icon .icon=${icon}></ha-icon>${title}</h3>
  ${content}
</div>`;

/** @param {Content} name @param {Content} value */
const row = (name, value) => html`<div class="row"><span>${name}</span><span>${value}</span></div>`;

/** @param {string} name @param {string} entry @param {string} title */
const page = (name, entry, title, more = "") =>
  html`<a href="/ha-ingestor/${name}?entry=${entry}${more}">${title}</a>`;

/** @param {string} rate @param {string} what @param {string} kind */
const link = (rate, what, kind) => html`<div class="link ${kind}">
  <span><b>${rate}</b></span>
  <div class="arrow"></div>
  <span class="secondary">${what}</span>
</div>`;

/** @type {Draw<Loaded>} */
const sources = (words, destination) => {
  const { config_entry_id: entry, health } = destination;
  const others = origins(words, destination).slice(1);
  const isLost = others.some((each) => each.connected === false);
  const { last_received: last } = health.performance;
  return html`<section class="stage">
    ${box(isLost ? "warning" : "", "mdi:home-outline", page("sources", entry, words.text("flow.sources")), html`
      <div class="big">${health.ledger ? words.number(health.ledger.received) : "–"}</div>
      <div class="secondary">${words.text("flow.events_received")}</div>
      ${row(words.text("flow.last_event"), last ? words.moment(last) : "–")}
      ${health.recovery && health.recovery.status !== "idle"
        ? row(words.text("origin.filled_to"), health.recovery.position ? words.moment(health.recovery.position) : "–")
        : ""}
      ${others.map((each) => row(
        html`<bdi>${each.title}</bdi>`,
        each.connected
          ? each.facts[0][1]
          : html`<span class=${each.connected === false ? "bad" : ""}>${words.text("flow.not_connected")}</span>`,
      ))}`)}
  </section>`;
};

/** @type {Draw<Loaded>} */
const filter = (words, { config_entry_id: entry, health: { ledger } }) => {
  if (!ledger) return html`<section class="stage">${box("", "mdi:filter-outline", words.text("flow.filter"), "")}</section>`;
  const reasons = Object.entries({ ...ledger.filtered, deduplicated: ledger.deduplicated })
    .filter(([, count]) => count)
    .sort(([, one], [, other]) => other - one);
  const out = sum(ledger.filtered) + ledger.deduplicated;
  const others = sum(Object.fromEntries(reasons.slice(REASONS_SHOWN)));
  return html`<section class="stage">
    ${box("", "mdi:filter-outline", page("entities", entry, words.text("flow.filter")), html`
      <div class="big">${words.number(ledger.captured)}</div>
      <div class="secondary">${words.text("flow.points_captured")}</div>
      ${row(words.text("flow.share"), ledger.received ? words.percent(ledger.captured / ledger.received) : "–")}`)}
    <div class="branch">
      <div class="row"><b>${words.text("flow.left_out")}</b><b>${words.number(out)}</b></div>
      ${reasons.slice(0, REASONS_SHOWN).map(([reason, count]) => row(
        // The only reason that is one of whole entities.
        reason === "excluded" ? page("entities", entry, words.word("reason", reason), "&shown=left_out") : words.word("reason", reason),
        words.number(count),
      ))}
      ${others ? row(words.text("flow.others"), words.number(others)) : ""}
    </div>
  </section>`;
};

/** @param {Words} words @param {Loaded} destination @param {number} backlog @param {Sample[]} samples @param {number} now */
const spool = (words, { config_entry_id: entry, health }, backlog, samples, now) => {
  const share = Math.min(health.spool_bytes / health.spool_limit, 1);
  const level = health.spool_error || share >= 1 ? "error" : share > NEARLY_FULL ? "warning" : "";
  const empty = backlog > ON_ITS_WAY && emptyIn(samples, backlog, now);
  const full = backlog > ON_ITS_WAY && fullIn(samples, health, now);
  const { ledger } = health;
  const lost = ledger ? sum(ledger.lost) : 0;
  return html`<section class="stage">
    ${box(level, "mdi:database-clock-outline", words.text("flow.spool"), html`
      <div class="tank" style="height: ${(share * 100).toFixed(1)}%"></div>
      <div class="big">${words.number(backlog)}</div>
      <div class="secondary">${words.text("flow.points_wait")}</div>
      ${row(words.text("flow.oldest"), health.oldest_age === null ? "–" : words.duration(health.oldest_age))}
      <div role="meter" aria-label=${words.text("flow.disk")} aria-valuemin="0" aria-valuemax="100"
        aria-valuenow=${Math.round(share * 100)}>
        ${row(words.text("flow.disk"), words.text("flow.of", { value: words.bytes(health.spool_bytes), limit: words.bytes(health.spool_limit) }))}
      </div>
      ${empty ? row(words.text("flow.empty_in"), words.duration(empty)) : ""}
      ${full && full < WEEK ? row(words.text("flow.full_in"), words.duration(full)) : ""}
      ${health.spool_error ? html`<div class="secondary bad">${health.spool_error}</div>` : ""}`)}
    ${ledger ? html`<div class="branch ${health.rejection ? "warning" : ""}">
      <div class="row">${page("problems", entry, words.text("flow.quarantine"))}<b>${words.number(ledger.quarantined)}</b></div>
      ${ledger.evicted ? row(words.text("term.evicted"), html`<span class="bad">${words.number(ledger.evicted)}</span>`) : ""}
      ${lost ? row(words.text("term.lost"), html`<span class="bad">${words.number(lost)}</span>`) : ""}
    </div>` : ""}
  </section>`;
};

/** @param {Words} words @param {Loaded} destination @param {number} now */
const database = (words, { title, health }, now) => {
  const wait = health.next_retry ? Math.max(Date.parse(health.next_retry) / 1000 - now, 0) : null;
  const level = health.connected === false ? "error" : health.concern === "none" ? "" : "warning";
  return html`<section class="stage">
    ${box(level, level === "error" ? "mdi:database-alert-outline" : "mdi:database-outline", html`<bdi>${title}</bdi>`, html`
      <div class="big">${health.ledger ? words.number(health.ledger.written) : "–"}</div>
      <div class="secondary">${words.text("flow.points_written")}</div>
      ${row(words.text("flow.status"), words.named("status", health.condition))}
      ${health.concern === "none" ? "" : row(words.text("flow.problem"), html`<span class="bad">${words.named("problem", health.concern)}</span>`)}
      ${row(words.text("flow.last_write"), health.last_write ? words.moment(health.last_write) : "–")}
      ${row(words.text("flow.latency"), words.seconds(health.write_latency))}
      ${health.breaker === "closed" ? "" : row(words.text("flow.breaker"), words.named("breaker", health.breaker))}
      ${wait === null || health.connected ? "" : row(words.text("flow.next_attempt"), wait < 1 ? words.text("flow.at_once") : words.text("flow.in", { duration: words.duration(wait) }))}`)}
  </section>`;
};

/** @type {Draw<Loaded>} */
const registries = (words, { config_entry_id: entry, data_api: api }) => api
  ? html`<div class="registries ${api.connected === false ? "error" : ""}">
      <ha-icon .icon=${"mdi:format-list-bulleted"}></ha-icon>
      <span>${page("registries", entry, words.text("flow.registries"))} → <bdi>${api.title}</bdi></span>
      <span>${api.connected === false ? html`<span class="bad">${words.named("problem", api.problem)}</span>` : words.named("status", api.connected ? "ok" : "starting")}</span>
      <span>${words.text("flow.rows_sent")} <b>${words.number(api.rows_sent)}</b></span>
      <span>${words.text("flow.rows_pending")} <b>${words.number(api.rows_pending)}</b></span>
      <span>${words.text("flow.rows_rejected")} <b>${words.number(api.rows_rejected)}</b></span>
      <span>${words.text("flow.last_sync")} <b>${api.last_sync ? words.moment(api.last_sync) : "–"}</b></span>
    </div>`
  : "";
