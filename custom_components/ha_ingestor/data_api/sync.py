"""Keeps a data-api equal to the newest snapshot of the home, and retries failures."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Final

from ..clients.data_api.problem import NOT_A_DATA_API
from ..pipeline.export.attempts import BLOCKED_RETRY, Attempts, wait_for
from ..pipeline.export.breaker import BreakerState
from ..pipeline.export.result import Kind, Problem, Result
from ..registry.model import Home
from .requests import SLOW_SECONDS
from .rows import Rows, Table, rows_of
from .schedule import SendSchedule
from .transfer import ACCEPTED, Transfer

_LOGGER = logging.getLogger(__name__)

# Somebody else at the address may be what a proxy shows while the server restarts.
WRONG_SERVICE_RETRY: Final = 60.0
_WRONG_SERVICE: Final = frozenset({NOT_A_DATA_API, Problem.REDIRECT})
# What was refused is tried again after a minute, and later and later up to an hour.
REFUSED_RETRY: Final = 60.0
REFUSED_RETRY_MAX: Final = 3600.0
# Enough to see what kind of rows they are.
SHOWN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row that the server does not take, and why."""

    table: Table
    key: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncState:
    """The state of the sync. Counts of rows are since the start, moments in UTC.

    `rows_stored` is how many rows of each table the server has taken. `rows_unchanged` were left
    alone at the last sync. `stale` are removed or renamed rows that the server still has. Of
    the long lists only the beginning is here, the counts are whole.
    `attempts` is how many ended in trouble, one after the other.
    """

    connected: bool | None = None
    problem: Problem = Problem.NONE
    detail: str = ""
    attempts: int = 0
    breaker: BreakerState = BreakerState.CLOSED
    next_retry: datetime | None = None
    last_sync: datetime | None = None
    rows_sent: int = 0
    rows_stored: Mapping[str, int] = field(default_factory=dict)
    rows_unchanged: int = 0
    rows_pending: int = 0
    rows_rejected: int = 0
    rejections: tuple[RejectedRow, ...] = ()
    rows_stale: int = 0
    stale: tuple[str, ...] = ()
    entities_renamed: int = 0


@dataclass(slots=True, kw_only=True)
class Sync:
    """One loop: send the differences between the newest snapshot and the server.

    `complete` adds to a snapshot what is not in the registries, each time that it is sent.
    """

    transfer: Transfer
    complete: Callable[[Home], Awaitable[Home]]
    schedule: SendSchedule
    clock: Callable[[], float]
    jitter: Callable[[], float]
    on_change: Callable[[], None]
    # Where it takes no time of the event loop.
    run: Callable[[Callable[[Home], Rows], Home], Awaitable[Rows]] = asyncio.to_thread
    # Not sent at all while there is none.
    _newest: Home | None = None
    _attempts: Attempts = field(init=False)
    _verdict: Result = ACCEPTED
    _connected: bool | None = None
    _is_answer_slow: bool = False
    _next_retry: datetime | None = None
    _last_sync: datetime | None = None
    # A full sync continues after an interruption, unless it is asked for again or takes too long.
    _wants_full: bool = False
    _in_full: bool = False
    _full_began: float = 0.0
    _refused_tries: int = 0
    _entity_ids: dict[str, str] = field(default_factory=dict)
    _renamed: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Subscribe to slow answers of the server."""
        self.transfer.requests.on_slow_answer = self._on_slow_answer
        self._attempts = Attempts(jitter=self.jitter)

    @property
    def state(self) -> SyncState:
        """The present state."""
        known = self.transfer.known
        rejections = [
            RejectedRow(table=table, key=key, reason=reason)
            for table in Table
            for key, reason in known[table].refused.items()
        ]
        stale = [key for table in Table for key in sorted(known[table].stale)]
        return SyncState(
            connected=False if self._is_answer_slow else self._connected,
            problem=Problem.TIMEOUT if self._is_answer_slow else self._verdict.problem,
            detail=f"No answer for {SLOW_SECONDS:.0f} s"
            if self._is_answer_slow
            else self._verdict.detail,
            attempts=self._attempts.failed,
            breaker=self._attempts.breaker.state,
            next_retry=self._next_retry,
            last_sync=self._last_sync,
            rows_sent=self.transfer.sent,
            rows_stored={str(table): known[table].count for table in Table},
            rows_unchanged=self.transfer.unchanged,
            rows_pending=self.transfer.pending,
            rows_rejected=len(rejections),
            rejections=tuple(rejections[:SHOWN]),
            rows_stale=len(stale),
            stale=tuple(stale[:SHOWN]),
            entities_renamed=self._renamed,
        )

    def push(self, home: Home) -> None:
        """Set the newest snapshot, which replaces all earlier ones."""
        self._newest = home
        self.changed()

    def changed(self) -> None:
        """Send the differences of the newest snapshot, with its descriptions of actions."""
        self.schedule = self.schedule.changed(self.clock())
        self._wake.set()

    def resync(self) -> None:
        """Send everything again, at once."""
        self.schedule = self.schedule.full(self.clock())
        self._wake.set()

    async def run_forever(self) -> None:
        """Sync whenever it is due."""
        while True:
            newest = await self._until_due()
            was_full = False
            try:
                verdict = await self._send(newest)
                was_full = verdict.kind is Kind.ACCEPTED and self._in_full
            except Exception as err:
                # Whatever integrations left in a registry must not end the sync for good.
                detail = type(err).__name__
                if detail != self._verdict.detail:
                    _LOGGER.exception("The registries cannot be sent; retrying")
                verdict = Result(kind=Kind.KEPT, problem=Problem.REJECTED, detail=detail)
            self._conclude(verdict)
            self.on_change()
            if was_full:
                await self.transfer.find_stale()
                self.on_change()

    async def _until_due(self) -> Home:
        while self._newest is None or (seconds := self.schedule.due - self.clock()) > 0:
            self._wake.clear()
            await wait_for(self._wake, inf if self._newest is None else seconds)
        return self._newest

    async def _send(self, home: Home) -> Result:
        now = self.clock()
        # Meanwhile the server may have lost what it took.
        is_long = self._in_full and now - self._full_began >= self.schedule.refresh
        if self.schedule.is_full(now) or is_long:
            self._wants_full, self._in_full = True, False
        is_again = self.schedule.is_again(now)
        self._refused_tries += is_again
        if is_again or self._attempts.failed:
            # After a failure another server may answer at the address.
            self.transfer.retry_refused()
        self.schedule = self.schedule.begun(now)
        if self._attempts.breaker.state is not BreakerState.CLOSED:
            self._attempts.begin()
            if (verdict := await self.transfer.probe()).kind is not Kind.ACCEPTED:
                return verdict
            # It is not known what happened to the rows meanwhile.
            self._wants_full = True
        home = await self.complete(home)
        rows = await self.run(rows_of, home)
        self._note_renames(home)
        if self._wants_full and not self._in_full:
            self._in_full, self._full_began = True, now
            self.transfer.forget()
        return await self.transfer.sync(rows)

    def _conclude(self, verdict: Result) -> None:
        self._verdict = verdict
        now = self.clock()
        if verdict.kind is Kind.ACCEPTED:
            self._attempts.succeeded()
            self._wants_full = self._in_full = False
            self._last_sync, self._next_retry = datetime.now(UTC), None
            self.schedule = self.schedule.succeeded(now)
            self._retry_refused_later(now)
            self._connected = True
            return
        if verdict.kind is Kind.BLOCKED:
            is_else = verdict.problem in _WRONG_SERVICE
            wait = self._attempts.blocked(WRONG_SERVICE_RETRY if is_else else BLOCKED_RETRY)
        else:
            is_there = verdict.problem is Problem.BUSY and verdict.retry_after > 0
            wait = self._attempts.kept(verdict, is_there=is_there)
        if self._attempts.breaker.state is not BreakerState.CLOSED:
            self._connected = False
        self._next_retry = datetime.now(UTC) + timedelta(seconds=wait)
        self.schedule = self.schedule.failed(now, wait)

    def _retry_refused_later(self, now: float) -> None:
        if not self.transfer.refused:
            self._refused_tries = 0
            return
        # The exponent is bounded as a float is.
        wait = min(REFUSED_RETRY_MAX, REFUSED_RETRY * 2.0 ** min(self._refused_tries, 16))
        self.schedule = self.schedule.again(now, wait)

    def _on_slow_answer(self, is_slow: bool) -> None:  # noqa: FBT001
        if is_slow != self._is_answer_slow:
            self._is_answer_slow = is_slow
            self.on_change()

    def _note_renames(self, home: Home) -> None:
        ids = {entity.registry_id: entity.entity_id for entity in home.entities}
        self._renamed += sum(
            before != ids.get(registry_id, before)
            for registry_id, before in self._entity_ids.items()
        )
        self._entity_ids = ids
