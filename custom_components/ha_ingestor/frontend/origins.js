/** What there is to say of each kind of source, in one shape. */

/**
 * @param {Backfill} [backfill]
 * @returns {backfill is Backfill}
 */
export const isOpen = (backfill) => ["running", "waiting", "paused"].includes(backfill?.status ?? "");

// A difference of clocks below this is that of the network.
const CLOCK_SECONDS = 2;
// Each further try with a refused token counts towards a ban.
const REFUSED = "invalid_auth";

/**
 * The sources of a destination: kind, title, whether it is connected, its problem, and facts.
 * @type {Draw<Destination, Origin[]>}
 */
export const origins = (words, { health, remotes, mqtt }) => [
  local(words, health),
  ...remotes.map((each) => remote(words, each)),
  ...mqtt.map((each) => broker(words, each)),
];

/** @type {Draw<Health | null, Origin>} */
const local = (words, health) => ({
  kind: "local",
  title: words.text("origin.local"),
  connected: health ? true : null,
  // Half of the spool is for live events.
  note: health?.recovery?.status !== "waiting" ? "" : 2 * health.spool_bytes < health.spool_limit ? "waits_for_recorder" : "waits_for_room",
  facts: health
    ? [
        ["rate", words.perMinute(health.performance.received_here_per_minute)],
        ["last_event", words.moment(health.performance.last_received)],
        ...gap(words, health),
        ...history(words, health),
      ]
    : [],
});

/**
 * History that somebody asked for, until it is written.
 * @type {Draw<Health, Fact[]>}
 */
const history = (words, { backfill }) => {
  if (!isOpen(backfill)) return [];
  const share = backfill.total ? Math.min(backfill.rows / backfill.total, 1) : 0;
  return [
    ["backfill", `${words.named("backfill", backfill.status)} · ${words.percent(share)}`],
    ["written_to", words.moment(backfill.position)],
  ];
};

/**
 * What was missed while nothing ran, and is filled in out of the recorder.
 * @type {Draw<Health, Fact[]>}
 */
const gap = (words, { ledger, recovery }) => {
  /** @type {Fact[]} */
  const found = [];
  if (recovery && recovery.status !== "idle") {
    found.push(["recovery", words.named("recovery", recovery.status)]);
    found.push(["filled_to", words.moment(recovery.position)], ["gap_ends", words.moment(recovery.until)]);
  }
  if (ledger?.recovered) found.push(["recovered", words.number(ledger.recovered)]);
  if (recovery?.unfillable) found.push(["unfillable", words.number(recovery.unfillable)]);
  return found;
};

/** @type {Draw<Remote, Origin>} */
const remote = (words, it) => ({
  kind: "remote",
  title: it.title,
  connected: it.connected,
  problem: it.connected === false ? words.named("remote_problem", it.problem) : "",
  detail: it.connected ? "" : it.detail,
  note: it.problem === REFUSED ? "refused" : it.is_given_up ? "given_up" : it.is_waiting_for_start ? "waits_for_start" : "",
  facts: remoteFacts(words, it),
});

/** @type {Draw<Remote, Fact[]>} */
const remoteFacts = (words, it) => {
  /** @type {Fact[]} */
  const found = [
    ["rate", it.connected ? words.perMinute(it.events_per_minute) : "–"],
    ["events", words.number(it.events)],
    ["entities", words.number(it.entities)],
    [it.connected ? "last_connected" : "was_connected", words.moment(it.last_connected)],
  ];
  if (it.reconnect_seconds !== null) found.push(["interruption", words.duration(it.reconnect_seconds)]);
  if (!it.connected && it.next_retry) found.push(["next_retry", words.moment(it.next_retry)]);
  if (it.version) found.push(["version", it.version]);
  const ahead = Math.abs(it.clock_ahead);
  if (ahead >= CLOCK_SECONDS) found.push(["clock", words.duration(ahead)]);
  return found;
};

/** @type {Draw<Mqtt, Origin>} */
const broker = (words, it) => ({
  kind: "mqtt",
  title: it.title,
  connected: it.connected,
  note: it.is_set_up ? "" : "mqtt_not_set_up",
  facts: [
    ["messages", words.perMinute(it.messages_per_minute)],
    ["points", words.number(it.points)],
    ["left_out", words.number(Object.values(it.filtered).reduce((sum, each) => sum + each, 0))],
    ["last_message", words.moment(it.last_message)],
  ],
});
