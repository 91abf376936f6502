"""The durable queue: lines in, batches out, acknowledged from the front.

    000…001.seg   000…513.seg   000…999.seg
    ░░░░░░▓▓▓▓▓   ▓▓▓▓▓▓▓▓▓▓▓   ▓▓▓▓▓→ append      ░ acknowledged   ▓ pending
          ↑ acked + 1                 ↑ next_seq

Every line has a sequence number that is settled once: written, quarantined, evicted or lost. What
the files hold is the truth and the cursor is a hint. Synchronous; one thread uses it.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Literal

from .batch import Batch, chunk, gather
from .cursor import Cursor
from .durability import Unsynced
from .files import Files
from .frame import pack
from .ledger import Ledger
from .segments import Segments
from .spool_settings import CLOCKS_ARE_SET, SpoolSettings

_LOGGER = logging.getLogger(__name__)

# A frame is the unit of loss when bytes rot, and of memory when it is read.
FRAME_POINTS: Final = 500
FRAME_BYTES: Final = 256 * 1024


class Spool:
    """See the module. Methods may raise OSError; what they did not do can be tried again."""

    def __init__(
        self,
        files: Files,
        ledger: Ledger,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        settings: SpoolSettings,
    ) -> None:
        """Prepare; `clock` is monotonic, `wall_clock` dates the frames."""
        self.ledger = ledger
        self.is_open = False
        self._files = files
        self._wall_clock = wall_clock
        self._settings = settings
        self._cursor = Cursor(files)
        self._segments = Segments(files, settings.segment_bytes)
        self._unsynced = Unsynced(self._segments, clock, settings.durability)
        self._lock = -1
        self._next_seq = 1
        self._acked = 0
        self._synced_seq = 0
        self._durable_acked = 0

    @property
    def last_seq(self) -> int:
        """The sequence number of the newest point."""
        return self._next_seq - 1

    @property
    def pending(self) -> int:
        """Points that wait for delivery."""
        return self._next_seq - 1 - self._acked

    @property
    def pending_since(self) -> int | None:
        """When the oldest pending point was written, in seconds since 1970; None if unknown."""
        since = self._segments.since(self._acked)
        return None if since is None or since < CLOCKS_ARE_SET else since

    @property
    def disk_bytes(self) -> int:
        """Size of all segments."""
        return self._segments.size

    @property
    def unsynced(self) -> bool:
        """Whether pending points are not known to be on disk, and should be."""
        return self._unsynced.should_be_synced

    # Start and end

    def open(self) -> None:
        """Recover what earlier processes left, whatever its state."""
        self._files.names()
        if self._lock < 0:
            self._lock = self._files.lock()
        self._cursor.close()  # an earlier attempt may have come this far
        stored = self._cursor.open()
        acked = cursor_acked = int(stored.get("acked", 0))
        last = synced = int(stored.get("synced", 0))
        for frame in self._segments.recover():
            acked = max(acked, frame.acked)
            last = max(last, frame.last_seq)
        last = max(last, acked)
        self._segments.sync_recovered(synced)
        self.ledger.restore(stored)
        self.ledger.captured += last - synced
        # A frame says that these were settled before it, and a segment goes only when its points
        # are; all that settles without syncing the cursor is a delivery.
        self.ledger.written += acked - cursor_acked
        self._acked, self._next_seq = acked, last + 1
        self._synced_seq = last
        self._durable_acked = cursor_acked
        self.is_open = True
        self._segments.release(acked)

    def close(self) -> None:
        """Put everything on disk and let go of the files, in any case."""
        try:
            if self.is_open:
                self._save()
                self.sync()
                self._cursor.sync()
        finally:
            self.is_open = False
            self._segments.finish()
            self._cursor.close()
            self._unlock()

    def _unlock(self) -> None:
        if self._lock >= 0:
            lock, self._lock = self._lock, -1
            with suppress(OSError):
                self._files.close(lock)

    # In

    def append(self, lines: list[str]) -> None:
        """Move encoded lines to the end of the queue; they are captured from here on.

        After an error `lines` holds what was not appended.
        """
        self._unsynced.write_again(self._acked)
        while lines:
            count, payload = chunk(lines[:FRAME_POINTS], FRAME_BYTES)
            first, last = self._next_seq, self._next_seq + count - 1
            time = int(self._wall_clock())
            data = pack(
                payload,
                first_seq=first,
                count=count,
                acked=self._acked,
                time=time,
                compress=self._settings.compress,
            )
            self._make_room(len(data))
            self._unsynced.append(data, first_seq=first, last_seq=last, time=time)
            del lines[:count]
            self._next_seq = last + 1
            self.ledger.captured += count
            if self._segments.is_full:
                if self.unsynced:
                    self.sync()
                self._segments.finish()
                self._unsynced.seal()

    def sync_due(self) -> bool:
        """Whether points have waited for the disk as long as they may."""
        return self._unsynced.is_due

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
            self._begin_anew()
            batch = gather(self._segments.frames(self._acked), self._acked, max_points, max_bytes)
        if batch is None:
            self._settle_gap()
        return batch

    def _begin_anew(self) -> None:
        """Face that somebody removed what we had open: what was in it is lost."""
        self._segments.forget_missing()
        self._unlock()
        self._lock = self._files.lock()
        self._cursor.close()
        self._cursor.open()

    def settle(self, batch: Batch, verdict: Literal["written", "quarantined", "evicted"]) -> None:
        """Account for a batch and go on behind it; damaged points before it are lost."""
        acked = self._acked
        if batch.last_seq <= acked:
            return  # evicted while it was under way, and counted there
        points = sum(
            last - max(first, acked + 1) + 1 for first, last in batch.spans if last > acked
        )
        setattr(self.ledger, verdict, getattr(self.ledger, verdict) + points)
        if gap := batch.last_seq - acked - points:
            self.ledger.lost["damaged"] += gap
        if batch.end:
            self._segments.pass_by(batch.end)
        self._advance(batch.last_seq, durable=verdict != "written" or gap > 0)

    # Inside

    def give_way(self) -> bool:
        """Give up the oldest segment for points that find no room; False when there is none."""
        oldest = self._segments.oldest
        if oldest is None:
            return False
        self._evict(oldest.last_seq)
        return True

    def _settle_gap(self) -> None:
        if self.pending:
            _LOGGER.warning("%s points in the spool could not be read back", self.pending)
            self.ledger.lost["damaged"] += self.pending
            self._advance(self._next_seq - 1, durable=True)

    def _make_room(self, size: int) -> None:
        """Give up the oldest segments, so that the newest points keep flowing."""
        now = self._wall_clock()
        while (oldest := self._segments.oldest) and self._settings.exclude(
            oldest, self._segments.size + size, now
        ):
            self._evict(oldest.last_seq)
        # The disk belongs to Home Assistant first: while it is low, the spool goes on in the space
        # that it has.
        min_free = self._settings.min_free_bytes
        is_low = self._segments.needs_file and self._files.free_bytes() < min_free
        if is_low and (oldest := self._segments.oldest):
            self._evict(oldest.last_seq)

    def _evict(self, last_seq: int) -> None:
        if last_seq == self._next_seq - 1:
            self._segments.finish()
        self.ledger.evicted += last_seq - self._acked
        self._advance(last_seq, durable=True)

    def _advance(self, acked: int, *, durable: bool = False) -> None:
        """Move the acknowledged prefix; first the cursor, then the files it frees."""
        self._acked = acked
        self._unsynced.settle(acked)
        self._save()
        # Removing points that a power cut would have spared must not outlive the cursor's knowledge
        # of them. Points that never had to be on disk may vanish together with the cursor.
        spared = self._durable_acked < self._synced_seq and self._segments.frees(acked)
        if durable or spared:
            with suppress(OSError):
                self._cursor.sync()
                self._durable_acked = acked
        self._segments.release(acked)

    def note_ledger(self) -> None:
        """Store the counts, as far as the disk lets us."""
        if self.is_open:
            self._save()

    def _save(self) -> None:
        content = self.ledger.as_dict() | {"acked": self._acked, "synced": self._synced_seq}
        content["captured"] -= self._next_seq - 1 - self._synced_seq
        with suppress(OSError):
            self._cursor.write(content)
