"""What a spool may take of the disk, and when its oldest points have to give way."""

import math
from dataclasses import dataclass
from typing import Final

from .durability import Durability
from .segments import SEGMENT_BYTES, Segment

# 2026: a machine without a clock of its own begins in 1970, and what it wrote then is not old.
CLOCKS_ARE_SET: Final = 1_767_225_600


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolSettings:
    """The bounds of a spool. Sizes in bytes, times in seconds."""

    # At 10 events per second, compressed, this is two days without the database.
    max_bytes: int = 256 * 1024 * 1024
    max_age: float = math.inf
    # What Home Assistant needs for an update, and its database for a day.
    min_free_bytes: int = 512 * 1024 * 1024
    segment_bytes: int = SEGMENT_BYTES
    durability: Durability = Durability.BALANCED
    compress: bool = True

    def exclude(self, oldest: Segment, size: int, now: float) -> bool:
        """Whether the oldest segment must go, as it is too old or all come to too many bytes."""
        is_old = CLOCKS_ARE_SET < oldest.newest < now - self.max_age
        return is_old or size > self.max_bytes
