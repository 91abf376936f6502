/** What the integration answers, as in `health/websocket/report.py`, `health/parts.py` and their neighbours. */

/** A moment as ISO 8601. */
type Moment = string;
type Counts = Readonly<Record<string, number>>;

interface Ledger {
  readonly received: number;
  readonly captured: number;
  readonly written: number;
  readonly quarantined: number;
  readonly evicted: number;
  readonly deduplicated: number;
  readonly waiting: number;
  readonly recovered: number;
  readonly filtered: Counts;
  readonly lost: Counts;
}

interface StatusChange {
  readonly time: Moment;
  readonly status: string;
  readonly problem: string;
  readonly detail: string;
}

interface Recovery {
  readonly status: "idle" | "waiting" | "reading";
  readonly position: Moment | null;
  readonly until: Moment | null;
  readonly unfillable: number;
}

interface Health {
  readonly status: "starting" | "ok" | "retrying" | "blocked" | "paused";
  readonly condition: string;
  readonly concern: string;
  readonly detail: string;
  readonly connected: boolean | null;
  readonly next_retry: Moment | null;
  readonly last_write: Moment | null;
  readonly write_latency: number | null;
  readonly breaker: string;
  readonly ledger: Ledger | null;
  readonly pending: number | null;
  readonly waiting: number;
  readonly oldest_age: number | null;
  readonly spool_bytes: number;
  readonly spool_limit: number;
  readonly spool_error: string;
  readonly history: readonly StatusChange[];
  readonly rejection: { readonly entity_id: string | null; readonly reason: string; readonly line: string } | null;
  readonly recovery: Recovery;
  readonly backfill?: Backfill;
  readonly performance: {
    readonly received_per_minute: number | null;
    /** Of this home alone. */
    readonly received_here_per_minute: number | null;
    readonly captured_per_minute: number | null;
    readonly written_per_minute: number | null;
    readonly last_received: Moment | null;
    readonly last_success: Moment | null;
  };
}

interface DataApi {
  readonly title: string;
  readonly connected: boolean | null;
  readonly problem: string;
  readonly detail: string;
  readonly last_sync: Moment | null;
  readonly next_retry: Moment | null;
  readonly rows_sent: number;
  readonly rows_unchanged: number;
  readonly rows_pending: number;
  readonly rows_rejected: number;
  readonly rows_stored: Counts;
  readonly rejections: readonly { readonly table: string; readonly key: string; readonly reason: string }[];
  readonly rows_stale: number;
  readonly stale: readonly string[];
}

interface Remote {
  readonly title: string;
  readonly connected: boolean | null;
  readonly problem: string;
  readonly detail: string;
  readonly last_connected: Moment | null;
  readonly reconnect_seconds: number | null;
  readonly next_retry: Moment | null;
  readonly is_given_up: boolean;
  readonly is_waiting_for_start: boolean;
  readonly version: string;
  readonly clock_ahead: number;
  readonly entities: number;
  readonly events: number;
  readonly events_per_minute: number | null;
}

interface Mqtt {
  readonly title: string;
  readonly is_set_up: boolean;
  readonly connected: boolean | null;
  readonly messages_per_minute: number;
  readonly points: number;
  readonly filtered: Counts;
  readonly last_message: Moment | null;
}

interface Store {
  readonly synced_at: Moment | null;
  readonly error: string;
  readonly aside: string;
  readonly rows: Counts;
  readonly changes: Counts;
}

/** History that a user asked for. */
interface Backfill {
  readonly status: string;
  readonly position: Moment | null;
  readonly rows: number;
  readonly total: number;
}

/** A time in which the database accepted nothing; what there is of its end is null until then. */
interface Outage {
  readonly since: Moment;
  readonly until: Moment | null;
  readonly status: string;
  readonly problem: string;
  readonly detail: string;
  readonly points: number | null;
  readonly delivered: Moment | null;
  readonly not_written: number;
}

interface Destination {
  readonly config_entry_id: string;
  readonly title: string;
  readonly state: string;
  readonly health: Health | null;
  /** What the database is, such as "InfluxDB 2.7.12". */
  readonly product: string;
  /** How many points are in quarantine now; null while that is not known. */
  readonly quarantined: number | null;
  readonly outages: readonly Outage[];
  readonly data_api: DataApi | null;
  readonly remotes: readonly Remote[];
  readonly mqtt: readonly Mqtt[];
}

type Loaded = Destination & { readonly health: Health };

/** The samples of the last hour, by what was counted. */
interface Columns {
  readonly time: readonly number[];
  readonly received: readonly number[];
  readonly written: readonly number[];
  readonly backlog: readonly number[];
  readonly spool_bytes: readonly number[];
}

interface Rules {
  readonly heartbeat?: number;
  readonly throttle?: number;
  readonly deadband?: number;
}

/** An entity, with what there is to say of it. */
interface EntityRow {
  readonly entity_id: string;
  readonly recorded: boolean;
  readonly rule?: readonly ["include" | "exclude", string, string];
  readonly integration?: string;
  readonly rules?: Rules;
  readonly stateless?: boolean;
  readonly disabled?: boolean;
  readonly secret?: boolean;
  readonly points?: number;
  readonly bytes?: number;
  readonly series?: number;
  readonly last_time?: number;
  readonly last_state?: string | null;
}

interface EntitiesAnswer {
  readonly hours: number;
  readonly numbers_only: boolean;
  readonly series_max: number;
  readonly entities: readonly EntityRow[];
}

interface FilterPreview {
  readonly total: number;
  readonly captured: number;
  readonly points_per_hour: number | null;
  readonly points_per_hour_now: number | null;
  readonly measured_hours: number;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

interface ChangePreview {
  readonly filter: FilterPreview;
  readonly rules: readonly (Rules & { readonly entities: number })[];
  readonly is_changed: boolean;
}

/** A point that is captured; `time` in seconds since 1970. */
interface LivePoint {
  readonly line: string;
  readonly entity_id: string | null;
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
  readonly time: number;
}

interface QuarantinedPoint {
  readonly time: Moment;
  readonly reason: string;
  readonly line: string;
}
