"""Reads points from the front of the spool, and settles them there."""

import logging

from ..files import disk_error_text
from ..ledger import DAMAGED, Fate, Ledger
from .batch import Batch, gather
from .deferred import Deferred, PutAside, Settled
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
        self.deferred = Deferred()

    def read(self, max_points: int, max_bytes: int) -> Batch | None:
        """Return the next points, or None; the same ones again until they are settled."""
        try:
            batch = self._gather(max_points, max_bytes)
        except FileNotFoundError:
            self.recover_deleted()
            batch = self._gather(max_points, max_bytes)
        if batch is None and not self.deferred.points:
            self._settle_missing()
        return batch

    def left(self, batch: Batch) -> int:
        """Return how many points of a batch are not settled: the last ones of it."""
        after = self.deferred.last_seq(self._numbers.acked) + 1
        return sum(last - max(first, after) + 1 for first, last in batch.spans if last >= after)

    def settle(self, batch: Batch, fate: Fate, reason: str) -> None:
        """Account for a batch and go on behind it; damaged points before it are lost."""
        if not self.left(batch):
            return  # evicted while it was under way, and counted there
        points = self.left(batch)
        settled = Settled(last_seq=batch.last_seq, points=points, fate=fate, reason=reason)
        if self.deferred.points:
            # Read on from where it was: frames behind that may be written anew, to other files.
            self.deferred.add(settled)
            return
        if batch.end:
            self._segments.advance_reader(batch.end)
        self._settle(settled)

    def set_aside(self, batch: Batch, later: PutAside, error: str) -> bool:
        """Go on behind a stored batch of which some points are put aside later.

        False where that are too many.
        """
        if not self.deferred.add_batch(batch, self._numbers.acked, later):
            return False
        self.settle_next()
        self.deferred.error = error
        return True

    def settle_next(self) -> bool:
        """Settle the first of what waits for the disk, if it can be put aside; never raises."""
        try:
            settled = self.deferred.next()
        except OSError as err:
            self.deferred.error = disk_error_text(err)
            return False
        if settled:
            self._settle(settled)
        return settled is not None

    def _settle(self, settled: Settled) -> None:
        self._ledger.settle(settled.fate, settled.points, settled.reason)
        if missing := settled.last_seq - self._numbers.acked - settled.points:
            self._ledger.lost[DAMAGED] += missing
        durable = settled.fate != "written" or missing > 0
        self._numbers.advance(settled.last_seq, durable=durable)

    def _gather(self, max_points: int, max_bytes: int) -> Batch | None:
        after = self.deferred.last_seq(self._numbers.acked)
        return gather(self._segments.frames(after), after, max_points, max_bytes)

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
