"""Reads the health of a pipeline from its parts."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .commit_schedule import CommitSchedule
from .commit_times import CommitTimes
from .export.end_to_end import EndToEnd
from .export.exporter import Exporter
from .export.measured_writer import MeasuredWriter
from .filter.filters import NoiseFilter
from .filter.intake import Intake
from .ledger import Ledger
from .performance import Performance
from .snapshot import Snapshot
from .spool.storage import Storage

# Points come in bursts, and requests gather them for some seconds: a minute would jump.
RATE_MINUTES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Used by the spool's thread while it runs, between commits: so the counts add up.

    `clock` is monotonic, and showed `began` when the pipeline was made.
    """

    intake: Intake
    schedule: CommitSchedule
    noise_filter: NoiseFilter
    ledger: Ledger
    storage: Storage
    exporter: Exporter
    writer: MeasuredWriter
    times: CommitTimes
    end_to_end: EndToEnd
    clock: Callable[[], float]
    began: float

    @property
    def uptime(self) -> float:
        """Seconds since the pipeline was made."""
        return self.clock() - self.began

    @property
    def points_per_minute(self) -> float | None:
        """Points written in the last five minutes, by the minute."""
        return self.end_to_end.written.per_minute(RATE_MINUTES)

    def snapshot(self) -> Snapshot:
        """Copy the state of health, all of it from the same moment."""
        spool, buffer = self.storage.spool, self.storage.buffer
        quarantine, pending = self.storage.quarantine, spool.pending
        return Snapshot(
            is_open=buffer.is_open,
            ledger=self.ledger.as_dict(),
            pending=pending,
            waiting=self.ledger.waiting,
            unbalanced=self.ledger.imbalance(pending) if buffer.is_open else "",
            spool_bytes=spool.disk_bytes,
            spool_error=buffer.disk_error or quarantine.disk_error,
            is_spool_defect=buffer.is_defect,
            export=self.exporter.state,
            breaker=self.exporter.breaker,
            history=self.exporter.history,
            rejection=quarantine.newest,
            spool_limit=self.storage.limit,
            oldest_age=self._oldest_age(),
            points_per_minute=self.points_per_minute,
            unanswered=self.exporter.unanswered,
            performance=self._performance(),
            breaker_changes=self.exporter.breaker_changes,
        )

    def is_unchanged_since(self, snapshot: Snapshot) -> bool:
        """Whether nothing happened since a snapshot in which nothing waited. In the event loop."""
        is_quiet = snapshot.is_open and not (snapshot.backlog or snapshot.spool_error)
        return (
            is_quiet
            and not (self.intake or self.intake.received)
            and self.ledger.received == snapshot.ledger["received"]
            and self.exporter.state == snapshot.export
            and self.exporter.breaker == snapshot.breaker
        )

    def _oldest_age(self) -> float | None:
        """For how long the oldest point of the backlog waits, on disk or in memory."""
        spool = self.storage.spool
        on_disk = spool.oldest_age if spool.pending else -math.inf
        if on_disk is None:
            return None  # it came while the clock was not set
        since = self.noise_filter.held_since
        if self.ledger.held:
            since = min(since, self.times.held_since)
        elif self.intake:
            since = min(since, self.schedule.since)
        oldest = max(on_disk, self.clock() - since)
        return None if oldest == -math.inf else max(oldest, 0.0)

    def _performance(self) -> Performance:
        writer, times, end_to_end = self.writer, self.times, self.end_to_end
        return Performance(
            uptime=self.uptime,
            received_per_minute=times.rates.received.per_minute(),
            received_here_per_minute=times.rates.received_here.per_minute(),
            captured_per_minute=times.rates.captured.per_minute(),
            written_per_minute=end_to_end.written.per_minute(),
            last_received=times.last_received,
            requests={str(kind): count for kind, count in writer.results.items()},
            failures={str(problem): count for problem, count in writer.problems.items()},
            last_success=writer.last_success,
            last_failure=writer.last_failure,
            sent_bytes=writer.sent_bytes,
            captured_to_committed=times.captured_to_committed.copy(),
            commit=times.commit.copy(),
            request=writer.latency.copy(),
            captured_to_acknowledged=end_to_end.seconds.copy(),
            thread_seconds=times.thread_seconds,
            queue_bytes=self.storage.buffer.held_bytes + writer.body_bytes,
            disk_bytes=self.storage.files.written,
        )
