"""Builds the pipeline: intake, filter, encode, spool, export."""

import asyncio
import errno
import json
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Any, Final, Literal

from .commit_schedule import CommitSchedule
from .committer import Committer, Watcher
from .encode.attributes import JsonDumps
from .encode.encoder import Encoder, Profile
from .encode.own_points import NO_NUMBER
from .encode.top_entities import (
    EntityPoints,
    TopEntities,
    entity_points,
    entity_statistics,
    top_entities,
)
from .export.end_to_end import EndToEnd
from .export.export_state import ExportState
from .export.exporter import GATHER_SECONDS, Exporter
from .export.measured_writer import MeasuredWriter
from .export.pause import Pause
from .export.settings import DeliverySettings
from .export.writer import Writer
from .filter.filters import NoiseFilter, NoiseFilterMemory, NoiseFilterSettings
from .filter.intake import Intake
from .filter.last_written import LastWritten
from .histogram import Histogram
from .ledger import Ledger
from .model import EntityContext, IntakeContent, Item, OwnPoint, StateEvent
from .performance import Performance
from .rate import Rate
from .snapshot import Snapshot
from .spool.batch import Batch
from .spool.buffer import Buffer
from .spool.capture_times import CaptureTimes
from .spool.counted_files import CountedFiles
from .spool.files import Files
from .spool.quarantine import Quarantine
from .spool.settings import SpoolSettings
from .spool.slices import SlicedJobs, Slices
from .spool.spool import Spool, SpoolPosition

_LOGGER = logging.getLogger(__name__)

# The stop of Home Assistant must not be delayed.
STOP_SECONDS: Final = 5.0


def _nobody() -> None:
    """Do nothing."""


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
    position: SpoolPosition | None
    noise_filter: NoiseFilterMemory
    is_paused: bool | None


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
        numbers_only: bool = False,
        gather_seconds: float = GATHER_SECONDS,
        expired: Literal["quarantine", "evict"] = "quarantine",
        delivery: DeliverySettings = DeliverySettings(),  # noqa: B008  frozen
        noise_filter: NoiseFilterSettings = NoiseFilterSettings(),  # noqa: B008  frozen
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
        self._files = files = CountedFiles(files)
        self._spool = Spool(
            files,
            self.ledger,
            clocks.monotonic,
            clocks.wall,
            settings,
            position=resume.position if resume else None,
        )
        self._buffer = Buffer(self._spool, self.ledger, resume.held if resume else None)
        last_written = LastWritten(
            ledger=self.ledger, dumps=dumps, profile=profile, contexts=contexts
        )
        self._noise_filter = NoiseFilter(
            ledger=self.ledger,
            settings=noise_filter,
            last_written=last_written,
            clock=clocks.monotonic,
            wall_clock=clocks.wall,
            contexts=contexts,
        )
        if resume:
            self._noise_filter.resume(resume.noise_filter)
        self._resumed = resume
        self._stopped: asyncio.Task[Handover] | None = None
        self._committer = Committer(
            ledger=self.ledger,
            files=files,
            noise_filter=self._noise_filter,
            encoder=self._encoder,
            buffer=self._buffer,
        )
        self._executor = executor or ThreadPoolExecutor(1, "ha_ingestor_spool")
        self._sliced = SlicedJobs(self._executor)
        self._quarantine = Quarantine(files, destination)
        self._buffer.when_opened = self._quarantine.resume
        self._writer = MeasuredWriter(writer=writer)
        self._end_to_end = EndToEnd(clock=clocks.monotonic, captured_at=self._captured_at)
        is_paused = resume.is_paused if resume else None
        self._pause = Pause(files=files, is_on=is_paused is True, is_known=is_paused is not None)
        self._exporter = Exporter(
            buffer=self._buffer,
            quarantine=self._quarantine,
            writer=self._writer,
            end_to_end=self._end_to_end,
            pause=self._pause,
            run=self._run,
            jitter=jitter,
            on_change=self._changed,
            gzip=gzip,
            numbers_only=numbers_only,
            gather_seconds=gather_seconds,
            expired=expired,
            settings=delivery,
            clock=clocks.monotonic,
            wall_clock=clocks.wall,
        )
        self._on_change: Callable[[], None] = _nobody
        self._settings = settings
        self._schedule = CommitSchedule(self._submit_commit, clocks.monotonic)
        self._held_since = math.inf
        self._capture_times = CaptureTimes()
        self._captured_to_committed, self._commit_seconds = Histogram(), Histogram()
        self._received = Rate(clocks.monotonic)
        self._last_received: datetime | None = None
        self._thread_seconds = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._export: asyncio.Task[None] | None = None
        self._running = False

    @property
    def export_state(self) -> ExportState:
        """The present status of the export."""
        return self._exporter.state

    def receive(self, item: Item) -> None:
        """Count an item as received and offer it."""
        self.intake.received += 1
        self.offer(item)

    def offer(self, item: Item) -> None:
        """Take an item that was counted as received.

        Called in the event loop for every event, so it does next to nothing.
        """
        self._schedule.item_added(self.intake.append(item))

    def watch_lines(self, watcher: Watcher) -> Callable[[], None]:
        """Show the lines of each commit, in the spool's thread; returns what ends it."""
        committer = self._committer
        committer.watchers += (watcher,)

        def stop() -> None:
            committer.watchers = tuple(each for each in committer.watchers if each is not watcher)

        return stop

    def start_heartbeats(self, state_events: Iterable[StateEvent]) -> None:
        """Start the heartbeats of entities without events, from these states."""
        self._noise_filter.start_heartbeats(state_events)
        self._schedule.commit_soon()

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
            self._sliced.close()
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
            noise_filter=self._noise_filter.hand_over(),
            is_paused=self._pause.is_on if self._pause.is_known else None,
        )

    async def commit(self) -> bool:
        """Store offered items on disk; returns whether they are stored."""
        if self._stopped is None:
            await self._commit()
        return not self._buffer.held

    @property
    def numbers_only(self) -> bool:
        """Whether the database cannot store text."""
        return self._encoder.profile.numbers_only

    @property
    def last_seq(self) -> int:
        """The sequence number of the newest point on the disk."""
        return self._spool.last_seq

    @property
    def settled_seq(self) -> int:
        """The sequence number up to which every point is settled."""
        return self._spool.acked

    async def write_points(self, points: Sequence[OwnPoint], left_out: int = 0) -> bool:
        """Take points, all or none of them; return whether they are on the disk.

        `left_out` were given too, and have nothing that the database can store. Raises OSError when
        the disk takes nothing, or the pipeline has stopped: they must not take the place of events.
        """
        await self.commit()
        if self._stopped:
            raise OSError(errno.ESHUTDOWN, "The destination is not loaded any more")
        if self._buffer.error:
            raise OSError(errno.EIO, self._buffer.error)
        self.intake.received += len(points) + left_out
        if left_out:
            self.intake.filtered[NO_NUMBER] += left_out
        for point in points:
            self.offer(point)
        return await self.commit()

    async def flush(self) -> None:
        """Commit what waits and try to deliver at once."""
        await self.commit()
        self._exporter.retry_now()

    @property
    def is_stopped(self) -> bool:
        """Whether its end has begun."""
        return self._stopped is not None

    @property
    def is_paused(self) -> bool:
        """Whether the user has paused the export."""
        return self._pause.is_on

    async def pause(self) -> None:
        """Send nothing until `resume`, also in later processes; captured points wait on disk.

        Once it returns, no request is under way. Raises OSError where it cannot be stored.
        """
        await self._exporter.begin_pause()

    async def resume(self) -> None:
        """Send again, at once; raises OSError where later processes would be paused."""
        await self._exporter.end_pause()

    def quarantine_all(self) -> None:
        """Put aside what is refused, although it is so much that something else seems wrong."""
        self._exporter.quarantine_all()

    async def forget_rejection(self) -> None:
        """Stop reporting the points that were rejected so far."""
        await self._run(self._quarantine.forget)

    async def quarantined(self) -> list[dict[str, Any]]:
        """Read the records of the quarantine; raises OSError."""
        return await self._run_sliced(self._quarantine.records())

    async def newest_quarantined(self, limit: int) -> tuple[list[dict[str, Any]], int]:
        """Read the newest records of the quarantine, and count all; raises OSError."""
        return await self._run_sliced(self._quarantine.newest_records(limit))

    @property
    def quarantine_errors(self) -> str:
        """Which files of the quarantine cannot be used, and why."""
        return self._quarantine.disk_error

    async def purge_quarantine(self) -> int:
        """Delete the quarantine and return how many points were in it; raises OSError."""
        return await self._run_sliced(self._quarantine.purge())

    async def replay_quarantine(self) -> int:
        """Deliver the quarantined points once more and return how many; raises OSError."""
        replay = self._quarantine.replay(self._buffer.requeue, lambda: self._spool.last_seq)
        count = await self._run_sliced(replay)
        self._exporter.notify()
        return count

    @property
    def sample(self) -> tuple[str, ...]:
        """Some of the lines that were stored last, for a report."""
        return self._committer.sample

    async def top_entities(self) -> TopEntities:
        """Return the entities with most points and bytes since the start."""
        seconds = self._clocks.monotonic() - self._began
        if self._running:
            return await self._run(top_entities, self._encoder.stats, seconds)
        return top_entities(self._encoder.stats, seconds)

    async def entity_points(self) -> tuple[float, dict[str, int]]:
        """Return the seconds since the start, and the points of each entity or event type."""
        seconds = self._clocks.monotonic() - self._began
        if self._running:
            return seconds, await self._run(entity_points, self._encoder.stats)
        return seconds, entity_points(self._encoder.stats)

    async def entity_statistics(self) -> tuple[float, dict[str, EntityPoints]]:
        """Return the seconds since the start, and what was written of each entity."""
        seconds = self._clocks.monotonic() - self._began
        stats, last = self._encoder.stats, self._noise_filter.last_written.last
        if self._running:
            return seconds, await self._run(entity_statistics, stats, last)
        return seconds, entity_statistics(stats, last)

    async def snapshot(self) -> Snapshot:
        """Commit, and copy the state of health, all of it from the same moment."""
        if not self._running or self._stopped:
            return self._snapshot()
        return await self._run(self._commit_and_copy, self._take())

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

    def _take(self) -> IntakeContent:
        return self.intake.take(self._schedule.since)

    async def _commit(self, *, is_last: bool = False) -> None:
        await self._run(self._commit_taken, self._take(), is_last=is_last)

    def _submit_commit(self) -> Future[None]:
        return self._executor.submit(self._commit_taken, self._take())

    def _commit_taken(self, taken: IntakeContent, *, is_last: bool = False) -> None:
        """Commit items, in the spool's thread; the event loop is called only for changes."""
        buffer, began = self._buffer, self._clocks.monotonic()
        before, last_seq = (buffer.disk_error, buffer.is_open), buffer.last_seq
        try:
            self._committer.commit(taken, is_last=is_last)
        except Exception:
            _LOGGER.exception("Commit failed; the next one continues")
        self._measure(taken, began, max(last_seq, buffer.found_seq))
        self._held_since = min(self._held_since, began) if buffer.held else math.inf
        self._schedule.note(min(self._committer.next_due, buffer.next_due(self._clocks.monotonic)))
        if self._loop is None:
            return
        if (buffer.disk_error, buffer.is_open) != before:
            self._loop.call_soon_threadsafe(self._changed)
        if self._exporter.needs_notify(buffer.pending + buffer.held):
            self._loop.call_soon_threadsafe(self._exporter.notify)

    def _measure(self, taken: IntakeContent, began: float, last_seq: int) -> None:
        """Note how long a commit took, and since when its points wait."""
        ended, since = self._clocks.monotonic(), min(taken.since, began)
        self._commit_seconds.observe(ended - began)
        self._capture_times.note(last_seq, self._buffer.last_seq, min(since, self._held_since))
        if taken.received:
            self._received.add(taken.received)
            self._last_received = datetime.now(UTC)
        if taken.items:
            self._captured_to_committed.observe(ended - since)

    def _captured_at(self, batch: Batch) -> float | None:
        """When the oldest point of a batch was captured, by the monotonic clock."""
        if not batch.spans:
            return self._held_since if self._held_since < math.inf else None
        if (known := self._capture_times.of(batch.spans[0][0])) is not None:
            return known
        age = self._spool.oldest_age
        return None if age is None else self._clocks.monotonic() - age

    def _changed(self) -> None:
        self._on_change()

    def _commit_and_copy(self, taken: IntakeContent) -> Snapshot:
        self._commit_taken(taken)
        self._thread_seconds = time.thread_time()
        return self._snapshot()

    def _oldest_age(self) -> float | None:
        """For how long the oldest point of the backlog waits, on disk or in memory."""
        on_disk = self._spool.oldest_age if self._spool.pending else -math.inf
        if on_disk is None:
            return None  # it came while the clock was not set
        since = self._noise_filter.held_since
        if self.ledger.held:
            since = min(since, self._held_since)
        elif self.intake:
            since = min(since, self._schedule.since)
        oldest = max(on_disk, self._clocks.monotonic() - since)
        return None if oldest == -math.inf else max(oldest, 0.0)

    def _snapshot(self) -> Snapshot:
        pending = self._spool.pending
        return Snapshot(
            is_open=self._buffer.is_open,
            ledger=self.ledger.as_dict(),
            pending=pending,
            waiting=self.ledger.waiting,
            unbalanced=self.ledger.imbalance(pending) if self._buffer.is_open else "",
            spool_bytes=self._spool.disk_bytes,
            spool_error=self._buffer.disk_error or self._quarantine.disk_error,
            export=self._exporter.state,
            breaker=self._exporter.breaker,
            history=self._exporter.history,
            rejection=self._quarantine.newest,
            spool_limit=self._settings.max_bytes,
            oldest_age=self._oldest_age(),
            unanswered=self._exporter.unanswered,
            performance=self._performance(),
            breaker_changes=self._exporter.breaker_changes,
        )

    def _performance(self) -> Performance:
        writer, end_to_end = self._writer, self._end_to_end
        return Performance(
            uptime=self._clocks.monotonic() - self._began,
            received_per_minute=self._received.per_minute(),
            written_per_minute=end_to_end.written.per_minute(),
            last_received=self._last_received,
            requests={str(kind): count for kind, count in writer.results.items()},
            failures={str(problem): count for problem, count in writer.problems.items()},
            last_success=writer.last_success,
            last_failure=writer.last_failure,
            sent_bytes=writer.sent_bytes,
            captured_to_committed=self._captured_to_committed.copy(),
            commit=self._commit_seconds.copy(),
            request=writer.latency.copy(),
            captured_to_acknowledged=end_to_end.seconds.copy(),
            thread_seconds=self._thread_seconds,
            queue_bytes=self._buffer.held_bytes + writer.body_bytes,
            disk_bytes=self._files.written,
        )

    def _run_sliced[T](self, slices: Slices[T]) -> Awaitable[T]:
        return asyncio.shield(asyncio.wrap_future(self._sliced.submit(slices)))

    def _run[**P, T](
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T]:
        # Shielded, because a job that waits for its turn would be dropped with its caller.
        job = self._executor.submit(partial(function, *args, **kwargs))
        return asyncio.shield(asyncio.wrap_future(job))
