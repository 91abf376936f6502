"""When to send to a data-api: arithmetic on moments, which the caller passes."""

from dataclasses import dataclass, replace
from math import inf


@dataclass(frozen=True, slots=True, kw_only=True)
class SendSchedule:
    """What is due when. Nothing is due before `not_before`, which a failure sets.

    What changed is due at once: the sender has waited for the end of a burst.
    `refresh` are the seconds after which everything is sent again, in case the server lost
    something, and `again_at` is when a row that was refused is tried again.
    """

    refresh: float = 1800.0
    changed_at: float = inf
    full_at: float = inf
    again_at: float = inf
    not_before: float = -inf

    @property
    def due(self) -> float:
        """The moment of the next sync."""
        return max(self.not_before, min(self.changed_at, self.full_at, self.again_at))

    def changed(self, now: float) -> SendSchedule:
        """Note a possible change."""
        return replace(self, changed_at=min(self.changed_at, now))

    def full(self, now: float) -> SendSchedule:
        """Request everything, now, also after a failure."""
        return replace(self, full_at=now, not_before=-inf)

    def is_full(self, now: float) -> bool:
        """Whether everything is to be sent."""
        return self.full_at <= now

    def again(self, now: float, seconds: float) -> SendSchedule:
        """Ask for what was refused, unless that is due already."""
        return self if self.again_at < inf else replace(self, again_at=now + seconds)

    def is_again(self, now: float) -> bool:
        """Whether what was refused is to be sent."""
        return self.again_at <= now

    def begun(self, now: float) -> SendSchedule:
        """Note that a sync begins: what changes from here on is for the next one."""
        full_at = inf if self.is_full(now) else self.full_at
        again_at = inf if self.is_again(now) else self.again_at
        return replace(self, changed_at=inf, full_at=full_at, again_at=again_at)

    def succeeded(self, now: float) -> SendSchedule:
        """Note that all is settled; ask for everything again after the interval."""
        return replace(self, full_at=min(self.full_at, now + self.refresh), not_before=-inf)

    def failed(self, now: float, seconds: float) -> SendSchedule:
        """Note that it has to be tried again, and not before that many seconds."""
        return replace(self.changed(now), not_before=now + seconds)
