"""The pipeline of one destination: takes events, starts and stops, and tells its health.

Whatever touches the spool runs in its thread.
"""

import asyncio
import errno
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from .change_listener import ChangeListener, no_listener
from .commit_jobs import CommitJobs
from .committer import Committer, Watcher
from .encode.encoder import Encoder, Profile
from .encode.own_points import NO_NUMBER
from .entity_reports import EntityReports
from .export.export_state import ExportState
from .export.exporter import Exporter
from .export.pause import Pause
from .filter.filters import NoiseFilter
from .filter.intake import Intake
from .filter.recovered import RecoveredFilter
from .handover import Handover
from .health import Health
from .ledger import Ledger
from .model import IntakeContent, Item, OwnPoint, StateEvent
from .past import Past
from .quarantine_jobs import QuarantineJobs
from .snapshot import Backfill, Recovery, Snapshot
from .spool.buffer import Buffer
from .spool.captured_until import CapturedUntil
from .spool.spool import Spool
from .spool_thread import SpoolThread

# The stop of Home Assistant must not be delayed.
STOP_SECONDS: Final = 5.0


class Pipeline:
    """Intake, commit and export of one destination."""

    def __init__(
        self,
        *,
        intake: Intake,
        ledger: Ledger,
        captured_until: CapturedUntil,
        quarantine: QuarantineJobs,
        reports: EntityReports,
        noise_filter: NoiseFilter,
        encoder: Encoder,
        spool: Spool,
        buffer: Buffer,
        committer: Committer,
        commits: CommitJobs,
        pause: Pause,
        exporter: Exporter,
        health: Health,
        thread: SpoolThread,
        changes: ChangeListener,
        resumed: Handover | None,
    ) -> None:
        """Take the parts, as `build_pipeline` makes them; nothing runs before `start`.

        `resumed` is what the pipeline before this one left in memory.
        """
        self.intake = intake
        self.ledger = ledger
        self.captured_until = captured_until
        self.quarantine = quarantine
        self.reports = reports
        # Set by the sources of the past.
        self.recovery = Recovery()
        self.backfill = Backfill()
        self._noise_filter = noise_filter
        self._encoder = encoder
        self._spool = spool
        self._buffer = buffer
        self._committer = committer
        self._commits = commits
        self._schedule = commits.schedule
        self._pause = pause
        self._exporter = exporter
        self._health = health
        self._thread = thread
        self._changes = changes
        self._resumed = resumed
        self._export: asyncio.Task[None] | None = None
        self._stopped: asyncio.Task[Handover] | None = None

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
        return self._committer.watch(watcher)

    def start_heartbeats(self, state_events: Iterable[StateEvent]) -> None:
        """Start the heartbeats of entities without events, from these states."""
        self._noise_filter.start_heartbeats(state_events)
        self._schedule.commit_soon()

    def start(self, on_change: Callable[[], None] = no_listener) -> None:
        """Begin; the spool is opened in its own thread, what is captured meanwhile waits.

        `on_change` is called in the event loop whenever delivery or the disk is in another state.
        """
        self._changes.listener = on_change
        self._thread.is_running = True
        self._commits.start()
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
            await self._commits.commit(is_last=not hand_over)
            await self._exporter.stop(STOP_SECONDS)
            export.cancel()
            await asyncio.gather(export, return_exceptions=True)
            held = await self._thread.end(self._committer.close, hand_over=hand_over)
        elif self._resumed:
            return self._resumed  # it never started, and hands on what it was given
        return Handover(
            intake=self.intake,
            ledger=self.ledger,
            held=held,
            position=self._spool.position,
            noise_filter=self._noise_filter.hand_over(),
            is_paused=self._pause.is_on if self._pause.is_known else None,
            written=self._health.end_to_end.written,
        )

    async def commit(self) -> bool:
        """Store offered items on disk; returns whether they are stored."""
        if self._stopped is None:
            await self._commits.commit()
        return not self._buffer.held

    @property
    def profile(self) -> Profile:
        """What a point looks like."""
        return self._encoder.profile

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
        await self._ready_for_more()
        self.intake.received += len(points) + left_out
        if left_out:
            self.intake.filtered[NO_NUMBER] += left_out
        for point in points:
            self.offer(point)
        return await self.commit()

    async def load_captured_until(self) -> float | None:
        """Return up to when an earlier process captured this home; None if that is not known."""
        return await self._thread.run(self._committer.load_captured_until)

    def remembers(self, entity_id: str) -> bool:
        """Whether it is known what an earlier process wrote last, and nothing has followed it."""
        return self._noise_filter.last_written.before_gap(entity_id) is not None

    def begin_past(self, *, is_gap: bool) -> Past:
        """Begin a span of the past, whose events come in their order.

        In a gap nothing was captured so far.
        """
        noise_filter = self._noise_filter
        return Past(
            recovered_filter=RecoveredFilter(
                ledger=self.ledger,
                settings=noise_filter.settings,
                last_written=noise_filter.last_written if is_gap else None,
            ),
            encoder=Encoder(profile=self._encoder.profile),
        )

    async def recover(
        self, past: Past, items: Sequence[StateEvent | OwnPoint], filtered: Counter[str]
    ) -> int:
        """Store what is of the past, which was counted by nobody; return how many points it gives.

        `filtered` are those that the source left out. Raises OSError when the disk takes nothing,
        or the pipeline has stopped.
        """
        await self._ready_for_more()
        received = len(items) + filtered.total()
        taken = IntakeContent(items=list(items), received=received, filtered=filtered)
        points = await self._thread.run(self._committer.commit_recovered, past, taken)
        if self._exporter.needs_notify(self._buffer.pending + self._buffer.held):
            self._exporter.notify()
        return points

    async def sync(self) -> None:
        """Put what was recovered on the disk: who notes how far that is must not be ahead."""
        await self._thread.run(self._buffer.sync)

    @property
    def spool_fill(self) -> float:
        """How much of the room for the spool is used, from 0 to 1."""
        return self._spool.disk_bytes / self._health.spool_limit

    async def _ready_for_more(self) -> None:
        """Store what is captured so far; raises OSError if nothing more can be stored."""
        await self.commit()
        if self._stopped:
            raise OSError(errno.ESHUTDOWN, "The destination is not loaded any more")
        if self._buffer.error:
            raise OSError(errno.EIO, self._buffer.error)

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

    @property
    def sample(self) -> tuple[str, ...]:
        """Some of the lines that were stored last, for a report."""
        return self._committer.sample

    async def snapshot(self) -> Snapshot:
        """Commit, and copy the state of health, all of it from the same moment."""
        if not self._thread.is_running or self._stopped:
            found = self._health.snapshot()
        else:
            found = await self._thread.run(self._commit_and_copy, self._commits.take())
        return replace(found, recovery=self.recovery, backfill=self.backfill)

    @property
    def points_per_minute(self) -> float | None:
        """Points written in the last five minutes, by the minute."""
        return self._health.points_per_minute

    def is_unchanged_since(self, snapshot: Snapshot) -> bool:
        """Whether nothing happened since a snapshot in which nothing waited."""
        is_same = (snapshot.recovery, snapshot.backfill) == (self.recovery, self.backfill)
        return is_same and self._health.is_unchanged_since(snapshot)

    def _commit_and_copy(self, taken: IntakeContent) -> Snapshot:
        self._commits.commit_taken(taken)
        self._health.times.note_thread()
        return self._health.snapshot()
