"""How far the points of a spool are appended, synced and settled, by their sequence numbers."""

from typing import Final

from .durability import Unsynced
from .progress import StoredProgress
from .recovery import Recovered
from .segments.segments import Segments

# Points of earlier processes and of the quarantine may be of any time, and so may those that
# somebody has written.
UNKNOWN_TIME: Final = 0
# Without a point: later than any.
NO_TIME: Final = 1 << 63


class SequenceNumbers:
    """Counts up, and has it stored: `progress` is a copy of this on the disk.

    Every point up to `acked` is settled, and `last` is the newest one. No pending point is older
    than `oldest`, in microseconds since 1970.
    """

    def __init__(self, progress: StoredProgress, segments: Segments, unsynced: Unsynced) -> None:
        """Start without a point."""
        self.acked = 0
        self.last = 0
        self.oldest = UNKNOWN_TIME
        self._progress = progress
        self._segments = segments
        self._unsynced = unsynced
        self._synced = 0
        self._durable_acked = 0

    @property
    def pending(self) -> int:
        """Points that wait for delivery."""
        return self.last - self.acked

    @property
    def is_safe(self) -> bool:
        """Whether each point is on the disk for certain, or settled."""
        return max(self._synced, self.acked) >= self.last

    def recovered(self, found: Recovered) -> None:
        """Go on after the points that were found."""
        self.acked, self.last = found.acked, found.last_seq
        self._synced = found.last_seq
        self._durable_acked = found.durable_acked

    def appended(self, count: int, oldest: int) -> None:
        """Give numbers to new points, of which none is older than `oldest`."""
        self.last += count
        self.oldest = min(self.oldest, oldest)

    def forget_last(self, count: int) -> None:
        """Forget the last numbers, which no point has."""
        self.last -= count
        self._synced = min(self._synced, self.last)
        self.save()

    def synced(self) -> None:
        """Note that every point is on the disk."""
        self._synced = self.last
        self.save()

    def advance(self, acked: int, *, durable: bool = False) -> None:
        """Move the acknowledged prefix; first the cursor, then the files it frees."""
        self.acked = acked
        if not self.pending:
            self.oldest = NO_TIME
        self._unsynced.settle(acked)
        self.save()
        # Removing points that a power cut would have spared must not outlive the cursor's knowledge
        # of them. Points that never had to be on disk may vanish together with the cursor.
        spared = self._durable_acked < self._synced and self._segments.frees(acked)
        if (durable or spared) and self._progress.sync():
            self._durable_acked = acked
        self._segments.release(acked)

    def save(self, upcoming: int = 0) -> None:
        """Store the numbers and the counts, as far as the disk lets us."""
        self._progress.save(
            acked=self.acked, synced=self._synced, last=self.last, upcoming=upcoming
        )
