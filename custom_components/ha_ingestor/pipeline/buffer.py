"""The spool and what waits for it: a disk that fails is no reason to stop.

Points are held in memory while the disk takes none, and delivered from there when nothing older is
on the disk. They are captured, in the ledger's sense, once they are safe or settled.
"""

import errno
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from .batch import Batch, chunk
from .ledger import Ledger
from .spool import Spool

_LOGGER = logging.getLogger(__name__)

# Ten seconds of the busiest home, or half an hour of an ordinary one.
HELD_POINTS: Final = 20_000
HELD_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBatch(Batch):
    """Lines that are in memory only; `start` counts every line that was ever held."""

    start: int


class Buffer:
    """One queue over disk and memory. Used by one thread."""

    def __init__(self, spool: Spool, ledger: Ledger) -> None:
        """Begin empty; the spool is opened by the first commit."""
        self.error = ""
        # Told the last sequence number of the spool, before anything is appended to it.
        self.when_opened: Callable[[int], None] = lambda _: None
        self._spool = spool
        self._ledger = ledger
        self._held: list[str] = []
        self._passed = 0
        self._was_opened = False

    @property
    def is_open(self) -> bool:
        """Whether the disk was read, so that the ledger goes on from earlier processes."""
        return self._was_opened

    @property
    def pending(self) -> int:
        """Captured points that wait for delivery."""
        return self._spool.pending

    @property
    def held_of(self) -> float:
        """The time of the oldest point in memory, in seconds since 1970; 0 without any."""
        return int(self._held[0].rpartition(" ")[2]) / 1_000_000_000 if self._held else 0.0

    @property
    def held(self) -> int:
        """Points that wait in memory for the disk."""
        return len(self._held)

    @property
    def needs_tick(self) -> bool:
        """Whether something here changes with time."""
        return bool(self._held) or not self._was_opened or self._spool.unsynced

    def commit(self, lines: list[str]) -> None:
        """Bring lines to the disk, or hold them; when these are too many the oldest are lost."""
        self._held += lines
        self._store()
        # The oldest points give way to the newest, but not before memory is used up as well: a
        # database that is there empties a full disk faster than that.
        while self._excess() and self._spool.is_open and self._spool.give_way():
            self._store()
        if excess := self._excess():
            self._release(excess)
            self.give_up(excess, "memory_full")

    def _excess(self) -> int:
        """How many of the oldest held lines are too many, by number or by size."""
        room = HELD_BYTES
        for count, line in enumerate(reversed(self._held)):
            room -= len(line)
            if room < 0 or count == HELD_POINTS:
                return len(self._held) - count
        return 0

    def _store(self) -> None:
        try:
            if not self._spool.is_open:
                self._spool.open()
                self.when_opened(self._spool.last_seq)
                self._was_opened = True
            before = len(self._held)
            try:
                self._spool.append(self._held)
            finally:
                self._passed += before - len(self._held)
            if self._spool.sync_due():
                self._spool.sync()
        except OSError as err:
            error = err.strerror or type(err).__name__
            if error != self.error:
                _LOGGER.warning("The spool cannot be written, points are held: %s", error)
            self.error = error
        else:
            self.error = ""

    def take_back(self, lines: list[str]) -> None:
        """Bring quarantined lines to the disk again: captured once, as before; raises OSError."""
        count = len(lines)
        if not self._spool.is_open:
            raise OSError(errno.EIO, self.error or "The spool is not open")
        self._spool.append(lines)
        self._ledger.captured -= count
        self._ledger.quarantined -= count
        self._spool.sync()

    def give_up(self, points: int, reason: str) -> None:
        """Count points that were captured and cannot be kept."""
        if points:
            self._ledger.captured += points
            self._ledger.lost[reason] += points

    def read(self, max_points: int, max_bytes: int) -> Batch | None:
        """Return the next points, from the disk first; raises OSError when it cannot be read."""
        if self._spool.is_open and (batch := self._spool.read(max_points, max_bytes)):
            return batch
        count, payload = chunk(self._held[:max_points], max_bytes) if self.error else (0, b"")
        if not count:
            return None
        return HeldBatch(payload=payload, count=count, last_seq=0, spans=(), start=self._passed)

    def settle(self, batch: Batch, verdict: Literal["written", "quarantined", "evicted"]) -> None:
        """Account for a batch and go on behind it."""
        if not isinstance(batch, HeldBatch):
            self._spool.settle(batch, verdict)
            return
        # Meanwhile the disk may have taken some of them, which will then be delivered again, or
        # memory may have run over.
        points = max(batch.start + batch.count - self._passed, 0)
        self._release(points)
        self._ledger.captured += points
        setattr(self._ledger, verdict, getattr(self._ledger, verdict) + points)
        self._spool.note_ledger()

    def close(self) -> None:
        """Put everything on disk that it takes; what it does not take is lost, and counted."""
        self._store()
        held = len(self._held)
        self._release(held)
        self.give_up(held, "stopped")
        self._spool.close()

    def _release(self, points: int) -> None:
        del self._held[:points]
        self._passed += points
