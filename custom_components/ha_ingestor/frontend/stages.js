/** The way of the points, from left to right: sources, filter, spool, database. */

import { css, html } from "./lit.js";
import { origins } from "./origins.js";
import { ON_ITS_WAY, backlogOf, emptyIn, fullIn, isNearlyFull, sum } from "./samples.js";


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
  }
  .stage {
    flex: 1 1 0;
    min-width: 0;
  }
  .box,
  .branch,
  .registries {
    padding: 12px;
    border: 1px solid var(--level, var(--divider-color));
    border-radius: var(--ha-border-radius-lg);
  }
  .box {
    min-height: 168px;
    box-sizing: border-box;
    overflow: hidden;
    position: relative;
    box-shadow: inset 0 3px 0 var(--level, transparent);
  }
  .box,
  .box > div {
    display: grid;
    gap: 4px;
    align-content: start;
  }
  h3 {
    display: flex;
    align-items: center;
    gap: 8px;
  }
  h3 ha-icon {
    --mdc-icon-size: 20px;
    color: var(--secondary-text-color);
  }
  h3 a {
    color: inherit;
  }
  .big {
    font-size: var(--ha-font-size-2xl);
    line-height: 1.2;
    overflow-wrap: anywhere;
  }
  .row,
  .link,
  .branch,
  .registries {
    font-size: var(--ha-font-size-s);
    color: var(--secondary-text-color);
  }
  .row {
    display: flex;
    column-gap: 8px;
  }
  .box .row {
    /* A value that has no room beside its name goes below it; no word is cut for it. */
    flex-wrap: wrap;
  }
  .row > :first-child {
    min-width: 0;
    overflow-wrap: anywhere;
  }
  .row > :last-child,
  .link b,
  .registries b {
    color: var(--primary-text-color);
    /* A number with its unit, whatever the direction of the text around it. */
    unicode-bidi: plaintext;
  }
  .row > :last-child {
    margin-inline-start: auto;
    text-align: end;
  }
  .branch {
    --stem: 20px;
    margin: var(--stem) 8px 0;
    padding-block: 8px;
    border-style: dashed;
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
    height: 152px;
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
  .arrow {
    align-self: stretch;
    margin: 4px;
    height: 2px;
    background: var(--flow);
    position: relative;
  }
  .broken .arrow {
    background: repeating-linear-gradient(90deg, var(--flow) 0 6px, transparent 6px 12px);
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
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px 16px;
  }
  @container (max-width: 800px) {
    .stages {
      display: block;
    }
    .box {
      min-height: 0;
    }
    .link {
      height: auto;
      flex-direction: row;
      gap: 12px;
      padding: 6px 24px;
      justify-content: flex-start;
    }
    .arrow {
      flex: 0 0 28px;
      align-self: auto;
      margin: 16px -8px;
      order: -1;
      rotate: 90deg;
    }
    .arrow:dir(rtl) {
      rotate: -90deg;
    }
    .branch {
      --stem: 12px;
    }
  }
  @container (min-width: 420px) and (max-width: 800px) {
    .box {
      grid-template-columns: 2fr 3fr;
    }
  }
`;

/** @type {Draw<Loaded, Template, [Sample[], number]>} */
export const stages = (words, destination, samples, now) => {
  const say = words.group("flow");
  const { connected, performance } = destination.health;
  /** @param {"received" | "captured" | "written"} what */
  const rate = (what) => {
    const value = performance[`${what}_per_minute`];
    return link(words.perMinute(value), say(what), value ? "" : "idle");
  };
  return html`<div class="stages">
      ${sources(words, say, destination)} ${rate("received")}
      ${filter(words, say, destination)} ${rate("captured")}
      ${spool(words, say, destination, samples, now)}
      ${connected === false ? link(say("interrupted"), "\u00a0", "broken") : rate("written")}
      ${database(words, say, destination)}
    </div>
    ${registries(words, say, destination)}`;
};

/** @param {Stage} stage */
const drawn = ({ level = "", icon, title, count, what, rows, branch = "" }) => html`<section class="stage">
  <div class="box ${level}">
    <div>
      <h3><ha-icon .icon=${icon}></ha-icon>${title}</h3>
      <div class="big">${count}</div>
      <div class="secondary">${what}</div>
    </div>
    <div>${rows}</div>
  </div>
  ${branch}
</section>`;

/** @param {Content} name @param {Content} value */
const row = (name, value) => html`<div class="row"><span>${name}</span><span>${value}</span></div>`;

/** @param {Content} value */
const bad = (value) => html`<span class="bad">${value}</span>`;

/** @param {string} name @param {string} entry @param {string} title */
const page = (name, entry, title, more = "") =>
  html`<a href="/ha-ingestor/${name}?entry=${entry}${more}">${title}</a>`;

/** @param {string} rate @param {string} what @param {string} kind */
const link = (rate, what, kind) => html`<div class="link ${kind}">
  <span><b>${rate}</b></span>
  <div class="arrow"></div>
  <span class="secondary">${what}</span>
</div>`;

/** @type {Part} */
const sources = (words, say, destination) => {
  const { config_entry_id: entry, health } = destination;
  const found = origins(words, destination);
  const { recovery } = health;
  /** @param {Origin} origin */
  const state = ({ connected, facts }) => {
    if (connected) return facts[0][1];
    const said = say("not_connected");
    return connected === false ? bad(said) : said;
  };
  return drawn({
    level: found.some((each) => each.connected === false) ? "warning" : "",
    icon: "mdi:home-outline",
    title: page("sources", entry, say("sources")),
    count: words.number(health.ledger?.received),
    what: say("events_received"),
    rows: html`${row(say("last_event"), words.moment(health.performance.last_received))}
      ${recovery && recovery.status !== "idle" ? row(words.text("origin.filled_to"), words.moment(recovery.position)) : ""}
      ${(found[1] ? found : []).map((each) => row(html`<bdi>${each.title}</bdi>`, state(each)))}`,
  });
};

/** @type {Part} */
const filter = (words, say, { config_entry_id: entry, health: { ledger } }) => {
  const left = { ...ledger?.filtered, deduplicated: ledger?.deduplicated ?? 0 };
  const reasons = Object.entries(left)
    .filter(([, count]) => count)
    .sort(([, one], [, other]) => other - one);
  return drawn({
    icon: "mdi:filter-outline",
    title: page("entities", entry, say("filter")),
    count: words.number(ledger?.captured),
    what: say("points_captured"),
    rows: row(say("share"), ledger?.received ? words.percent(ledger.captured / ledger.received) : "–"),
    branch: ledger && html`<div class="branch">
      <div class="row"><b>${say("left_out")}</b><b>${words.number(sum(left))}</b></div>
      ${reasons.map(([reason, count]) => {
        const name = words.word("reason", reason);
        // The only reason that is one of whole entities.
        return row(reason === "excluded" ? page("entities", entry, name, "&shown=left_out") : name, words.number(count));
      })}
    </div>`,
  });
};

/** @type {Part<[Sample[], number]>} */
const spool = (words, say, { config_entry_id: entry, health, quarantined }, samples, now) => {
  const { ledger, spool_bytes: bytes, spool_limit: limit, spool_error: error } = health;
  const backlog = backlogOf(health);
  const share = Math.min(bytes / limit, 1);
  const empty = backlog > ON_ITS_WAY && emptyIn(samples, backlog, now);
  const full = backlog > ON_ITS_WAY && fullIn(samples, health, now);
  const gone = { evicted: ledger?.evicted ?? 0, lost: sum(ledger?.lost ?? {}) };
  return drawn({
    level: error || share >= 1 ? "error" : isNearlyFull(health) ? "warning" : "",
    icon: "mdi:database-clock-outline",
    title: say("spool"),
    count: words.number(backlog),
    what: say("points_wait"),
    rows: html`<div class="tank" style="height: ${(share * 100).toFixed(1)}%"></div>
      ${row(say("oldest"), words.duration(health.oldest_age))}
      ${row(say("in_memory"), words.number(health.waiting))}
      <div role="meter" aria-label=${say("disk")} aria-valuemin="0" aria-valuemax="100"
        aria-valuenow=${Math.round(share * 100)}>
        ${row(say("disk"), say("of", { value: words.bytes(bytes), limit: words.bytes(limit) }))}
      </div>
      ${empty ? row(say("empty_in"), words.duration(empty)) : ""}
      ${full ? row(say("full_in"), words.duration(full)) : ""}
      ${error ? bad(error) : ""}`,
    branch: ledger && html`<div class="branch ${quarantined ? "warning" : ""}">
      <div class="row">${page("problems", entry, words.text("problems.quarantine"))}<b>${words.number(quarantined)}</b></div>
      ${ledger.quarantined ? row(say("quarantine"), words.number(ledger.quarantined)) : ""}
      ${Object.entries(gone).map(([name, count]) => (count ? row(say(name), bad(words.number(count))) : ""))}
    </div>`,
  });
};

/** @type {Part} */
const database = (words, say, { health, product }) => {
  const isAway = health.connected === false;
  const isWell = health.concern === "none";
  return drawn({
    level: isAway ? "error" : isWell ? "" : "warning",
    icon: isAway ? "mdi:database-alert-outline" : "mdi:database-outline",
    title: product,
    count: words.number(health.ledger?.written),
    what: say("points_written"),
    rows: html`${row(say("status"), words.named("status", health.condition))}
      ${isWell ? "" : row(say("problem"), bad(words.named("problem", health.concern)))}
      ${row(say("last_write"), words.moment(health.last_write))}
      ${row(say("latency"), words.seconds(health.write_latency))}
      ${health.breaker === "closed" ? "" : row(say("breaker"), words.named("breaker", health.breaker))}
      ${health.connected || !health.next_retry ? "" : row(say("next_attempt"), words.moment(health.next_retry))}`,
  });
};

/** @type {Part} */
const registries = (words, say, { config_entry_id: entry, data_api: api }) => {
  if (!api) return "";
  const told = {
    rows_sent: words.number(api.rows_sent),
    rows_pending: words.number(api.rows_pending),
    rows_rejected: words.number(api.rows_rejected),
    last_sync: words.moment(api.last_sync),
  };
  const isAway = api.connected === false;
  return html`<div class="registries ${isAway ? "error" : ""}">
    <ha-icon .icon=${"mdi:format-list-bulleted"}></ha-icon>
    ${page("registries", entry, say("registries"))}
    <bdi>${api.title}</bdi>
    ${isAway ? bad(words.named("problem", api.problem)) : html`<span>${words.named("status", api.connected ? "ok" : "starting")}</span>`}
    ${Object.entries(told).map(([name, value]) => html`<span>${say(name)} <b>${value}</b></span>`)}
  </div>`;
};
