"""When to look at the registries again: arithmetic on moments, which whoever asks tells."""

from dataclasses import dataclass, replace
from math import inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """Seconds. Changes come in crowds: look when there was `quiet`, but not later than `patience`.

    `refresh` sends everything again, in case the server lost something.
    """

    quiet: float = 2.0
    patience: float = 10.0
    refresh: float = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What is due when. Nothing is before `not_before`, which trouble sets.

    `again_at` is when a row that was refused is tried again.
    """

    intervals: Intervals
    first_change: float = inf
    last_change: float = inf
    full_at: float = inf
    again_at: float = inf
    not_before: float = -inf

    @property
    def due(self) -> float:
        """The moment of the next look."""
        settled = min(
            self.last_change + self.intervals.quiet, self.first_change + self.intervals.patience
        )
        return max(self.not_before, min(settled, self.full_at, self.again_at))

    def changed(self, now: float) -> Schedule:
        """Note a change."""
        return replace(self, first_change=min(self.first_change, now), last_change=now)

    def full(self, now: float) -> Schedule:
        """Ask for everything, now and whatever trouble there was."""
        return replace(self, full_at=now, not_before=-inf)

    def is_full(self, now: float) -> bool:
        """Whether everything is to be sent."""
        return self.full_at <= now

    def again(self, now: float, seconds: float) -> Schedule:
        """Ask for what was refused, unless that is due already."""
        return self if self.again_at < inf else replace(self, again_at=now + seconds)

    def is_again(self, now: float) -> bool:
        """Whether what was refused is to be sent."""
        return self.again_at <= now

    def looked(self, now: float) -> Schedule:
        """Note that the registries were read: what changes from here on is another change."""
        full_at = inf if self.is_full(now) else self.full_at
        again_at = inf if self.is_again(now) else self.again_at
        return replace(self, first_change=inf, last_change=inf, full_at=full_at, again_at=again_at)

    def succeeded(self, now: float) -> Schedule:
        """Note that all is settled; ask for everything again after the interval."""
        return replace(
            self, full_at=min(self.full_at, now + self.intervals.refresh), not_before=-inf
        )

    def failed(self, now: float, seconds: float) -> Schedule:
        """Note that it has to be tried again, and not before that many seconds."""
        return replace(self.changed(now), not_before=now + seconds)
