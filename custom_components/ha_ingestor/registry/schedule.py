"""When to read the registries: arithmetic on moments, which the caller passes."""

from dataclasses import dataclass, replace
from math import inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """Seconds. Changes come in bursts: read after `quiet` without one, and after `longest` anyway.

    `refresh` reads again what no event told of, say, the title of a config entry.
    """

    quiet: float = 2.0
    longest: float = 10.0
    refresh: float = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What is due when. Nothing is due before `not_before`, which a failure sets."""

    intervals: Intervals
    first_change: float = inf
    last_change: float = inf
    refresh_at: float = inf
    not_before: float = -inf

    @property
    def due(self) -> float:
        """The moment of the next reading."""
        settled = min(
            self.last_change + self.intervals.quiet, self.first_change + self.intervals.longest
        )
        return max(self.not_before, min(settled, self.refresh_at))

    @property
    def has_changes(self) -> bool:
        """Whether anything changed that was not read."""
        return self.first_change < inf

    def changed(self, now: float) -> Schedule:
        """Note a change."""
        return replace(self, first_change=min(self.first_change, now), last_change=now)

    def asked(self, now: float) -> Schedule:
        """Read at once, if there is no trouble."""
        return replace(self.changed(now), refresh_at=now)

    def snapshot_taken(self) -> Schedule:
        """Note that the registries were read: what changes from here on is another change."""
        return replace(self, first_change=inf, last_change=inf, refresh_at=inf)

    def succeeded(self, now: float) -> Schedule:
        """Note that all subscribers were called; read again after the interval."""
        refresh_at = min(self.refresh_at, now + self.intervals.refresh)
        return replace(self, refresh_at=refresh_at, not_before=-inf)

    def failed(self, now: float, seconds: float) -> Schedule:
        """Note that it has to be tried again, and not before that many seconds."""
        return replace(self.changed(now), not_before=now + seconds)
