"""Since when points wait, and how long commits take."""

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime

from .capture_times import CaptureTimes
from .histogram import Histogram
from .model import IntakeContent
from .rate import Rates
from .spool.batch import Batch
from .spool.buffer import Buffer
from .spool.spool import Spool


class CommitTimes:
    """Used by the spool's thread; another may read the public ones. `clock` is monotonic."""

    def __init__(
        self, *, buffer: Buffer, spool: Spool, clock: Callable[[], float], rates: Rates
    ) -> None:
        """Begin with no commit."""
        # Since when points wait in memory for the disk.
        self.held_since = math.inf
        self.rates = rates
        self.last_received: datetime | None = None
        self.captured_to_committed, self.commit = Histogram(), Histogram()
        # The processor time of the thread.
        self.thread_seconds = 0.0
        self._buffer = buffer
        self._spool = spool
        self._clock = clock
        self._capture_times = CaptureTimes()

    def note(self, taken: IntakeContent, *, began: float, last_seq: int) -> None:
        """Note that a commit has ended; `last_seq` was the newest point before it."""
        ended, since, buffer = self._clock(), min(taken.since, began), self._buffer
        self.commit.observe(ended - began)
        before = max(last_seq, buffer.found_seq)
        self._capture_times.note(before, buffer.last_seq, min(since, self.held_since))
        self.count(taken, buffer.last_seq - before)
        if taken.received:
            self.last_received = datetime.now(UTC)
        if taken.items:
            self.captured_to_committed.observe(ended - since)
        self.held_since = min(self.held_since, began) if buffer.held else math.inf

    def count(self, taken: IntakeContent, captured: int) -> None:
        """Count what came in, and the points that were captured of it."""
        here = taken.received - taken.received_elsewhere
        for rate, count in (
            (self.rates.received, taken.received),
            (self.rates.received_here, here),
            (self.rates.captured, captured),
        ):
            if count > 0:
                rate.add(count)

    def note_thread(self) -> None:
        """Note how much processor time the thread that calls this has used."""
        self.thread_seconds = time.thread_time()

    def captured_at(self, batch: Batch) -> float | None:
        """When the oldest point of a batch was captured, by the clock; None if not known."""
        if not batch.spans:
            return self.held_since if self.held_since < math.inf else None
        if (known := self._capture_times.of(batch.spans[0][0])) is not None:
            return known
        age = self._spool.oldest_age
        return None if age is None else self._clock() - age
