"""Sends one request after the other, and settles its points by the result."""

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from ..spool.buffer import Buffer
from .age_check import AgeCheck, ExpirySearch
from .breaker import BreakerState
from .end_to_end import EndToEnd
from .expiry import Expiry, time_of
from .export_state import Status, StatusTracker
from .isolation import PROBE_POINTS, Isolation, RejectionSurge
from .request import BATCH_BYTES, Request, compose
from .result import Kind, Problem, Result
from .retry import RetryPolicy
from .settings import DeliverySettings
from .settlement import Settlement
from .texts import without_texts
from .writer import Run, Writer

# Half of what a write may take: a batch that is answered this late is nearly too large.
SLOW_SECONDS: Final = 30.0


@dataclass(slots=True, kw_only=True)
class Delivery:
    """Sends batches and settles each by its result.

    `has_set_aside` says that points were quarantined or evicted, and nobody was told yet.
    """

    buffer: Buffer
    writer: Writer
    run: Run
    settlement: Settlement
    expiry: Expiry
    ages: AgeCheck
    retry: RetryPolicy
    progress: StatusTracker
    settings: DeliverySettings
    end_to_end: EndToEnd
    numbers_only: bool = False
    surge: RejectionSurge = field(default_factory=RejectionSurge)
    has_set_aside: bool = False
    _isolation: Isolation = field(init=False)
    # Stored points that are not settled in the spool yet.
    _unsettled: Request | None = None
    # Since when a request has no answer, by the monotonic clock of the process.
    _asked_at: float | None = None
    # When points were stored last, and the latency of that, while nobody was told.
    _written: tuple[datetime, float] | None = None

    def __post_init__(self) -> None:
        """Start with the largest requests."""
        self._isolation = Isolation(maximum=self.settings.request_points)

    @property
    def unanswered(self) -> float | None:
        """For how many seconds the request in flight has no answer. Any thread may ask."""
        asked_at = self._asked_at
        return None if asked_at is None else time.monotonic() - asked_at

    def compose(self) -> Request | None:
        """Settle what was stored and take what comes next, in one wake-up of the spool's thread."""
        if self._unsettled:
            self.settlement.accepted(self._unsettled)
            self._unsettled = None
        is_closed = self.retry.attempts.breaker.state is BreakerState.CLOSED
        limit = self._isolation.limit
        max_points = limit if is_closed else min(limit, PROBE_POINTS)
        request = compose(
            self.buffer,
            self._isolation,
            self.expiry,
            max_points,
            gzip=self.settings.gzip,
            numbers_only=self.numbers_only,
        )
        if request:
            self.end_to_end.composed(request.batch)
        return request

    def publish_written(self) -> None:
        """Show that points were stored, once the counts say so too."""
        if self._written:
            last_write, latency = self._written
            self._written = None
            self.progress.set_written(last_write, latency)

    async def send(self, request: Request) -> float | None:
        """Send one request; return the seconds to wait, or None to go on at once."""
        if request.texts:
            self.has_set_aside = True
        if not request.sent:
            self._unsettled = request
            return None
        self._asked_at = started = time.monotonic()
        try:
            result = await self.writer.write(request.body, gzipped=request.gzipped)
        finally:
            self._asked_at = None
        return await self._settle(request, result, time.monotonic() - started)

    def keep(self, result: Result) -> float:
        """Try again later; returns the seconds until then."""
        wait = self.retry.kept(result)
        return self.progress.set_waiting(Status.RETRYING, result, wait, self.retry.attempts.failed)

    def block(self, result: Result) -> float:
        """Retry rarely; returns the seconds until then."""
        wait = self.retry.blocked()
        return self.progress.set_waiting(Status.BLOCKED, result, wait, self.retry.attempts.failed)

    async def _settle(self, request: Request, result: Result, latency: float) -> float | None:
        batch, is_single = request.batch, request.sent == 1
        match result.kind:
            case Kind.ACCEPTED:
                self._unsettled = request
                self._isolation.settled(batch.payload)
                self._accepted(batch.count, request.payload, latency)
                self.end_to_end.accepted(request.sent)
            case Kind.EXPIRED:
                return await self._expire(request, result)
            case Kind.REJECTED if not is_single:
                self._isolation.refused(result.rejected_lines, request.payload, batch.count)
            case Kind.TOO_LARGE if not is_single:
                self._isolation.too_large(batch.count)
            case Kind.TOO_LARGE if not self.retry.is_too_large(result):
                return self.keep(result)
            case Kind.REJECTED | Kind.TOO_LARGE:
                return await self._reject(request, result)
            case Kind.BLOCKED:
                return self.block(result)
            case Kind.KEPT:
                return await self._keep_batch(request, result)
        return None

    def _accepted(self, points: int, payload: bytes, latency: float) -> None:
        self.expiry.accepted()
        self.surge.accepted(points, payload)
        if latency > SLOW_SECONDS:
            self._isolation.halve(points)
        else:
            self._isolation.grow(points)
        self.retry.accepted(points)
        self._written = datetime.now(UTC), latency

    async def _expire(self, request: Request, result: Result) -> float | None:
        """Settle lines that are older than the retention."""
        if request.sent > 1:
            return await self._find_expired(request)
        if trouble := await self.ages.wrong_clock(request.payload, result):
            return self.block(trouble)
        moment = time_of(request.payload)
        if moment is not None and moment < self.expiry.now:
            self.expiry.refused(moment, result.detail)
        every = frozenset(range(request.batch.count)) - request.texts
        refused = replace(request, sent=0, aside=every, reason=result.detail)
        await self.run(self.settlement.accepted, refused)
        self._set_aside(request)
        return None

    async def _find_expired(self, request: Request) -> float | None:
        """Find the expired lines; the reply is not reliable for the others."""
        if self.expiry.is_due:
            await self.ages.read_retention()
            if self.expiry.limit():
                return None
        search = ExpirySearch(self.expiry, request.payload)
        if trouble := await self.ages.find_limit(search):
            return self.block(trouble) if trouble.kind is Kind.BLOCKED else self.keep(trouble)
        if not search.found:
            self._isolation.halve(request.batch.count)
        return None

    async def _reject(self, request: Request, result: Result) -> float | None:
        if self.surge.rejects(result.detail, request.payload):
            return self.block(replace(result, problem=Problem.REJECTION_SURGE))
        await self.run(self.settlement.rejected, request, result.code, result.detail)
        self._set_aside(request)
        return None

    def _set_aside(self, request: Request) -> None:
        self.has_set_aside = True
        self._isolation.settled(request.batch.payload)
        self._isolation.grow(request.batch.count)
        self.retry.set_aside()
        self.progress.set_ok()

    async def _keep_batch(self, request: Request, result: Result) -> float | None:
        """Send less where that may help, or isolate the one point that the database fails at."""
        count = request.batch.count
        if self.retry.is_too_much(result):
            self._isolation.too_large(count)
        elif self.retry.is_cut_off(result, len(request.body)):
            self._isolation.halve(count)
        if self.retry.is_stuck(result):
            if request.sent > 1:
                self._isolation.halve(count)
                return None
            if await self._accepts_next():
                return await self._reject(request, result)
        return self.keep(result)

    async def _accepts_next(self) -> bool:
        """Whether the database stores the second point, which it will get once more in its turn."""
        pair = await self.run(self.buffer.read, 2, BATCH_BYTES)
        _, _, second = pair.payload.partition(b"\n") if pair else (b"", b"", b"")
        if self.numbers_only:
            ((second, *_), _) = without_texts(second)
        return bool(second) and (await self.writer.write(second)).kind is Kind.ACCEPTED
