/** What the modules of the panel hand to each other, and what its elements hold. */

type Words = import("../../../custom_components/ha_ingestor/frontend/words.js").Words;

/** Makes something that is shown. */
type Draw<Of, Result = Content, More extends unknown[] = []> = (words: Words, of: Of, ...more: More) => Result;

/** Gives the texts of a group. */
type Say = (key: string, values?: Record<string, unknown>) => string;

/** Draws a part of the way of the points. */
type Part<More extends unknown[] = []> = (words: Words, say: Say, of: Loaded, ...more: More) => Content;

type Button = (label: string, act: () => unknown, isDisabled?: boolean, variant?: string, appearance?: string) => Template;

/** A number that need not be there. */
type Amount = number | null | undefined;

/** A unit, with how many of the smallest one it is. */
type Step = [size: number, unit: string];

/** A term of an equation of the ledger. */
type Term = [name: string, count: number];

/** The counts of one moment, in seconds since 1970. */
interface Sample {
  readonly time: number;
  readonly received: number;
  readonly written: number;
  readonly backlog: number;
  readonly bytes: number;
}

/** Seconds since 1970, and a value. */
type Dot = [number, number];

/** One of the counts at each sample, or what follows from it. */
type Series = (samples: Sample[], name: keyof Sample) => Dot[];

/** In how many seconds something happens, if it goes on as in the last samples. */
type Foretell<Of> = (samples: Sample[], of: Of, now: number) => number | null;

type Describe = (destination: Destination, samples: Sample[], now: number) => Situation;

type KeepSubscribed = (
  connection: Connection,
  message: object,
  show: (event: any) => void,
  problem: (error: Refusal) => void,
) => () => void;

/** What is going on with a destination. */
interface Situation {
  readonly level: "good" | "info" | "warning" | "error";
  readonly key: string;
  readonly points: number;
  readonly problem: string;
  readonly duration: number;
  readonly advice: string;
  /** Whether points are given up soon, or are already. */
  readonly isFilling: boolean;
  /** Whether the disk takes no points, so that a restart would lose those that wait. */
  readonly isInMemory: boolean;
}

type Fact = [name: string, value: string];

/** What there is to say of a source. */
interface Origin {
  readonly kind: "local" | "remote" | "mqtt";
  readonly title: string;
  readonly connected: boolean | null;
  readonly problem?: string;
  readonly detail?: string;
  readonly note?: string;
  readonly facts: Fact[];
}

/** A part of the way of the points, as it is drawn. */
interface Stage {
  readonly level?: string;
  readonly icon: string;
  readonly title: Content;
  readonly count: string;
  readonly what: string;
  readonly rows: Content;
  readonly branch?: Content;
}

type ChangeKind = "include" | "exclude" | "rules";

/** A row of the table of entities. */
interface TableRow extends Omit<EntityRow, "rules" | "points" | "bytes"> {
  readonly id: string;
  readonly name: string;
  readonly domain: string;
  readonly area: string;
  readonly is_recorded: string;
  readonly why: string;
  readonly rules: string;
  readonly points: number;
  readonly bytes: number;
  readonly series_max: number;
  readonly is_measured: boolean;
}

/** A column of Home Assistant's table. */
interface Column {
  title?: string;
  main?: boolean;
  sortable?: boolean;
  filterable?: boolean;
  groupable?: boolean;
  hidden?: boolean;
  flex?: number;
  minWidth?: string;
  direction?: "asc" | "desc";
  type?: "numeric";
  template?: (row: TableRow) => Content;
}

interface PanelMembers {
  hass: Hass;
  narrow: boolean;
  route?: { readonly path: string };
  panel: { readonly config: { readonly modules: string } };
  _destinations?: Destination[];
  _store?: Store | null;
  _hours: Map<string, Sample[]>;
  _problem?: Refusal;
  _since?: number;
  _unread?: string;
  _shown?: HTMLElement;
  _named?: string | null;
  _words: Words;
  _end?: () => void;
}

/** What all pages have. */
interface PageMembers {
  hass: Hass;
  words: Words;
  destination: Destination;
  _isBusy?: boolean;
  _entity(): string;
  _tell(name: string, detail?: unknown, isForAll?: boolean): void;
  _act(action: string, entry?: string): Promise<boolean>;
}

interface PageClass {
  new <Members = object>(): LitMembers & PageMembers & Members;
}

interface FlowMembers extends PageMembers {
  destinations: Destination[];
  hours: Map<string, Sample[]>;
}

interface EntitiesMembers extends PageMembers {
  narrow: boolean;
  entryId: string;
  state: string;
  _answer?: EntitiesAnswer;
  _error?: Refusal;
  _shown: string;
  _group: string;
  _open?: string;
  _selected: string[];
  _change?: { readonly kind: ChangeKind; readonly entityIds: string[] };
  _columns: Record<string, Column>;
  _rows: TableRow[];
}

interface EntityMembers extends PageMembers {
  row: EntityRow;
  entryId: string;
  numbersOnly: boolean;
  seriesMax: number;
}

interface ChangeMembers extends PageMembers {
  entryId: string;
  entityIds: string[];
  kind: ChangeKind;
  rules: Rules;
  _values?: Record<string, number>;
  _preview?: ChangePreview;
  _error?: string;
  _asked?: number;
  _timer?: ReturnType<typeof setTimeout>;
}

interface PointsMembers {
  connection: Connection;
  words: Words;
  entryId: string;
  route?: object;
  _points: LivePoint[];
  _leftOut: number;
  _isPaused?: boolean;
  _error?: Refusal;
  _open?: LivePoint;
  _wanted: string;
  _timer?: ReturnType<typeof setTimeout>;
  _step?: ReturnType<typeof setTimeout>;
  _end?: () => void;
}

interface RegistriesMembers extends PageMembers {
  store?: Store | null;
}

interface SourcesMembers extends PageMembers {
  _isAsking?: boolean;
}

interface ProblemsMembers extends PageMembers {
  _records?: QuarantinedPoint[];
  _result?: { readonly level: string; readonly text: string };
  _tested?: { readonly isRunning?: boolean; readonly verdict?: string; readonly message?: string };
  _isPurging?: boolean;
  _leavingOut?: string;
}
