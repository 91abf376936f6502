"""The spool, and a bounded queue in memory while the disk fails.

Points are held in memory while the disk takes none, and delivered from there when nothing older is
on the disk. They are captured, in the ledger's sense, once they are safe or settled.
"""

import errno
import logging
import math
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from ..files import disk_error_text
from ..ledger import Fate, Ledger
from .batch import Batch
from .deferred import PutAside
from .held import Held, HeldBatch
from .quarantine.appended import Appended
from .room import SpoolFullError
from .sequence import UNKNOWN_TIME
from .spool import Spool

_LOGGER = logging.getLogger(__name__)

# Why points were evicted for older ones.
NEWEST_REFUSED: Final = "newest_refused"
# How often a disk that fails is tried again when nothing new comes.
DISK_RETRY: Final = 1.0


class Buffer:
    """One queue over disk and memory. Used by one thread."""

    def __init__(self, spool: Spool, ledger: Ledger, held: list[str] | None = None) -> None:
        """Begin with the lines that an earlier buffer held; the first commit opens the spool."""
        self.error = ""
        # The error is one of this program, and not of the disk.
        self.is_defect = False
        # Called with how far the spool is, before anything is appended to it; returns how many
        # points of the quarantine were counted as appended, and were not.
        self.when_opened: Callable[[Appended], int] = lambda _: 0
        # Called where the counts are lost, with the newest settled number; returns how many points
        # up to it are in quarantine.
        self.count_quarantined: Callable[[int], int] = lambda _: 0
        self._spool = spool
        self._ledger = ledger
        self._held = Held(held or [])
        # The disk did not take points. They may be delivered from memory before it is tried again.
        self._has_refused = False
        self._was_opened = False
        self._is_closed = False

    @property
    def is_open(self) -> bool:
        """Whether the disk was read, so that the ledger goes on from earlier processes."""
        return self._was_opened

    @property
    def found_seq(self) -> int:
        """The newest number that was in the spool when it was opened."""
        return self._spool.found_seq

    @property
    def last_seq(self) -> int:
        """The sequence number of the newest point in the spool."""
        return self._spool.last_seq

    @property
    def appended(self) -> Appended:
        """How far the spool is."""
        last_seq = self._spool.last_seq
        return Appended(last_seq, last_seq, self._ledger.replayed)

    @property
    def is_safe(self) -> bool:
        """Whether a power cut would take no point that is not settled."""
        return self._spool.is_open and self._spool.is_safe and not self._held

    @property
    def pending(self) -> int:
        """Captured points that wait for delivery."""
        return self._spool.pending

    @property
    def held(self) -> int:
        """Points that wait in memory for the disk."""
        return len(self._held)

    @property
    def deliverable(self) -> int:
        """Points that the database can be asked to take: without those for the disk alone."""
        return self._spool.deliverable + self._held.deliverable

    @property
    def held_bytes(self) -> int:
        """The text of the points that wait in memory."""
        return self._held.bytes

    @property
    def oldest(self) -> int:
        """A time that no point here is older than, in microseconds since 1970."""
        return min(self._spool.oldest, self._held.oldest)

    @property
    def disk_error(self) -> str:
        """The error of the disk; empty without any."""
        return self.error or self._spool.disk_error

    def next_due(self, clock: Callable[[], float]) -> float:
        """When work is due without new lines."""
        if self._held or not self._was_opened or self.error:
            return clock() + DISK_RETRY
        return self._spool.due if self._spool.is_open else math.inf

    def commit(self, lines: list[str], oldest: int = UNKNOWN_TIME) -> None:
        """Bring lines to the disk, or hold them; when these are too many, some are lost.

        These are the oldest, or the newest, as in a full spool. No line is older than `oldest`.
        """
        self._held.add(lines, oldest)
        self._ledger.held += len(lines)
        self._store()
        # The oldest points are evicted for the newest, but not before memory is full as well: a
        # database that is available empties a full disk faster.
        while self._excess and self._spool.is_open and self._spool.eviction.evict_oldest():
            self._store()
        if excess := self._excess:
            self._held.drop(excess, keeps_oldest=self._spool.keeps_oldest)
            self._ledger.held -= excess
            self._ledger.count_lost(excess, "memory_full")
        self._spool.note_ledger()

    @property
    def _excess(self) -> int:
        return self._held.excess(keeps_oldest=self._spool.keeps_oldest)

    def _store(self) -> None:
        if self._is_closed:
            return  # another process may own the files by now
        try:
            if not self._spool.is_open:
                self._open()
            if self._has_refused and not self._held.deliverable:
                self._spool.try_disk()
            self._append_held()
            if self._held:
                # Now there is room for them in the quarantine, where they come in their turn.
                self._held.requeue_set_aside()
                self._append_held()
            self._spool.work()
        except OSError as err:
            error = disk_error_text(err)
            if error != self.error:
                _LOGGER.warning("The spool cannot be written, points are held: %s", error)
            self._note_error(error)
        except Exception as err:
            # A programming error must not hold points without bounds, or without a log entry.
            if (error := type(err).__name__) != self.error:
                _LOGGER.exception("The spool failed, points are held")
            self._note_error(error, is_defect=True)
        else:
            self.error, self.is_defect, self._has_refused = "", False, False

    def _open(self) -> None:
        spool = self._spool
        spool.open()
        spool.forget_replayed(self.when_opened(spool.found))
        if spool.has_lost_counts:
            _LOGGER.warning("The counts cannot be read; they start again with what is left")
        if spool.is_uncounted:
            self._ledger.count_quarantined(self.count_quarantined(spool.acked))
            spool.note_ledger()
        self._was_opened = True

    def _note_error(self, error: str, *, is_defect: bool = False) -> None:
        self.error, self.is_defect = error, is_defect
        self._has_refused |= bool(self._held)

    def _append_held(self) -> None:
        oldest = self._held.oldest
        with self._held.moving() as lines:
            try:
                self._spool.append(lines, oldest)
            except SpoolFullError:
                self._ledger.held -= len(lines)
                self._ledger.captured += len(lines)
                self._ledger.settle("evicted", len(lines), NEWEST_REFUSED)
                lines.clear()

    def requeue(self, lines: list[str]) -> None:
        """Receive quarantined lines a second time, and bring them to the disk; raises OSError.

        After an error `lines` holds what was not taken.
        """
        if not self._spool.is_open:
            raise OSError(errno.EIO, self.error or "The spool is not open")
        count = len(lines)
        self._receive(count)
        try:
            self._spool.append(lines)
        finally:
            self._receive(-len(lines))
        self._spool.sync()

    def sync(self) -> None:
        """Put everything appended on disk now, unless that is left to the operating system."""
        if self._spool.unsynced:
            with suppress(OSError):  # it is tried again, and told then
                self._spool.sync()

    def _receive(self, points: int) -> None:
        self._ledger.received += points
        self._ledger.replayed += points
        self._ledger.held += points

    def read(self, max_points: int, max_bytes: int) -> Batch | None:
        """Return the next points, from the disk first; raises OSError when it cannot be read."""
        if self._spool.is_open and (batch := self._spool.read(max_points, max_bytes)):
            return batch
        return self._held.read(max_points, max_bytes) if self.error else None

    def left(self, batch: Batch) -> int:
        """Return how many points of a batch still wait: the last ones of it.

        Meanwhile the disk may have taken some that were in memory, which will then be delivered
        again. Or there was no room for them, which is counted.
        """
        if isinstance(batch, HeldBatch):
            return self._held.left(batch)
        return self._spool.left(batch)

    def settle(self, batch: Batch, fate: Fate, reason: str = "") -> None:
        """Account for a batch and go on behind it; `reason` is why it was evicted."""
        if not isinstance(batch, HeldBatch):
            self._spool.settle(batch, fate, reason)
            return
        points = self.left(batch)
        self._held.release(points)
        self._ledger.held -= points
        self._ledger.captured += points
        self._ledger.settle(fate, points, reason)
        self._spool.note_ledger()

    def set_aside(
        self, batch: Batch, indexes: frozenset[int], later: PutAside, error: OSError
    ) -> bool:
        """Settle a stored batch, but keep lines that the disk took no record of.

        So those behind them are delivered. Lines in memory are for the disk alone from here on,
        others are put aside `later`. False where that are too many.
        """
        if not isinstance(batch, HeldBatch):
            return self._spool.set_aside(batch, later, disk_error_text(error))
        self._held.set_aside(batch, indexes)
        self.settle(batch, "written")
        return True

    def close(self, *, hand_over: bool = False) -> list[str]:
        """Store what the disk accepts, and close the files.

        What it does not take is returned to be handed over, or else lost and counted.
        """
        self._store()
        self._is_closed = True
        held = self._held.take_all()
        if not hand_over:
            self._ledger.held -= len(held)
            self._ledger.count_lost(len(held), "stopped")
            held = []
        try:
            self._spool.close()
        except OSError as err:
            _LOGGER.warning("The spool could not be closed in order: %s", disk_error_text(err))
        except Exception:
            # A programming error must not cost what is handed over.
            _LOGGER.exception("The spool could not be closed in order")
        return held
