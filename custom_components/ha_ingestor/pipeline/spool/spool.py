"""The durable queue: lines in, batches out, acknowledged from the front.

    000…001.seg   000…513.seg   000…999.seg
    ░░░░░░▓▓▓▓▓   ▓▓▓▓▓▓▓▓▓▓▓   ▓▓▓▓▓→ append      ░ acknowledged   ▓ pending
          ↑ acked + 1                 ↑ next_seq

Every line has a sequence number that is settled once: written, quarantined, evicted or lost. The
acknowledged prefix only grows, and a number is never given out twice: the cursor knows them before
they are written. What the files hold is the truth, and the cursor a hint where they say more.
Synchronous; one thread uses it.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from ..clock import CLOCKS_ARE_SET, steady_clock
from ..files import Files
from ..ledger import Fate, Ledger
from .batch import Batch
from .deferred import PutAside
from .durability import Unsynced
from .eviction import Eviction
from .lock import Lock
from .packing import Packer
from .progress import StoredProgress
from .quarantine.appended import Appended
from .recovery import SpoolPosition, recover
from .room import Room
from .segments.segments import Segments
from .sequence import UNKNOWN_TIME, SequenceNumbers
from .settings import SpoolSettings
from .spool_reader import SpoolReader
from .spool_writer import SpoolWriter
from .trial import try_disk

# How often it is tried again to remove a file or to write the cursor, when the disk refused.
RETRY_SECONDS: Final = 5.0
# How long a commit puts aside what waited for the disk: each point is synced, and events wait.
SETTLE_SECONDS: Final = 0.1


class Spool:
    """See the module. Methods may raise OSError; what they did not do can be tried again."""

    def __init__(
        self,
        files: Files,
        ledger: Ledger,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        settings: SpoolSettings,
        *,
        position: SpoolPosition | None = None,
    ) -> None:
        """Prepare; `clock` is monotonic, `wall_clock` says once what time it is.

        With the `position` of an earlier spool of this process, `ledger` is its ledger.
        """
        self.ledger = ledger
        self.is_open = False
        # Nothing is known of what earlier processes counted. Nothing is stored before that is
        # made up for, as far as it can be.
        self.is_uncounted = False
        # How far it was when it was opened: numbers behind that never were appended.
        self.found = Appended(0, 0, 0)
        self._files = files
        self._clock = clock
        # Dates the frames.
        self._steady = steady_clock(clock, wall_clock)
        self._progress = StoredProgress(files, ledger)
        self._segments = Segments(files, settings.segment_bytes)
        self._unsynced = Unsynced(self._segments, clock, settings.durability)
        self._room = Room(
            files,
            self._segments,
            settings,
            clock=clock,
            steady=self._steady,
            wall_clock=wall_clock,
        )
        self._lock = Lock(files)
        self._position = position
        self._numbers = SequenceNumbers(self._progress, self._segments, self._unsynced)
        self._reader = SpoolReader(
            self._segments, self._numbers, ledger, progress=self._progress, lock=self._lock
        )
        self.eviction = Eviction(
            self._room, self._segments, self._numbers, ledger, self._reader.deferred
        )
        self._writer = SpoolWriter(
            self._segments,
            self._numbers,
            ledger,
            unsynced=self._unsynced,
            packer=Packer(compresses=settings.compress),
            eviction=self.eviction,
            wall_clock=self._steady,
        )
        self._retry_at = math.inf

    @property
    def position(self) -> SpoolPosition | None:
        """How far it came, once it was open."""
        return self._position

    @property
    def has_lost_counts(self) -> bool:
        """Whether earlier processes must have counted something that cannot be read."""
        return self.is_uncounted and (self._progress.is_lost or self.last_seq > 0)

    @property
    def disk_error(self) -> str:
        """The error of the disk that does not stop the points; empty without any."""
        error = self._progress.disk_error or self._segments.disk_error
        return error or self._reader.deferred.error

    @property
    def found_seq(self) -> int:
        """The newest number that was in the files when it was opened."""
        return self.found.last_seq

    @property
    def last_seq(self) -> int:
        """The sequence number of the newest point."""
        return self._numbers.last

    @property
    def acked(self) -> int:
        """The sequence number up to which every point is settled."""
        return self._numbers.acked

    @property
    def pending(self) -> int:
        """Points that wait for delivery."""
        return self._numbers.pending

    @property
    def deliverable(self) -> int:
        """Pending points that were not delivered already."""
        return self.pending - self._reader.deferred.points

    @property
    def oldest_age(self) -> float | None:
        """For how many seconds the oldest pending point waits; None if unknown, or without any."""
        since, now = self._segments.since(self.acked), self._steady()
        # The difference between a clock that was set and one that was not has no meaning.
        if since is None or (since < CLOCKS_ARE_SET) != (now < CLOCKS_ARE_SET):
            return None
        return max(now - since, 0.0)

    @property
    def oldest(self) -> int:
        """A time that no pending point is older than, in microseconds since 1970."""
        return self._numbers.oldest

    @property
    def keeps_oldest(self) -> bool:
        """Whether a full spool gives up the newest points."""
        return self._room.keeps_oldest

    @property
    def disk_bytes(self) -> int:
        """Size of all segments."""
        return self._segments.size

    @property
    def is_safe(self) -> bool:
        """Whether each point is on the disk for certain, or settled."""
        return self._numbers.is_safe

    @property
    def unsynced(self) -> bool:
        """Whether pending points are not known to be on disk, and should be."""
        return self._unsynced.needs_sync

    @property
    def due(self) -> float:
        """When work is due without new points, by the clock."""
        sync = self._unsynced.due if self.unsynced else math.inf
        retry = min(self._retry_at, self._clock() + RETRY_SECONDS) if self.disk_error else math.inf
        return min(sync, retry)

    # Start and end

    def open(self) -> None:
        """Recover what earlier processes left, whatever its state."""
        self._files.names()
        self._lock.take()
        stored = self._progress.open()
        self.is_uncounted = stored is None and self._position is None
        # The numbers in a file that cannot be read are known from the counts alone, and must not be
        # given out again.
        is_unsure = self.is_uncounted and self._progress.is_lost
        frames = self._segments.recover(gives_up=not is_unsure)
        found = recover(stored, frames, self._position)
        with suppress(OSError):  # then a power cut may cost what a killed process did not sync
            self._segments.sync_recovered(found.synced)
        # Nothing below fails, so that nothing is counted twice when this is tried again.
        if self._position is None:
            self.ledger.restore(stored or {}, recovered=found.last_seq - found.before.last_seq)
        # A frame says that these were settled before it, and a segment goes only when its points
        # are; all that settles without syncing the cursor is a delivery.
        self.ledger.written += found.acked - found.before.acked
        counted = 0 if self.is_uncounted else found.before.last_seq
        self.found = Appended(found.found_seq, counted, self.ledger.replayed)
        self._numbers.recovered(found)
        self._room.opened()
        self._position = SpoolPosition(found.acked, found.last_seq)
        self.is_open = True
        self._segments.release(found.acked)
        if not self.is_uncounted:
            self._numbers.save()

    def forget_replayed(self, points: int) -> None:
        """Forget points of the quarantine that were counted as appended, and still are in there.

        That is so where a process was killed in between. No number of a file is given out again.
        """
        if points and self._segments.is_complete and points <= self.last_seq - self.found_seq:
            self.ledger.forget_replayed(points)
            self._numbers.forget_last(points)
            self._position = SpoolPosition(self.acked, self.last_seq)

    def close(self) -> None:
        """Store everything on disk and close the files, in any case."""
        try:
            if self.is_open:
                self._numbers.save()
                self.sync()
                self._progress.sync()
        finally:
            if self.is_open:
                self._position = SpoolPosition(self.acked, self.last_seq)
            self.is_open = False
            self._segments.finish()
            self._progress.close()
            self._lock.release()

    # In

    def append(self, lines: list[str], oldest: int = UNKNOWN_TIME) -> None:
        """Move encoded lines to the end of the queue; they are captured from here on.

        No line is older than `oldest`. The ledger has them as held. After an error `lines` holds
        what was not appended. Raises SpoolFullError when the newest points are the ones to give up.
        """
        try:
            self._writer.append(lines, oldest)
        except FileNotFoundError:
            # Somebody deleted the files; what comes now need not be lost with them.
            self._reader.recover_deleted()
            self._writer.append(lines, oldest)

    def try_disk(self) -> None:
        """Raise OSError while the disk takes no file."""
        try_disk(self._files)

    def work(self) -> None:
        """Do what is due: sync, and try again what the disk refused."""
        now, has_more = self._clock(), False
        if now >= self._retry_at:
            self._segments.remove_settled()
            while has_more := self._reader.settle_next():
                if self._clock() - now > SETTLE_SECONDS:
                    break
            self._numbers.save()
        if not self.disk_error:
            self._retry_at = math.inf
        elif has_more:
            self._retry_at = now
        elif not now < self._retry_at < math.inf:
            self._retry_at = now + RETRY_SECONDS
        if now >= self._unsynced.due:
            self.sync()

    def sync(self) -> None:
        """Put everything appended on disk, and note the ledger."""
        self._writer.sync()

    # Out

    def read(self, max_points: int, max_bytes: int) -> Batch | None:
        """Return the next points, or None; the same ones again until they are settled."""
        return self._reader.read(max_points, max_bytes)

    def left(self, batch: Batch) -> int:
        """Return how many points of a batch are not settled: the last ones of it."""
        return self._reader.left(batch)

    def settle(self, batch: Batch, fate: Fate, reason: str = "") -> None:
        """Account for a batch and go on behind it; damaged points before it are lost."""
        self._reader.settle(batch, fate, reason)

    def set_aside(self, batch: Batch, later: PutAside, error: str) -> bool:
        """Go on behind a stored batch of which some points are put aside later.

        False where that are too many.
        """
        return self._reader.set_aside(batch, later, error)

    def note_ledger(self) -> None:
        """Store the counts, as far as the disk lets us."""
        if self.is_open:
            self._numbers.save()
