"""The pipeline of one destination: takes events, starts and stops, and tells its health.

Whatever touches the spool runs in its thread.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from .change_listener import ChangeListener, no_listener
from .commit_jobs import CommitJobs
from .committer import Committer, Watcher
from .encode.encoder import Encoder, Profile
from .entity_reports import EntityReports
from .export.export_state import ExportState
from .export.exporter import Exporter
from .export.pause import Pause
from .filter.filters import NoiseFilter
from .filter.intake import Intake
from .handover import Handover
from .health import Health
from .ledger import NO_NUMBER, Ledger
from .model import IntakeContent, Item, OwnPoint, StateEvent
from .past_events import PastEvents
from .quarantine_jobs import QuarantineJobs
from .snapshot import Snapshot
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
        past_events: PastEvents,
        quarantine: QuarantineJobs,
        reports: EntityReports,
        noise_filter: NoiseFilter,
        encoder: Encoder,
        spool: Spool,
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
        self.past_events = past_events
        self.quarantine = quarantine
        self.reports = reports
        self._noise_filter = noise_filter
        self._encoder = encoder
        self._spool = spool
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

    def count_filtered(self, reason: str, events: int = 1) -> None:
        """Count events that were counted as received, and are left out before they are offered."""
        self.intake.filtered[reason] += events
        self._schedule.counted()

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
            self._commits.end()
            self._stopped = asyncio.create_task(self._stop(hand_over=hand_over))
        return await asyncio.shield(self._stopped)

    async def _stop(self, *, hand_over: bool) -> Handover:
        export, self._export = self._export, None
        held: list[str] = []
        if export:
            # First to the disk: what follows may take longer than there is time for.
            await self._commits.commit_last(hand_over=hand_over)
            # Then to the database: what it takes now need not be sent after the next start.
            await self._exporter.stop(STOP_SECONDS)
            export.cancel()
            await asyncio.gather(export, return_exceptions=True)
            # Last the files, when nothing is settled any more.
            held = await self._thread.end(self._committer.close, hand_over=hand_over)
        elif self._resumed:
            return self._resumed  # it never started, and hands on what it was given
        return Handover(
            intake=self.intake,
            ledger=self.ledger,
            held=held,
            position=self._spool.position,
            noise_filter=self._noise_filter.hand_over(is_last=not hand_over),
            is_paused=self._pause.is_on if self._pause.is_known else None,
            rates=self._health.times.rates,
        )

    async def commit(self) -> bool:
        """Store offered items on disk; returns whether they are stored."""
        return await self._commits.commit()

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
        await self._commits.make_ready_for_more()
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

    def send_waiting(self) -> None:
        """Gather no more points; when the next attempt is after a failure stays as it is."""
        self._exporter.send_waiting()

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
        past = self.past_events
        return replace(found, recovery=past.recovery, backfill=past.backfill)

    @property
    def points_per_minute(self) -> float | None:
        """Points written in the last five minutes, by the minute."""
        return self._health.points_per_minute

    def is_unchanged_since(self, snapshot: Snapshot) -> bool:
        """Whether nothing happened since a snapshot in which nothing waited."""
        past = self.past_events
        is_same = (snapshot.recovery, snapshot.backfill) == (past.recovery, past.backfill)
        return is_same and self._health.is_unchanged_since(snapshot)

    def _commit_and_copy(self, taken: IntakeContent) -> Snapshot:
        self._commits.commit_taken(taken)
        self._health.times.note_thread()
        return self._health.snapshot()
