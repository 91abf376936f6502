"""Counts what happens in a minute."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

# What is counted ends with the last whole slot.
SLOT_SECONDS: Final = 5
_SLOTS_A_MINUTE: Final = 60 // SLOT_SECONDS
# Over how many minutes a rate can be told.
MINUTES_MAX: Final = 5
_SLOTS: Final = MINUTES_MAX * _SLOTS_A_MINUTE


class Rate:
    """Used by one thread; another may read it. `clock` is monotonic."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin now."""
        self._clock = clock
        self._began = clock()
        # One more than is told: for the slot that is not over.
        self._counts = [0] * (_SLOTS + 1)
        self._newest = 0

    def add(self, count: int) -> None:
        """Count some."""
        self._advance()
        self._counts[self._newest % len(self._counts)] += count

    def per_minute(self, minutes: int = 1) -> float | None:
        """Return how many there were in the last minutes, by the minute.

        Before so many have passed it is what the slots so far would come to; None before the first
        slot is over.
        """
        self._advance()
        whole = min(self._newest, minutes * _SLOTS_A_MINUTE)
        if not whole:
            return None
        slots = range(self._newest - whole, self._newest)
        counted = sum(self._counts[slot % len(self._counts)] for slot in slots)
        return counted * _SLOTS_A_MINUTE / whole

    def _advance(self) -> None:
        """Empty the slots that began since the last call."""
        slot = int((self._clock() - self._began) // SLOT_SECONDS)
        if slot <= self._newest:
            return
        for passed in range(max(self._newest + 1, slot - _SLOTS), slot + 1):
            self._counts[passed % len(self._counts)] = 0
        self._newest = slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Those of one destination; `received_here` is without what other homes and brokers sent.

    A reload hands on all of them, or they would be of different times: what was captured before it
    is written after it.
    """

    received: Rate
    received_here: Rate
    captured: Rate
    written: Rate

    @classmethod
    def begin(cls, clock: Callable[[], float]) -> Self:
        """Begin all of them now."""
        return cls(
            received=Rate(clock),
            received_here=Rate(clock),
            captured=Rate(clock),
            written=Rate(clock),
        )
