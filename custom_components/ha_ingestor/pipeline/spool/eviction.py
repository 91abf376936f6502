"""Gives up the oldest points of a spool, so that new ones find room."""

from typing import Final

from ..ledger import Ledger
from .deferred import Deferred
from .room import Room
from .segments.segments import Segments
from .sequence import SequenceNumbers

MEMORY_FULL: Final = "memory_full"


class Eviction:
    """Evicts the oldest segment, and counts what was in it. Methods may raise OSError."""

    def __init__(
        self,
        room: Room,
        segments: Segments,
        numbers: SequenceNumbers,
        ledger: Ledger,
        deferred: Deferred,
    ) -> None:
        """Prepare; `deferred` are points that are evicted no more."""
        self._deferred = deferred
        self._room = room
        self._segments = segments
        self._numbers = numbers
        self._ledger = ledger

    def make_room(self, size: int) -> None:
        """Evict the oldest segments, so that new points can be stored, or raise SpoolFullError."""
        # Each step acknowledges more, so this ends whatever the disk does.
        while reason := self._room.excess(self._numbers.acked, size):
            self._evict(reason)
        if reason := self._room.shortage(self._numbers.acked):
            self._evict(reason)

    def evict_oldest(self) -> bool:
        """Evict the oldest segment to make room; False when there is none that may go."""
        if self._room.keeps_oldest or self._segments.oldest(self._numbers.acked) is None:
            return False
        try:
            self._evict(MEMORY_FULL)
        except OSError:
            return False
        return True

    def _evict(self, reason: str) -> None:
        acked = self._numbers.acked
        last_seq = self._segments.evict(acked)
        points = last_seq - acked
        for settled in self._deferred.evicted(acked, last_seq):
            self._ledger.settle(settled.fate, settled.points, settled.reason)
            points -= settled.points
        self._ledger.evicted_for[reason] += points
        self._numbers.advance(last_seq, durable=True)
