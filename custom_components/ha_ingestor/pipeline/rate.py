"""Counts what happens in a minute."""

from collections.abc import Callable
from typing import Final

# The minute ends with the last whole slot.
SLOT_SECONDS: Final = 5
_SLOTS: Final = 60 // SLOT_SECONDS


class Rate:
    """Used by one thread; another may read it. `clock` is monotonic."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin now."""
        self._clock = clock
        self._began = clock()
        # One more than a minute has: for the slot that is not over.
        self._counts = [0] * (_SLOTS + 1)
        self._newest = 0

    def add(self, count: int) -> None:
        """Count some."""
        self._advance()
        self._counts[self._newest % len(self._counts)] += count

    def per_minute(self) -> float | None:
        """Return how many there were in the last minute; None before the first slot is over.

        In the first minute it is what the slots so far would come to.
        """
        self._advance()
        whole = min(self._newest, _SLOTS)
        if not whole:
            return None
        current = self._counts[self._newest % len(self._counts)]
        return (sum(self._counts) - current) * _SLOTS / whole

    def _advance(self) -> None:
        """Empty the slots that began since the last call."""
        slot = int((self._clock() - self._began) // SLOT_SECONDS)
        for passed in range(max(self._newest + 1, slot - _SLOTS), slot + 1):
            self._counts[passed % len(self._counts)] = 0
        self._newest = max(slot, self._newest)
