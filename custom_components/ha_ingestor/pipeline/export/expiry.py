"""Which points are older than what the database keeps.

The database is asked for its retention. Otherwise every point is expired that is older than one
rejected for its age.

A database whose clock is ahead of ours refuses points that it should keep. They are recognised by
their age: no point is expired before the shortest retention there is, nor before the one that the
database names.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..clock import CLOCKS_ARE_SET
from .result import AgeLimit

# Short enough after a change of the retention.
ASK_SECONDS: Final = 3600.0
# A database that did not answer may have been unavailable.
ASK_AGAIN_SECONDS: Final = 300.0
# The database compares with its own clock, which is not quite ours. A point that is this close to
# the limit is for the database to refuse.
MARGIN_SECONDS: Final = 60.0

# No InfluxDB lets a retention be shorter.
SHORTEST_SECONDS: Final = 3600.0
# How long no older point counts as expired after a young one was rejected as expired.
UNCERTAIN_SECONDS: Final = 86_400.0

_SECOND: Final = 1_000_000_000


@dataclass(slots=True, kw_only=True)
class Expiry:
    """What is known of the retention. `clock` is monotonic, `wall_clock` dates the points."""

    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    _ask_at: float = 0.0
    _retention: float | None = None
    _retention_at: tuple[float, float] = (0.0, 0.0)
    _refused: tuple[float, int, str] | None = None
    _uncertain_until: float = -math.inf

    @property
    def is_due(self) -> bool:
        """Whether the database should be asked for its retention."""
        return self.clock() >= self._ask_at

    @property
    def now(self) -> int:
        """The present as points are dated."""
        return int(self.wall_clock() * _SECOND)

    def set_retention(self, retention: float | None) -> None:
        """Set the retention of the database in seconds; None when it is not known."""
        self._ask_at = self.clock() + (ASK_AGAIN_SECONDS if retention is None else ASK_SECONDS)
        self._retention_at = (self.clock(), self.wall_clock())
        self._retention = retention

    def refused(self, moment: int, reason: str) -> None:
        """Note that a point of this time was refused for its age, alone."""
        if self._refused is None or moment > self._refused[1] or self._is_outdated(self._refused):
            self._refused = (self.clock(), moment, reason)

    def is_too_young(self, moment: int, limit: AgeLimit) -> bool:
        """Whether a point is too young by our clock to be expired, although it was refused as such.

        `limit` is what the database says of why it is too old.
        """
        age = self.wall_clock() - moment / _SECOND
        is_ours_set = self.wall_clock() >= CLOCKS_ARE_SET
        if age < 0 or not is_ours_set or limit.is_write_window:
            return False
        retention = limit.retention or self._retention or 0.0
        if 0 < retention < math.inf:
            return age < retention - MARGIN_SECONDS
        ahead = limit.clock_ahead or 0.0
        ahead = ahead if ahead > MARGIN_SECONDS else 0.0
        is_too_young = age < SHORTEST_SECONDS + ahead - MARGIN_SECONDS
        if is_too_young:
            self._uncertain_until = self.clock() + UNCERTAIN_SECONDS
        return is_too_young or self.clock() < self._uncertain_until

    def accepted(self) -> None:
        """Note that the database stores points, so that its clock cannot be all wrong."""
        self._uncertain_until = -math.inf

    def limit(self) -> tuple[int, str] | None:
        """Return the newest time that is certainly expired, and the reason to tell."""
        limits: list[tuple[int, str]] = []
        if self._refused and not self._is_outdated(self._refused):
            limits.append(self._refused[1:])
        retention = self._retention
        if retention is not None and 0 < retention <= self.wall_clock() and self._clocks_agree():
            oldest = int((self.wall_clock() - retention - MARGIN_SECONDS) * _SECOND)
            limits.append((oldest, f"Older than the retention of {retention:.0f} seconds"))
        return max(limits, default=None)

    def _is_outdated(self, refused: tuple[float, int, str]) -> bool:
        """Whether the retention may have been changed since a point was refused."""
        return self.clock() - refused[0] > ASK_SECONDS

    def _clocks_agree(self) -> bool:
        """Whether the clock on the wall was not set since the database told its retention."""
        monotonic, wall = self._retention_at
        drift = (self.wall_clock() - wall) - (self.clock() - monotonic)
        return abs(drift) < MARGIN_SECONDS


def time_of(line: bytes) -> int | None:
    """Read the time of a line, in nanoseconds since 1970; None where there is none."""
    try:
        return int(line.rpartition(b" ")[2])
    except ValueError:
        return None
