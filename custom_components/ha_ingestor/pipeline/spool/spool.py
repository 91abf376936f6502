"""The durable queue: lines in, batches out, acknowledged from the front.

    000…001.seg   000…513.seg   000…999.seg
    ░░░░░░▓▓▓▓▓   ▓▓▓▓▓▓▓▓▓▓▓   ▓▓▓▓▓→ append      ░ acknowledged   ▓ pending
          ↑ acked + 1                 ↑ next_seq

Every line has a sequence number that is settled once: written, quarantined, evicted or lost. The
acknowledged prefix only grows, and a number is never given out twice: the cursor knows them before
they are written. What the files hold is the truth, and the cursor a hint where they say more.
Synchronous; one thread uses it.
"""

import errno
import logging
import math
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple

from ..clock import CLOCKS_ARE_SET
from ..ledger import Fate, Ledger
from .batch import Batch, chunk, gather
from .durability import Unsynced
from .files import Files
from .frame import TIME_MAX, Compressor, pack
from .progress import StoredProgress
from .segments import Segments
from .settings import TOO_OLD, ClockReadings, SpoolSettings, WhenFull

_LOGGER = logging.getLogger(__name__)

# A frame is the unit of loss when bytes are damaged, and of memory when it is read.
FRAME_POINTS: Final = 500
FRAME_BYTES: Final = 256 * 1024
# Below this a frame saves less than a sector of the disk.
COMPRESS_FROM: Final = 1024
# What is delivered within seconds hardly reaches the disk. An ordinary home makes a frame of less
# than a page with every commit, and to compress these would be a sixth of all work.
COMPRESS_AT_ONCE_FROM: Final = 4096
BACKLOG_POINTS: Final = 500
# How often it is tried again to remove a file or to write the cursor, when the disk refused.
RETRY_SECONDS: Final = 5.0

# Points of earlier processes and of the quarantine may be of any time, and so may those that
# somebody has written.
UNKNOWN_TIME: Final = 0
_NO_TIME: Final = 1 << 63

DISK_LOW: Final = "disk_low"
MEMORY_FULL: Final = "memory_full"


class SpoolFullError(OSError):
    """There is no room for new points, and older ones are not to be given up for them."""


class SpoolPosition(NamedTuple):
    """How far an earlier spool of this process came: known even where it could not be stored."""

    acked: int
    last_seq: int


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
        # The newest number that was found when it was opened: later ones never were appended.
        self.found_seq = 0
        self._files = files
        self._clock = clock
        self._wall_clock = wall_clock
        # Frames are dated by a clock that never jumps.
        self._steady_offset = wall_clock() - clock()
        self._settings = settings
        self._compress = Compressor() if settings.compress else None
        self._progress = StoredProgress(files, ledger)
        self._segments = Segments(files, settings.segment_bytes)
        self._unsynced = Unsynced(self._segments, clock, settings.durability)
        self._position = position
        self._lock = -1
        self._next_seq = 1
        self._acked = 0
        self._synced_seq = 0
        self._durable_acked = 0
        self._opened_at = 0.0
        self._oldest = UNKNOWN_TIME
        self._retry_at = math.inf

    @property
    def position(self) -> SpoolPosition | None:
        """How far it came, once it was open."""
        return self._position

    @property
    def disk_error(self) -> str:
        """The error of the disk that does not stop the points; empty without any."""
        return self._progress.disk_error or self._segments.disk_error

    @property
    def last_seq(self) -> int:
        """The sequence number of the newest point."""
        return self._next_seq - 1

    @property
    def acked(self) -> int:
        """The sequence number up to which every point is settled."""
        return self._acked

    @property
    def pending(self) -> int:
        """Points that wait for delivery."""
        return self._next_seq - 1 - self._acked

    @property
    def oldest_age(self) -> float | None:
        """For how many seconds the oldest pending point waits; None if unknown, or without any."""
        since, now = self._segments.since(self._acked), self._steady()
        # The difference between a clock that was set and one that was not has no meaning.
        if since is None or (since < CLOCKS_ARE_SET) != (now < CLOCKS_ARE_SET):
            return None
        return max(now - since, 0.0)

    @property
    def oldest(self) -> int:
        """A time that no pending point is older than, in microseconds since 1970."""
        return self._oldest

    @property
    def keeps_oldest(self) -> bool:
        """Whether a full spool gives up the newest points."""
        return self._settings.full is WhenFull.NEWEST

    @property
    def disk_bytes(self) -> int:
        """Size of all segments."""
        return self._segments.size

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
        if self._lock < 0:
            self._lock = self._files.lock()
        stored = self._progress.open()
        before = self._position or SpoolPosition(
            acked=int(stored.get("acked", 0)),
            last_seq=int(stored.get("last", stored.get("synced", 0))),
        )
        synced = int(stored.get("synced", 0))
        acked, found = before.acked, 0
        for frame in self._segments.recover():
            acked = max(acked, frame.acked)
            found = max(found, frame.last_seq)
        self.found_seq = max(found, acked)
        last = max(before.last_seq, self.found_seq)
        with suppress(OSError):  # then a power cut may cost what a killed process did not sync
            self._segments.sync_recovered(synced)
        # Nothing below fails, so that nothing is counted twice when this is tried again.
        if self._position is None:
            self.ledger.restore(stored, recovered=last - before.last_seq)
        # A frame says that these were settled before it, and a segment goes only when its points
        # are; all that settles without syncing the cursor is a delivery.
        self.ledger.written += acked - before.acked
        self._acked, self._next_seq = acked, last + 1
        self._synced_seq = last
        self._durable_acked = int(stored.get("acked", 0))
        self._opened_at = self._clock()
        self._position = SpoolPosition(acked, last)
        self.is_open = True
        self._segments.release(acked)
        self._save()

    def close(self) -> None:
        """Store everything on disk and close the files, in any case."""
        try:
            if self.is_open:
                self._save()
                self.sync()
                self._progress.sync()
        finally:
            if self.is_open:
                self._position = SpoolPosition(self._acked, self._next_seq - 1)
            self.is_open = False
            self._segments.finish()
            self._progress.close()
            self._unlock()

    def _unlock(self) -> None:
        if self._lock >= 0:
            lock, self._lock = self._lock, -1
            with suppress(OSError):
                self._files.close(lock)

    # In

    def append(self, lines: list[str], oldest: int = UNKNOWN_TIME) -> None:
        """Move encoded lines to the end of the queue; they are captured from here on.

        No line is older than `oldest`. The ledger has them as held. After an error `lines` holds
        what was not appended. Raises SpoolFullError when the newest points are the ones to give up.
        """
        self._unsynced.rewrite(self._acked)
        if lines:
            self._save(upcoming=len(lines))
        try:
            while lines:
                self._append_frame(lines, oldest)
        except OSError:
            self._save()
            raise

    def _append_frame(self, lines: list[str], oldest: int) -> None:
        count, payload = chunk(lines[:FRAME_POINTS], FRAME_BYTES)
        first, last = self._next_seq, self._next_seq + count - 1
        time = min(max(int(self._steady()), 0), TIME_MAX)
        data = pack(
            payload,
            first_seq=first,
            count=count,
            acked=self._acked,
            time=time,
            compress=self._compress if self._is_worth_compressing(len(payload)) else None,
        )
        self._make_room(len(data))
        self._unsynced.append(data, first_seq=first, last_seq=last, time=time)
        del lines[:count]
        self._next_seq = last + 1
        self._oldest = min(self._oldest, oldest)
        self.ledger.captured += count
        self.ledger.held -= count
        if self._segments.is_full:
            if self.unsynced:
                self.sync()
            self._segments.finish()
            self._unsynced.seal()

    def _is_worth_compressing(self, size: int) -> bool:
        is_backlog = self.pending >= BACKLOG_POINTS
        return size >= (COMPRESS_FROM if is_backlog else COMPRESS_AT_ONCE_FROM)

    def work(self) -> None:
        """Do what is due: sync, and try again what the disk refused."""
        now = self._clock()
        if now >= self._retry_at:
            self._segments.remove_settled()
            self._save()
        if not self.disk_error:
            self._retry_at = math.inf
        elif not now < self._retry_at < math.inf:
            self._retry_at = now + RETRY_SECONDS
        if now >= self._unsynced.due:
            self.sync()

    def sync(self) -> None:
        """Put everything appended on disk, and note the ledger."""
        self._unsynced.sync(self._acked)
        self._synced_seq = self._next_seq - 1
        self._save()

    # Out

    def read(self, max_points: int, max_bytes: int) -> Batch | None:
        """Return the next points, or None; the same ones again until they are settled."""
        try:
            batch = gather(self._segments.frames(self._acked), self._acked, max_points, max_bytes)
        except FileNotFoundError:
            self._recover_deleted()
            batch = gather(self._segments.frames(self._acked), self._acked, max_points, max_bytes)
        if batch is None:
            self._settle_missing()
        return batch

    def _recover_deleted(self) -> None:
        """Recover after open files were deleted: their points are lost."""
        self._segments.forget_missing()
        self._unlock()
        self._lock = self._files.lock()
        self._progress.open()

    def settle(self, batch: Batch, fate: Fate, reason: str = "") -> None:
        """Account for a batch and go on behind it; damaged points before it are lost."""
        acked = self._acked
        if batch.last_seq <= acked:
            return  # evicted while it was under way, and counted there
        points = sum(
            last - max(first, acked + 1) + 1 for first, last in batch.spans if last > acked
        )
        self.ledger.settle(fate, points, reason)
        if missing := batch.last_seq - acked - points:
            self.ledger.lost["damaged"] += missing
        if batch.end:
            self._segments.advance_reader(batch.end)
        self._advance(batch.last_seq, durable=fate != "written" or missing > 0)

    # Inside

    def evict_oldest(self) -> bool:
        """Evict the oldest segment to make room; False when there is none that may go."""
        if self.keeps_oldest or self._segments.oldest(self._acked) is None:
            return False
        try:
            self._evict(MEMORY_FULL)
        except OSError:
            return False
        return True

    def _settle_missing(self) -> None:
        if self.pending:
            _LOGGER.warning("%s points in the spool could not be read back", self.pending)
            self.ledger.lost["damaged"] += self.pending
            self._advance(self._next_seq - 1, durable=True)

    def _make_room(self, size: int) -> None:
        """Evict the oldest segments, so that new points can be stored, or raise SpoolFullError."""
        settings, segments = self._settings, self._segments
        now = ClockReadings(
            steady=self._steady(),
            open_for=self._clock() - self._opened_at,
            wall=self._wall_clock(),
        )
        # Each step acknowledges more, so this ends whatever the disk does.
        while (oldest := segments.oldest(self._acked)) and (
            reason := settings.excess(oldest, segments.size + size, now)
        ):
            self._evict_for_room(reason)
        if segments.disk_error and segments.size + size > settings.max_bytes:
            raise OSError(errno.ENOSPC, f"The spool cannot remove its files: {segments.disk_error}")
        # The disk belongs to Home Assistant first: while it is low, the spool goes on in the space
        # that it has.
        is_low = segments.needs_file and self._files.free_bytes() < settings.min_free_bytes
        if is_low and segments.oldest(self._acked):
            self._evict_for_room(DISK_LOW)

    def _evict_for_room(self, reason: str) -> None:
        if self.keeps_oldest and reason != TOO_OLD:
            raise SpoolFullError(errno.ENOSPC, "The spool is full")
        self._evict(reason)

    def _evict(self, reason: str) -> None:
        last_seq = self._segments.evict(self._acked)
        self.ledger.evicted_for[reason] += last_seq - self._acked
        self._advance(last_seq, durable=True)

    def _advance(self, acked: int, *, durable: bool = False) -> None:
        """Move the acknowledged prefix; first the cursor, then the files it frees."""
        self._acked = acked
        if not self.pending:
            self._oldest = _NO_TIME
        self._unsynced.settle(acked)
        self._save()
        # Removing points that a power cut would have spared must not outlive the cursor's knowledge
        # of them. Points that never had to be on disk may vanish together with the cursor.
        spared = self._durable_acked < self._synced_seq and self._segments.frees(acked)
        if (durable or spared) and self._progress.sync():
            self._durable_acked = acked
        self._segments.release(acked)

    def note_ledger(self) -> None:
        """Store the counts, as far as the disk lets us."""
        if self.is_open:
            self._save()

    def _save(self, upcoming: int = 0) -> None:
        self._progress.save(
            acked=self._acked, synced=self._synced_seq, last=self._next_seq - 1, upcoming=upcoming
        )

    def _steady(self) -> float:
        return self._clock() + self._steady_offset
