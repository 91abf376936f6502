"""Delivers the buffer's batches in order: one request at a time, nothing passed over."""

import asyncio
import logging
import math
import time
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Literal, Protocol

from ..spool.buffer import Buffer
from ..spool.quarantine import Quarantine
from .backoff import backoff
from .breaker import Breaker, BreakerState
from .expiry import Expiry, ExpirySearch, time_of
from .export_state import ExportState, Progress, Status, Turn
from .isolation import PROBE_POINTS, Isolation, StormBrake
from .request import BATCH_BYTES, Request, compose
from .result import Cause, Kind, Problem, Result
from .settlement import Settlement

_LOGGER = logging.getLogger(__name__)

# A request costs as much as fifty points, so a steady trickle is gathered; a point that comes alone
# does not wait, and a full batch neither.
GATHER_SECONDS: Final = 5.0
GATHER_POINTS: Final = 500
# Nobody but the user can end a wrong token or a missing bucket: look again now and then.
BLOCKED_RETRY: Final = 300.0
# Half of what a write may take: a batch that is answered this late is nearly too large.
SLOW_SECONDS: Final = 30.0
# A proxy with a body limit may cut the connection instead of saying so.
LARGE_BODY: Final = 64 * 1024
# No line of ours comes near any limit, so a single one that is too large is first an accident.
TOO_LARGE_ATTEMPTS: Final = 3
# Ten failures at the same points, and each of them a backoff apart, are no passing trouble.
STUCK_ATTEMPTS: Final = 10
# A bad sector may take the disk seconds to fail at.
LOOK_SECONDS: Final = 60.0


class Writer(Protocol):
    """The way to one database. Never raises for what network or server do."""

    async def write(self, body: bytes, *, gzipped: bool = False) -> Result: ...

    async def check(self) -> Result: ...

    async def retention(self) -> float | None: ...


class Run(Protocol):
    """Run a function in the spool's thread."""

    def __call__[**P, T](
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T]: ...


@dataclass(slots=True, kw_only=True)
class Exporter:
    """Takes batches from the buffer until none is left, and settles each by its result."""

    buffer: Buffer
    quarantine: Quarantine
    writer: Writer
    run: Run
    jitter: Callable[[], float]
    on_change: Callable[[], None]
    gather_seconds: float = GATHER_SECONDS
    gzip: bool = True
    expired: Literal["quarantine", "evict"] = "quarantine"
    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    _expiry: Expiry = field(init=False)
    _settlement: Settlement = field(init=False)
    _progress: Progress = field(init=False)
    _breaker: Breaker = field(default_factory=Breaker)
    _isolation: Isolation = field(default_factory=Isolation)
    _brake: StormBrake = field(default_factory=StormBrake)
    _is_stuck: bool = False
    # Points were quarantined or evicted, and nobody was told yet.
    _has_set_aside: bool = False
    _last_error: str = ""
    _last_answer: tuple[Problem, int] = (Problem.NONE, 0)
    _in_a_row: int = 0
    _look_at: float = 0.0
    # What the database has, and the spool does not know of yet.
    _unsettled: Request | None = None
    _requested_at: float = -math.inf
    # How many points in the buffer are worth a wake-up.
    _wanted: float = math.inf
    _delivering: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _enough: asyncio.Event = field(default_factory=asyncio.Event)
    _retry_now: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Begin with nothing known."""
        self._progress = Progress(self.on_change)
        self._expiry = Expiry(clock=self.clock, wall_clock=self.wall_clock)
        self._settlement = Settlement(
            buffer=self.buffer,
            quarantine=self.quarantine,
            evicts_expired=self.expired == "evict",
        )

    @property
    def state(self) -> ExportState:
        """How delivery is going right now."""
        return self._progress.now

    @property
    def history(self) -> tuple[Turn, ...]:
        """How it went before."""
        return tuple(self._progress.history)

    @property
    def breaker(self) -> BreakerState:
        """Whether the database is spoken to."""
        return self._breaker.state

    def wants(self, points: int) -> bool:
        """Whether to `notify` that so many points are in the buffer. Any thread may ask."""
        return points >= self._wanted

    def notify(self) -> None:
        """There is something new in the buffer."""
        self._wake.set()
        if self.buffer.pending + self.buffer.held >= GATHER_POINTS:
            self._enough.set()

    def retry_now(self) -> None:
        """Stop waiting, for the next attempt or for more points."""
        self._retry_now.set()
        self._enough.set()

    def quarantine_all(self) -> None:
        """Put points aside although so many are refused, until the next one is accepted."""
        self._brake.released = True
        self.retry_now()

    async def stop(self, seconds: float) -> None:
        """Let the request in flight end, and send what is left as long as there is time.

        `export_forever` ends. A request that takes too long is cancelled, and so is that task by
        its owner.
        """
        self._stopping.set()
        self._wake.set()
        self.retry_now()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(seconds):
                async with self._delivering:
                    await self._deliver(is_last=True)

    async def export_forever(self) -> None:
        """Deliver whatever comes, waiting as each result demands."""
        await self._ask_retention()
        while not self._stopping.is_set():
            self._wake.clear()
            self._enough.clear()
            # Here, so that a try that is asked for during a request is not forgotten after it.
            self._retry_now.clear()
            try:
                delay = await self.drain()
                if self._stopping.is_set():
                    return
                if delay is None and self.state.status is not Status.OK:
                    delay = self._introduced(await self.writer.check())
            except OSError as err:
                detail = err.strerror or type(err).__name__
                delay = self._keep(Result(kind=Kind.KEPT, problem=Problem.DISK, detail=detail))
            except Exception as err:
                if self._is_new(err):
                    _LOGGER.exception("Export failed; retrying")
                detail = type(err).__name__
                delay = self._keep(
                    Result(kind=Kind.KEPT, problem=Problem.INTERNAL_ERROR, detail=detail)
                )
            if delay is None:
                await self._gather(self._requested_at + self.gather_seconds)
            else:
                await _within(delay, self._retry_now)

    async def _gather(self, until: float) -> None:
        """Wait for a point, and then for more of them until a moment of the monotonic clock."""
        # First said and then looked, so that none comes unseen in between.
        self._wanted = 1
        if not self.buffer.pending + self.buffer.held:
            await self._wake.wait()
        self._wanted = GATHER_POINTS
        if self.buffer.pending + self.buffer.held < GATHER_POINTS:
            await _within(until - time.monotonic(), self._enough)
        self._wanted = math.inf

    def _is_new(self, err: Exception) -> bool:
        """Whether the last error of ours was another one: the log shows each once."""
        known = self._last_error
        self._last_error = f"{type(err).__name__} {traceback.extract_tb(err.__traceback__)[-1]}"
        return self._last_error != known

    def _introduced(self, result: Result) -> float | None:
        """Know how things are before the next point comes, which may take a while."""
        match result.kind:
            case Kind.ACCEPTED:
                self._progress.well()
            case Kind.BLOCKED:
                return self._block(result)
            case Kind.KEPT:
                return self._keep(result)
        return None

    async def drain(self) -> float | None:
        """Deliver until the buffer is empty, or return the seconds to wait before going on."""
        try:
            async with self._delivering:
                return await self._deliver()
        finally:
            if self._has_set_aside:
                self._has_set_aside = False
                self.on_change()

    async def _deliver(self, *, is_last: bool = False) -> float | None:
        self._breaker.waited()
        await self._look_at_quarantine()
        while True:
            request = await self.run(self._compose)
            if request is None or (self._stopping.is_set() and not is_last):
                return None
            if not request.sent:
                self._unsettled = request
                continue
            started = self._requested_at = time.monotonic()
            result = await self.writer.write(request.body, gzipped=request.gzipped)
            delay = await self._settle(request, result, time.monotonic() - started)
            if delay is not None:
                return delay
            is_ok = self.state.status is Status.OK
            if self._expiry.is_due and is_ok and not self._stopping.is_set():
                await self._ask_retention()

    async def _look_at_quarantine(self) -> None:
        """See now and then whether a file that was bad still is."""
        if self.quarantine.trouble and self.clock() >= self._look_at:
            self._look_at = self.clock() + LOOK_SECONDS
            before = self.quarantine.trouble
            with suppress(OSError):
                await self.run(self.quarantine.look_again)
            if self.quarantine.trouble != before:
                self.on_change()

    async def _ask_retention(self) -> None:
        retention = None
        try:
            retention = await self.writer.retention()
        except Exception:
            _LOGGER.debug("The retention could not be read", exc_info=True)
        self._expiry.told(retention)

    def _compose(self) -> Request | None:
        """Settle what was stored and take what comes next, in one wake-up of the spool's thread."""
        if self._unsettled:
            self._settlement.accepted(self._unsettled)
            self._unsettled = None
        is_closed = self._breaker.state is BreakerState.CLOSED
        limit = self._isolation.limit
        max_points = limit if is_closed else min(limit, PROBE_POINTS)
        return compose(self.buffer, self._isolation, self._expiry, max_points, gzip=self.gzip)

    async def _settle(self, request: Request, result: Result, latency: float) -> float | None:
        batch, is_single = request.batch, request.sent == 1
        match result.kind:
            case Kind.ACCEPTED:
                self._unsettled = request
                self._isolation.settled(batch.payload)
                self._accepted(batch.count, latency)
            case Kind.EXPIRED:
                return await self._expire(request, result)
            case Kind.REJECTED if not is_single:
                self._isolation.refused(result.rejected_lines, request.payload, batch.count)
            case Kind.TOO_LARGE if not is_single:
                self._isolation.too_large(batch.count)
            case Kind.TOO_LARGE if self._repeated(result) < TOO_LARGE_ATTEMPTS:
                return self._keep(result)
            case Kind.REJECTED | Kind.TOO_LARGE:
                return await self._reject(request, result)
            case Kind.BLOCKED:
                return self._block(result)
            case Kind.KEPT:
                return await self._keep_batch(request, result)
        return None

    async def _expire(self, request: Request, result: Result) -> float | None:
        """Go on behind lines that are too old, which is nobody's mistake."""
        if request.sent > 1:
            return await self._find_expired(request)
        if await self._is_too_young(request.payload, result):
            return self._block(replace(result, problem=Problem.CLOCK_DIFFERS))
        moment = time_of(request.payload)
        if moment is not None and moment < self._expiry.now:
            self._expiry.refused(moment, result.detail)
        every = frozenset(range(request.batch.count))
        refused = replace(request, sent=0, aside=every, reason=result.detail)
        await self.run(self._settlement.accepted, refused)
        self._isolation.settled(request.batch.payload)
        self._taken(request.batch.count)
        return None

    async def _find_expired(self, request: Request) -> float | None:
        """Learn which lines are too old; what the reply says of the others is not relied on."""
        if self._expiry.is_due:
            await self._ask_retention()
            if self._expiry.limit():
                return None
        search = ExpirySearch(self._expiry, request.payload)
        while line := search.line:
            result = await self.writer.write(line)
            if result.kind is Kind.BLOCKED:
                return self._block(result)
            if result.kind is Kind.KEPT:
                return self._keep(result)
            if result.kind is Kind.ACCEPTED:
                self._expiry.accepted()
            if result.kind is Kind.EXPIRED and await self._is_too_young(line, result):
                return self._block(replace(result, problem=Problem.CLOCK_DIFFERS))
            search.note(result.detail if result.kind is Kind.EXPIRED else "")
        if not search.found:
            self._isolation.halve(request.batch.count)
        return None

    async def _is_too_young(self, line: bytes, result: Result) -> bool:
        """Whether a line was refused for its age by a clock that is not ours."""
        moment = time_of(line)
        if moment is None or not self._expiry.is_too_young(moment, result.age):
            return False
        # Somebody may have shortened the retention.
        await self._ask_retention()
        return self._expiry.is_too_young(moment, result.age)

    def _repeated(self, result: Result) -> int:
        """How often in a row the last attempts were answered like this."""
        return self._in_a_row if self._last_answer == (result.problem, result.code) else 0

    def _accepted(self, points: int, latency: float) -> None:
        self._expiry.accepted()
        self._breaker.succeeded()
        self._brake.accepted(points)
        if latency > SLOW_SECONDS:
            self._isolation.halve(points)
        else:
            self._isolation.grow(points)
        self._is_stuck = self._is_stuck and points == 1
        self._in_a_row = 0
        self._last_error = ""
        self._progress.well(last_write=datetime.now(UTC), write_latency=latency)

    async def _reject(self, request: Request, result: Result) -> float | None:
        if self._brake.rejects(result.detail):
            return self._block(replace(result, problem=Problem.STORM))
        await self.run(self._settlement.rejected, request, result.code, result.detail)
        self._isolation.settled(request.batch.payload)
        self._taken(request.batch.count)
        return None

    def _taken(self, points: int) -> None:
        """Go on behind points that were put aside; that they were refused shows a sound server."""
        self._has_set_aside = True
        self._isolation.grow(points)
        self._breaker.succeeded()
        self._in_a_row = 0
        self._progress.well()

    async def _keep_batch(self, request: Request, result: Result) -> float | None:
        batch = request.batch
        is_late = result.problem is Problem.TIMEOUT and result.problem is self.state.problem
        is_late_for_proxy = result.cause is Cause.GATEWAY_TIMEOUT and bool(self._repeated(result))
        cut_off = result.cause is Cause.CONNECTION_CUT and len(request.body) > LARGE_BODY
        if is_late or is_late_for_proxy:
            self._isolation.too_large(batch.count)
        elif cut_off:
            self._isolation.halve(batch.count)
        # Some servers fail at a point that they should reject: look for it as if they had.
        is_broken = result.cause is Cause.DATABASE_FAILED
        if is_broken and self._repeated(result) >= STUCK_ATTEMPTS:
            self._is_stuck = True
        if is_broken and self._is_stuck:
            if request.sent > 1:
                self._isolation.halve(batch.count)
                return None
            if await self._takes_the_next():
                return await self._reject(request, result)
        return self._keep(result)

    async def _takes_the_next(self) -> bool:
        """Whether the database stores the second point, which it will get once more in its turn."""
        pair = await self.run(self.buffer.read, 2, BATCH_BYTES)
        _, _, second = pair.payload.partition(b"\n") if pair else (b"", b"", b"")
        if not second:
            return False
        return (await self.writer.write(second)).kind is Kind.ACCEPTED

    def _keep(self, result: Result) -> float:
        self._in_a_row = self._repeated(result) + 1
        self._last_answer = result.problem, result.code
        is_accident = result.cause is Cause.CONNECTION_CUT
        self._breaker.failed(result.problem, is_accident=is_accident)
        wait = backoff(self.state.attempts + 1, self.jitter(), result.retry_after)
        return self._progress.waits(Status.RETRYING, result, wait)

    def _block(self, result: Result) -> float:
        self._breaker.blocked()
        self._in_a_row = 0
        return self._progress.waits(Status.BLOCKED, result, BLOCKED_RETRY)


async def _within(seconds: float, event: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
