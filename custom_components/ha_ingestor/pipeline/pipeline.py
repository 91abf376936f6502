"""The way of a point from the event to the database, put together."""

import asyncio
import json
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Final, Literal

from .commit_schedule import CommitSchedule
from .committer import Committer
from .encode.attributes import JsonDumps
from .encode.encoder import Encoder, Profile
from .encode.top_entities import Chatter, chatter
from .export.export_state import ExportState
from .export.exporter import GATHER_SECONDS, Exporter
from .export.writer import Writer
from .filter.filters import Sieve, SieveMemory, SieveSettings
from .filter.intake import Intake
from .filter.last_written import Recollection
from .ledger import Ledger
from .model import Capture, EntityContext, Item, Taken
from .snapshot import Snapshot
from .spool.buffer import Buffer
from .spool.files import Files
from .spool.quarantine import Quarantine
from .spool.settings import SpoolSettings
from .spool.spool import Position, Spool

_LOGGER = logging.getLogger(__name__)

# Home Assistant's stop is not for us to delay.
STOP_SECONDS: Final = 5.0


def _nobody() -> None:
    """Call this when nobody wants to be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """What time it is: by a clock that never jumps, and on the wall. Both in seconds."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What the memory of a stopped pipeline holds, for the next one of the same destination."""

    intake: Intake
    ledger: Ledger
    held: list[str]
    position: Position | None
    sieve: SieveMemory


class Pipeline:
    """Intake, commit and export of one destination."""

    def __init__(
        self,
        *,
        profile: Profile,
        files: Files,
        writer: Writer,
        settings: SpoolSettings,
        destination: str = "",
        gzip: bool = True,
        gather_seconds: float = GATHER_SECONDS,
        expired: Literal["quarantine", "evict"] = "quarantine",
        sieve: SieveSettings = SieveSettings(),  # noqa: B008  frozen
        contexts: Mapping[str, EntityContext] = MappingProxyType({}),
        dumps: JsonDumps = json.dumps,
        resume: Handover | None = None,
        clocks: Clocks = Clocks(),
        jitter: Callable[[], float] = random.random,
        executor: Executor | None = None,
    ) -> None:
        """Put the parts together; nothing runs before `start`.

        `resume` is what the pipeline before this one left in memory. Tests inject the rest.
        """
        self.intake = resume.intake if resume else Intake()
        self.ledger = resume.ledger if resume else Ledger()
        self._clocks = clocks
        self._began = clocks.monotonic()
        self._encoder = Encoder(profile=profile)
        self._spool = Spool(
            files,
            self.ledger,
            clocks.monotonic,
            clocks.wall,
            settings,
            position=resume.position if resume else None,
        )
        self._buffer = Buffer(self._spool, self.ledger, resume.held if resume else None)
        recollection = Recollection(
            ledger=self.ledger, dumps=dumps, profile=profile, contexts=contexts
        )
        self._sieve = Sieve(
            ledger=self.ledger,
            settings=sieve,
            recollection=recollection,
            clock=clocks.monotonic,
            wall_clock=clocks.wall,
            contexts=contexts,
        )
        if resume:
            self._sieve.resume(resume.sieve)
        self._resumed = resume
        self._stopped: asyncio.Task[Handover] | None = None
        self._committer = Committer(
            ledger=self.ledger,
            files=files,
            sieve=self._sieve,
            encoder=self._encoder,
            buffer=self._buffer,
        )
        self._executor = executor or ThreadPoolExecutor(1, "ha_ingestor_spool")
        self._quarantine = Quarantine(files, destination)
        self._buffer.when_opened = self._quarantine.resume
        self._exporter = Exporter(
            buffer=self._buffer,
            quarantine=self._quarantine,
            writer=writer,
            run=self._run,
            jitter=jitter,
            on_change=self._changed,
            gzip=gzip,
            gather_seconds=gather_seconds,
            expired=expired,
            clock=clocks.monotonic,
            wall_clock=clocks.wall,
        )
        self._on_change: Callable[[], None] = _nobody
        self._settings = settings
        self._schedule = CommitSchedule(self._submit_commit, clocks.monotonic)
        self._held_since = math.inf
        self._loop: asyncio.AbstractEventLoop | None = None
        self._export: asyncio.Task[None] | None = None
        self._running = False

    @property
    def export_state(self) -> ExportState:
        """How delivery is going right now."""
        return self._exporter.state

    def receive(self, item: Item) -> None:
        """Count an item as received and offer it."""
        self.intake.received += 1
        self.offer(item)

    def offer(self, item: Item) -> None:
        """Take an item that was counted as received.

        Called in the event loop for every event, so it does next to nothing.
        """
        self._schedule.offered(self.intake.append(item))

    def expect(self, captures: Iterable[Capture]) -> None:
        """Begin heartbeats of entities that stay silent; these are their states, and no events."""
        self._sieve.expect(captures)
        self._schedule.hurry()

    def start(self, on_change: Callable[[], None] = _nobody) -> None:
        """Begin; the spool is opened in its own thread, what is captured meanwhile waits.

        `on_change` is called in the event loop whenever delivery or the disk is in another state.
        """
        self._on_change = on_change
        self._running = True
        self._loop = asyncio.get_running_loop()
        self._schedule.start()
        self._export = asyncio.create_task(
            self._exporter.export_forever(), name="ha_ingestor export"
        )

    async def stop(self, *, hand_over: bool = False) -> Handover:
        """Put everything on disk, try once more to deliver, and end.

        What cannot be on disk is in the handover when there will be another pipeline, and counted
        as lost when there will be none. Once begun it ends, also when its caller is cancelled; who
        calls it meanwhile or later gets the same handover.
        """
        if self._stopped is None:
            self._stopped = asyncio.create_task(self._stop(hand_over=hand_over))
        return await asyncio.shield(self._stopped)

    async def _stop(self, *, hand_over: bool) -> Handover:
        export, self._export = self._export, None
        held: list[str] = []
        if export:
            self._schedule.stop()
            await self._commit(is_last=not hand_over)
            await self._exporter.stop(STOP_SECONDS)
            export.cancel()
            await asyncio.gather(export, return_exceptions=True)
            held = await self._run(self._committer.close, hand_over=hand_over)
            self._running = False
            await asyncio.get_running_loop().run_in_executor(None, self._executor.shutdown)
        elif self._resumed:
            return self._resumed  # it never started, and hands on what it was given
        return Handover(
            intake=self.intake,
            ledger=self.ledger,
            held=held,
            position=self._spool.position,
            sieve=self._sieve.hand_over(),
        )

    async def commit(self) -> bool:
        """Put on disk what was offered, and tell whether it is there."""
        if self._stopped is None:
            await self._commit()
        return not self._buffer.held

    async def flush(self) -> None:
        """Commit what waits and try to deliver at once."""
        await self.commit()
        self._exporter.retry_now()

    def quarantine_all(self) -> None:
        """Put aside what is refused, although it is so much that something else seems wrong."""
        self._exporter.quarantine_all()

    async def forget_rejection(self) -> None:
        """Say nothing more of the points that were refused so far."""
        await self._run(self._quarantine.forget)

    async def quarantined(self) -> list[dict[str, Any]]:
        """Read the records of the quarantine; raises OSError."""
        return await self._run(self._quarantine.records)

    async def newest_quarantined(self, limit: int) -> tuple[list[dict[str, Any]], int]:
        """Read the newest records of the quarantine, and count all; raises OSError."""
        return await self._run(self._quarantine.newest_records, limit)

    @property
    def quarantine_trouble(self) -> str:
        """Which files of the quarantine cannot be used, and why."""
        return self._quarantine.trouble

    async def purge_quarantine(self) -> int:
        """Delete the quarantine and return how many points were in it; raises OSError."""
        return await self._run(self._quarantine.purge)

    async def replay_quarantine(self) -> int:
        """Deliver the quarantined points once more and return how many; raises OSError."""
        count = await self._run(self._replay)
        self._exporter.notify()
        return count

    def _replay(self) -> int:
        return self._quarantine.replay(self._buffer.take_back, lambda: self._spool.last_seq)

    async def chatter(self) -> Chatter:
        """Tell who talked most since the start."""
        seconds = self._clocks.monotonic() - self._began
        if self._running:
            return await self._run(chatter, self._encoder.talk, seconds)
        return chatter(self._encoder.talk, seconds)

    async def snapshot(self) -> Snapshot:
        """Commit, and copy the state of health, all of it from the same moment."""
        if not self._running or self._stopped:
            return self._snapshot()
        return await self._run(self._commit_and_copy, self.intake.take())

    def is_unchanged_since(self, snapshot: Snapshot) -> bool:
        """Whether nothing happened since a snapshot in which nothing waited."""
        is_quiet = snapshot.is_open and not (snapshot.backlog or snapshot.spool_error)
        return (
            is_quiet
            and not (self.intake or self.intake.received)
            and self.ledger.received == snapshot.ledger["received"]
            and self._exporter.state == snapshot.export
            and self._exporter.breaker == snapshot.breaker
        )

    async def _commit(self, *, is_last: bool = False) -> None:
        await self._run(self._commit_taken, self.intake.take(), is_last=is_last)

    def _submit_commit(self) -> Future[None]:
        return self._executor.submit(self._commit_taken, self.intake.take())

    def _commit_taken(self, taken: Taken, *, is_last: bool = False) -> None:
        """Bring items to the disk, in the spool's thread; the event loop hears only what is new."""
        buffer, began = self._buffer, self._clocks.monotonic()
        before = (buffer.trouble, buffer.is_open)
        try:
            self._committer.commit(taken, is_last=is_last)
        except Exception:
            _LOGGER.exception("Commit failed; the next one goes on")
        self._held_since = min(self._held_since, began) if buffer.held else math.inf
        self._schedule.note(min(self._committer.next_due, buffer.next_due(self._clocks.monotonic)))
        if self._loop is None:
            return
        if (buffer.trouble, buffer.is_open) != before:
            self._loop.call_soon_threadsafe(self._changed)
        if self._exporter.wants(buffer.pending + buffer.held):
            self._loop.call_soon_threadsafe(self._exporter.notify)

    def _changed(self) -> None:
        self._on_change()

    def _commit_and_copy(self, taken: Taken) -> Snapshot:
        self._commit_taken(taken)
        return self._snapshot()

    def _oldest_age(self) -> float | None:
        if self._spool.pending:
            return self._spool.oldest_age
        if self.ledger.held or self.intake:
            since = self._held_since if self.ledger.held else self._schedule.since
            return max(self._clocks.monotonic() - since, 0.0)
        return None

    def _snapshot(self) -> Snapshot:
        pending = self._spool.pending
        return Snapshot(
            is_open=self._buffer.is_open,
            ledger=self.ledger.as_dict(),
            pending=pending,
            waiting=self.ledger.waiting,
            unbalanced=self.ledger.imbalance(pending) if self._buffer.is_open else "",
            spool_bytes=self._spool.disk_bytes,
            spool_error=self._buffer.trouble or self._quarantine.trouble,
            export=self._exporter.state,
            breaker=self._exporter.breaker,
            history=self._exporter.history,
            rejection=self._quarantine.newest,
            spool_limit=self._settings.max_bytes,
            oldest_age=self._oldest_age(),
        )

    def _run[**P, T](
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T]:
        # Shielded, because a job that waits for its turn would be dropped with its caller.
        job = self._executor.submit(partial(function, *args, **kwargs))
        return asyncio.shield(asyncio.wrap_future(job))
