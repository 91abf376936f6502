"""Counts durations in fixed buckets: no allocation with each of them."""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

# The upper bounds in seconds, each included; longer ones are counted behind the last. From a commit
# of a few points to an outage of a day.
BOUNDS: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0, 86_400.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """How many durations were in each bucket, the last one for all longer ones, and their sum."""

    counts: tuple[int, ...]
    seconds: float

    @property
    def count(self) -> int:
        """How many durations there were."""
        return sum(self.counts)


@dataclass(slots=True, kw_only=True)
class Histogram:
    """Used by one thread; another may copy it."""

    _counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    _seconds: float = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        seconds = max(seconds, 0.0)
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self._seconds += seconds

    def copy(self) -> Distribution:
        """Copy the counts."""
        return Distribution(counts=tuple(self._counts), seconds=self._seconds)
