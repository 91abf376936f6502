"""One request for the history of a remote home."""

from dataclasses import dataclass, replace
from typing import Final

# A query that gets no answer is asked in eight parts at most.
_DIVISIONS_MAX: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryQuery:
    """The states of some entities in a span of time, in seconds since 1970."""

    entity_ids: tuple[str, ...]
    after: float
    until: float
    # Whether the state before it is asked for as well: nobody here knows it.
    includes_before: bool = False
    divisions: int = 0

    def holds(self, moment: float) -> bool:
        """Whether a moment is of this one, and not of the one before or behind."""
        return self.after < moment <= self.until

    def halves(self) -> tuple[HistoryQuery, ...]:
        """Return two smaller ones, or none when it was divided often enough."""
        if self.divisions == _DIVISIONS_MAX:
            return ()
        half, divisions = len(self.entity_ids) // 2, self.divisions + 1
        middle = (self.after + self.until) / 2
        if half:
            few, others = self.entity_ids[:half], self.entity_ids[half:]
            return (
                replace(self, entity_ids=few, divisions=divisions),
                replace(self, entity_ids=others, divisions=divisions),
            )
        return (
            replace(self, until=middle, divisions=divisions),
            replace(self, after=middle, includes_before=False, divisions=divisions),
        )
