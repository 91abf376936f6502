"""Reads points from the front of the spool, and settles them there."""

import logging

from ..ledger import DAMAGED, Fate, Ledger
from .batch import Batch, gather
from .lock import Lock
from .progress import StoredProgress
from .segments.segments import Segments
from .sequence import SequenceNumbers

_LOGGER = logging.getLogger(__name__)


class SpoolReader:
    """Methods may raise OSError; what they did not do can be tried again."""

    def __init__(
        self,
        segments: Segments,
        numbers: SequenceNumbers,
        ledger: Ledger,
        *,
        progress: StoredProgress,
        lock: Lock,
    ) -> None:
        """Prepare; `progress` and `lock` are the files that may be deleted with the segments."""
        self._segments = segments
        self._numbers = numbers
        self._ledger = ledger
        self._progress = progress
        self._lock = lock

    def read(self, max_points: int, max_bytes: int) -> Batch | None:
        """Return the next points, or None; the same ones again until they are settled."""
        try:
            batch = self._gather(max_points, max_bytes)
        except FileNotFoundError:
            self.recover_deleted()
            batch = self._gather(max_points, max_bytes)
        if batch is None:
            self._settle_missing()
        return batch

    def left(self, batch: Batch) -> int:
        """Return how many points of a batch are not settled: the last ones of it."""
        after = self._numbers.acked + 1
        return sum(last - max(first, after) + 1 for first, last in batch.spans if last >= after)

    def settle(self, batch: Batch, fate: Fate, reason: str) -> None:
        """Account for a batch and go on behind it; damaged points before it are lost."""
        acked = self._numbers.acked
        if batch.last_seq <= acked:
            return  # evicted while it was under way, and counted there
        points = self.left(batch)
        self._ledger.settle(fate, points, reason)
        if missing := batch.last_seq - acked - points:
            self._ledger.lost[DAMAGED] += missing
        if batch.end:
            self._segments.advance_reader(batch.end)
        self._numbers.advance(batch.last_seq, durable=fate != "written" or missing > 0)

    def _gather(self, max_points: int, max_bytes: int) -> Batch | None:
        acked = self._numbers.acked
        return gather(self._segments.frames(acked), acked, max_points, max_bytes)

    def recover_deleted(self) -> None:
        """Recover after open files were deleted: their points are lost, once they are missed."""
        self._segments.forget_missing()
        self._lock.release()
        self._lock.take()
        self._progress.open()

    def _settle_missing(self) -> None:
        if pending := self._numbers.pending:
            _LOGGER.warning("%s points in the spool could not be read back", pending)
            self._ledger.lost[DAMAGED] += pending
            self._numbers.advance(self._numbers.last, durable=True)
