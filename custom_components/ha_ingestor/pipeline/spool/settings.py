"""The disk limits of a spool, and which points are given up beyond them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ..clock import CLOCKS_ARE_SET
from ..ledger import SPOOL_FULL
from .durability import Durability
from .segments.segment import Segment
from .segments.segments import SEGMENT_BYTES

# For so long after a start the wall clock may still be wrong, so no point is too old by it.
CLOCK_GRACE: Final = 3600.0

TOO_OLD: Final = "too_old"


class WhenFull(StrEnum):
    """Which points a full spool gives up."""

    OLDEST = "oldest"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReadings:
    """Seconds: as frames are dated, since the spool was opened, and by the wall clock."""

    steady: float
    open_for: float
    wall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolSettings:
    """The bounds of a spool. Sizes in bytes, times in seconds."""

    # At 10 events per second this is about a day without the database.
    max_bytes: int = 256 * 1024 * 1024
    max_age: float = math.inf
    # What Home Assistant needs for an update, and its database for a day.
    min_free_bytes: int = 512 * 1024 * 1024
    segment_bytes: int = SEGMENT_BYTES
    durability: Durability = Durability.BALANCED
    compress: bool = True
    full: WhenFull = WhenFull.OLDEST

    def excess(self, oldest: Segment, size: int, now: Callable[[], ClockReadings]) -> str:
        """Why the oldest segment must go when all come to `size` bytes; empty when it may stay."""
        if self.max_age < math.inf and self._is_too_old(oldest, now()):
            return TOO_OLD
        return SPOOL_FULL if size > self.max_bytes else ""

    def _is_too_old(self, oldest: Segment, now: ClockReadings) -> bool:
        if not oldest.is_recovered:
            return now.steady - oldest.newest > self.max_age
        is_dated = oldest.newest >= CLOCKS_ARE_SET
        age = now.wall - oldest.newest if is_dated else now.open_for
        return now.open_for > CLOCK_GRACE and age > self.max_age
