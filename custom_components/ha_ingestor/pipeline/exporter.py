"""Delivers the spool's batches in order: one request at a time, nothing passed over."""

import asyncio
import logging
import time
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Protocol

from .backoff import backoff
from .buffer import Buffer
from .outcome import Dialect, Outcome
from .quarantine import Quarantine
from .spool import Batch
from .verdict import Kind, Problem, Verdict, classify

_LOGGER = logging.getLogger(__name__)

# Every server's default limits are far above both.
BATCH_POINTS: Final = 5_000
BATCH_BYTES: Final = 1024 * 1024
# Below this a compressed body is no smaller.
GZIP_FROM_BYTES: Final = 1024
# Nobody but the user can end a wrong token or a missing bucket: look again now and then.
BLOCKED_RETRY: Final = 300.0


class Writer(Protocol):
    """The way to one database. Never raises for what network or server do."""

    @property
    def dialect(self) -> Dialect: ...

    async def write(self, body: bytes, *, gzipped: bool = False) -> Outcome: ...


class Status(StrEnum):
    """How delivery is going."""

    STARTING = "starting"
    OK = "ok"
    RETRYING = "retrying"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportState:
    """What the exporter knows of itself. Latency in seconds, moments in UTC."""

    status: Status = Status.STARTING
    problem: Problem = Problem.NONE
    detail: str = ""
    attempts: int = 0
    next_retry: datetime | None = None
    last_write: datetime | None = None
    write_latency: float | None = None
    connected: bool | None = None


_WELL: Final = ExportState(status=Status.OK, connected=True)


class Run(Protocol):
    """Run a function in the spool's thread."""

    def __call__[**P, T](
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T]: ...


@dataclass(slots=True, kw_only=True)
class Exporter:
    """Takes batches from the spool until none is left, and settles each by its verdict.

    The size of a batch is the one lever: it halves when points are refused or a body is too large,
    down to a single line whose rejection is its own, and doubles with every success.
    """

    buffer: Buffer
    quarantine: Quarantine
    writer: Writer
    run: Run
    jitter: Callable[[], float]
    on_change: Callable[[], None]
    destination: str = ""
    state: ExportState = field(default_factory=ExportState)
    _limit: int = BATCH_POINTS
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _retry_now: asyncio.Event = field(default_factory=asyncio.Event)

    def notify(self) -> None:
        """There is something new in the spool."""
        self._wake.set()

    def retry_now(self) -> None:
        """Stop waiting for the next attempt."""
        self._retry_now.set()

    async def export_forever(self) -> None:
        """Deliver whatever comes, waiting as each verdict demands."""
        while True:
            self._wake.clear()
            try:
                delay = await self.drain()
            except Exception as err:
                if not isinstance(err, OSError):
                    _LOGGER.exception("Delivery stumbled and goes on")
                detail = getattr(err, "strerror", None) or type(err).__name__
                delay = self._keep(Verdict(kind=Kind.KEPT, problem=Problem.DISK, detail=detail))
            if delay is None:
                await self._wake.wait()
                continue
            self._retry_now.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._retry_now.wait(), delay)

    async def drain(self) -> float | None:
        """Deliver until the spool is empty, or return the seconds to wait before going on."""
        while True:
            taken = await self.run(self._take)
            if taken is None:
                return None
            batch, body, gzipped = taken
            started = time.monotonic()
            outcome = await self.writer.write(body, gzipped=gzipped)
            verdict = classify(outcome, self.writer.dialect)
            delay = await self._settle(batch, outcome, verdict, time.monotonic() - started)
            if delay is not None:
                return delay

    def _take(self) -> tuple[Batch, bytes, bool] | None:
        batch = self.buffer.read(self._limit, BATCH_BYTES)
        if batch is None:
            return None
        if len(batch.payload) < GZIP_FROM_BYTES:
            return batch, batch.payload, False
        return batch, zlib.compress(batch.payload, level=1, wbits=31), True

    async def _settle(
        self, batch: Batch, outcome: Outcome, verdict: Verdict, latency: float
    ) -> float | None:
        match verdict.kind:
            case Kind.ACCEPTED:
                await self.run(self.buffer.settle, batch, "written")
                self._limit = min(self._limit * 2, BATCH_POINTS)
                self._set(replace(_WELL, last_write=datetime.now(UTC), write_latency=latency))
            case Kind.POISON | Kind.SIZE if batch.count > 1:
                self._limit = batch.count // 2
            case Kind.POISON | Kind.SIZE:
                await self.run(self._quarantine, batch, outcome, verdict)
                self._limit = 2
                last, took = self.state.last_write, self.state.write_latency
                self._set(replace(_WELL, last_write=last, write_latency=took))
            case Kind.BLOCKED:
                return self._wait(Status.BLOCKED, verdict, BLOCKED_RETRY)
            case Kind.KEPT:
                return self._keep(verdict)
        return None

    def _keep(self, verdict: Verdict) -> float:
        wait = backoff(self.state.attempts + 1, self.jitter(), verdict.retry_after)
        return self._wait(Status.RETRYING, verdict, wait)

    def _quarantine(self, batch: Batch, outcome: Outcome, verdict: Verdict) -> None:
        record: dict[str, Any] = {
            "seq": batch.last_seq,
            "time": datetime.now(UTC).isoformat(),
            "status": outcome.status,
            "reason": verdict.detail,
            "line": batch.payload.decode("utf-8", "replace"),
            "destination": self.destination,
        }
        self.quarantine.add(record)
        self.buffer.settle(batch, "quarantined")
        _LOGGER.warning("The database refused a point, now in quarantine: %s", verdict.detail)

    def _wait(self, status: Status, verdict: Verdict, delay: float) -> float:
        self._set(
            replace(
                self.state,
                status=status,
                problem=verdict.problem,
                detail=verdict.detail,
                attempts=self.state.attempts + 1,
                next_retry=datetime.fromtimestamp(time.time() + delay, UTC),
                connected=False,
            )
        )
        return delay

    def _set(self, state: ExportState) -> None:
        changed = (state.status, state.problem) != (
            self.state.status,
            self.state.problem,
        )
        self.state = state
        if changed:
            self.on_change()
