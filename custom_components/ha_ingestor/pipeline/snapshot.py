"""The health of a destination at one moment."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from .export.breaker import BreakerChange, BreakerState
from .export.export_state import ExportState, StatusChange
from .performance import Performance
from .spool.quarantine.records import RejectedPoint

# `waiting` is for the recorder, or for room in the spool.
type RecoveryStatus = Literal["idle", "waiting", "reading"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What the recovery of gaps is doing: how far it is, and where the gap ends.

    `unfillable` are the entities whose changes in the last gap nobody has.
    """

    status: RecoveryStatus = "idle"
    position: datetime | None = None
    until: datetime | None = None
    unfillable: int = 0


type BackfillStatus = Literal["none", "running", "waiting", "paused", "done", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """What became of the history that a user asked for last, and how far it is.

    `content` is what is being written of it: `states` or `statistics`, None when nothing is left.
    """

    status: BackfillStatus = "none"
    content: str | None = None
    after: datetime | None = None
    until: datetime | None = None
    position: datetime | None = None
    rows: int = 0
    total: int = 0
    points: int = 0

    @property
    def percent(self) -> float | None:
        """How much of it is read; None if there never was one."""
        if self.status == "none":
            return None
        # Rows may have come or gone since they were counted.
        is_done = self.status == "done" or not self.total
        return 100.0 if is_done else min(round(100 * self.rows / self.total, 1), 99.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The health of a pipeline at one moment, copied from its parts.

    Until the spool `is_open`, what an earlier process counted is not known. `waiting` points are in
    memory only. `unbalanced` says which equation of the ledger fails, which must never be.
    `oldest_age` is how long the oldest point waits, in seconds; None when none does. `unanswered`
    is for how long the request in flight has no answer. `points_per_minute` were written in the
    last five minutes.
    """

    is_open: bool
    ledger: dict[str, Any]
    pending: int
    waiting: int
    unbalanced: str
    spool_bytes: int
    spool_error: str
    is_spool_defect: bool = False
    export: ExportState
    breaker: BreakerState
    history: tuple[StatusChange, ...]
    rejection: RejectedPoint | None
    spool_limit: int
    oldest_age: float | None
    # What changes with each look is no news by itself.
    performance: Performance = field(compare=False)
    unanswered: float | None = None
    points_per_minute: float | None = None
    breaker_changes: tuple[BreakerChange, ...] = ()
    # Their positions change all day while there is much to do.
    recovery: Recovery = field(default=Recovery(), compare=False)
    backfill: Backfill = field(default=Backfill(), compare=False)

    @property
    def backlog(self) -> int:
        """Points that are not in the database yet."""
        return self.pending + self.waiting

    @property
    def condition(self) -> tuple[object, ...]:
        """Everything but the counters that change all day."""
        ledger = self.ledger
        return (
            replace(self.export, last_write=None, write_latency=None),
            *(self.is_open, self.breaker, self.spool_error, self.unbalanced),
            *(self.history, self.rejection),
            *(ledger["quarantined"], ledger["evicted_for"], ledger["lost"]),
            *(self.recovery.status, self.backfill.status),
        )
