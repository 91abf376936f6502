"""Exports the buffer's batches in order, one request at a time."""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from ..files import disk_error_text
from .age_check import AgeCheck
from .attempts import Attempts, is_own_end, wait_for
from .breaker import BreakerChange, BreakerState
from .delivery import Delivery
from .export_state import ExportState, Status, StatusChange, StatusTracker
from .gathering import Gathering
from .pause import Pause
from .quarantine_recheck import QuarantineRecheck
from .result import Kind, Problem, Result
from .retry import RetryPolicy
from .writer import Run, Writer

_LOGGER = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Exporter:
    """The export loop: when to export the buffer, and how long to wait. `build` makes it."""

    writer: Writer
    pause: Pause
    run: Run
    on_change: Callable[[], None]
    gather_seconds: float
    progress: StatusTracker
    attempts: Attempts
    retry: RetryPolicy
    ages: AgeCheck
    delivery: Delivery
    gathering: Gathering
    recheck: QuarantineRecheck
    _requested_at: float = -math.inf
    _delivering: asyncio.Lock = field(default_factory=asyncio.Lock)
    # A check is no delivery: a stop does not wait for it.
    _checking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _retry_now: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def state(self) -> ExportState:
        """The present status of the export."""
        return self.progress.now

    @property
    def history(self) -> tuple[StatusChange, ...]:
        """The last changes of the status."""
        return tuple(self.progress.history)

    @property
    def breaker(self) -> BreakerState:
        """The state of the breaker."""
        return self.attempts.breaker.state

    @property
    def breaker_changes(self) -> tuple[BreakerChange, ...]:
        """The last changes of the breaker."""
        return tuple(self.attempts.breaker.changes)

    @property
    def unanswered(self) -> float | None:
        """For how many seconds the request in flight has no answer. Any thread may ask."""
        return self.delivery.unanswered

    def needs_notify(self, points: int) -> bool:
        """Whether to `notify` that so many points are in the buffer. Any thread may ask."""
        return self.gathering.needs_notify(points)

    def notify(self) -> None:
        """There is something new in the buffer."""
        self.gathering.notify()

    def send_waiting(self) -> None:
        """Stop waiting for more points."""
        self.gathering.hurry()

    def retry_now(self) -> None:
        """Stop waiting, for the next attempt or for more points."""
        self._retry_now.set()
        self.gathering.hurry()

    def recheck_files(self) -> None:
        """Look again at intervals at files that cannot be used, although no point comes."""
        self.gathering.wake()
        if self.pause.is_on:
            self._retry_now.set()

    def quarantine_all(self) -> None:
        """Put points aside although so many are refused, until the next one is accepted."""
        self.delivery.surge.is_overridden = True
        self.retry_now()

    async def begin_pause(self) -> None:
        """Send nothing until `end_pause`.

        Once it returns, no request is under way. Raises OSError where it cannot be stored.
        """
        await self.run(self.pause.begin)
        self.retry_now()
        async with self._checking, self._delivering:
            if self.pause.is_on:
                self.progress.set_idle(Status.PAUSED)

    async def end_pause(self) -> None:
        """Send again, at once; raises OSError where it cannot be stored."""
        try:
            await self.run(self.pause.end)
        finally:
            if self.state.status is Status.PAUSED:
                self.progress.set_idle(Status.STARTING)
            self.retry_now()
            self.gathering.wake()  # also without a point, so that the connection is checked

    async def stop(self, seconds: float) -> None:
        """Let the request in flight end, and send what is left as long as there is time.

        `export_forever` ends. A request that takes too long is cancelled, and so is that task by
        its owner.
        """
        self._stopping.set()
        self.gathering.wake()
        self.retry_now()
        try:
            async with asyncio.timeout(seconds), self._delivering:
                await self._deliver(is_last=True)
        except OSError:
            return  # the disk fails, or it took too long
        except (Exception, asyncio.CancelledError) as err:
            if is_own_end(err):
                raise
            # What stops next stores what is in memory.
            _LOGGER.exception("Export failed while it was stopped")

    async def export_forever(self) -> None:
        """Export until cancelled, with the wait that each result requires."""
        has_read = False
        while not self._stopping.is_set():
            self.gathering.begin()
            # Here, so that a try that is asked for during a request is not forgotten after it.
            self._retry_now.clear()
            try:
                if not has_read:
                    has_read = True
                    await self._read_first()
                delay = await self.drain()
                if self._stopping.is_set():
                    return
                if delay is None and self.state.status not in {Status.OK, Status.PAUSED}:
                    delay = await self._check_first()
                if self.pause.is_on:
                    self.progress.set_idle(Status.PAUSED)
                    delay = self.recheck.longest_wait
            except (Exception, asyncio.CancelledError) as err:
                if is_own_end(err):
                    raise
                delay = self._keep_after(err)
            if delay is None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self.recheck.longest_wait):
                        await self.gathering.wait(self._requested_at + self.gather_seconds)
            else:
                await wait_for(self._retry_now, delay)

    def _keep_after(self, err: BaseException) -> float:
        """Try again after an error of the disk, or of ours; returns the seconds until then."""
        problem, detail = Problem.INTERNAL_ERROR, type(err).__name__
        if isinstance(err, OSError):
            problem, detail = Problem.DISK, disk_error_text(err)
        elif self.retry.is_new(err):
            _LOGGER.error("Export failed; retrying", exc_info=err)
        return self.delivery.keep(Result(kind=Kind.KEPT, problem=problem, detail=detail))

    async def _read_first(self) -> None:
        """Read what is known of the export before the first point is sent."""
        async with self._checking:
            await self._load_pause()
            if not self.pause.is_on:
                await self.ages.read_retention()

    async def _check_first(self) -> float | None:
        """Check the connection before the first point, which may come late."""
        async with self._checking:
            if self.pause.is_on:
                return None
            result = await self.writer.check()
            match result.kind:
                case Kind.ACCEPTED:
                    self.attempts.reached()
                    self.progress.set_ok()
                case Kind.BLOCKED:
                    return self.delivery.block(result)
                case Kind.KEPT:
                    return self.delivery.keep(result)
        return None

    async def drain(self) -> float | None:
        """Deliver until the buffer is empty, or return the seconds to wait before going on."""
        try:
            async with self._delivering:
                return await self._deliver()
        finally:
            if self.delivery.has_set_aside:
                self.delivery.has_set_aside = False
                self.on_change()

    async def _deliver(self, *, is_last: bool = False) -> float | None:
        await self._load_pause()
        if not self.pause.is_on:
            self.attempts.begin()
        await self.recheck.check_if_due()
        has_sent = False
        while True:
            request = await self.run(self.delivery.compose)
            self.delivery.publish_written()
            # Here nothing is unsettled, however long the answer takes.
            if self.pause.is_on:
                self.progress.set_idle(Status.PAUSED)
                return None
            if has_sent and self.state.status is Status.OK and not self._stopping.is_set():
                await self.ages.read_if_due()
            if request is None or (self._stopping.is_set() and not is_last):
                return None
            if request.sent:
                self._requested_at = time.monotonic()
            delay = await self.delivery.send(request)
            if delay is not None:
                return delay
            has_sent = bool(request.sent)

    async def _load_pause(self) -> None:
        """Read whether the user has paused the export, once the disk tells."""
        if not self.pause.is_known:
            with suppress(OSError):
                await self.run(self.pause.load)
