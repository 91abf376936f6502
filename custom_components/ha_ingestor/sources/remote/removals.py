"""Which times the points of removals have, as another home does not tell when it was."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from math import isfinite
from typing import Any, Final

# Those of the last minute are kept, of a gap that waits more. So many fit into 100 KB.
REMOVALS_MAX: Final = 2000
# A removal is heard so long after it at most, by a clock that is known to a second.
HEARD_SECONDS: Final = 3.0


type Store = Callable[[], Awaitable[None]]


async def store_nowhere() -> None:
    """Keep everything in memory only."""


@dataclass(slots=True)
class RemovalTimes:
    """The time of each removal, in the order in which they were heard.

    `store` puts them on the disk, before the points are captured. The recorder there has slightly
    different times: what is read out of it later gets the time of the point, and is stored once.
    """

    store: Store = store_nowhere
    _times: deque[tuple[str, float]] = field(
        default_factory=partial(deque[tuple[str, float]], maxlen=REMOVALS_MAX)
    )

    def load(self, content: object) -> None:
        """Begin with what was stored; of a damaged file, as much as there is."""
        for pair in content if isinstance(content, list) else ():
            match pair:
                case [str(entity_id), int() | float() as moment] if isfinite(moment):
                    self.note(entity_id, float(moment))

    def content(self) -> list[list[Any]]:
        """Return what is to be stored."""
        return [list(pair) for pair in self._times]

    def note(self, entity_id: str, moment: float) -> None:
        """Learn which time a point has."""
        self._times.append((entity_id, moment))

    def correct(self, entity_id: str, noted: float, moment: float) -> None:
        """Learn that a point has another time than the one that was noted."""
        if moment != noted and (entity_id, noted) in self._times:
            self._times.remove((entity_id, noted))
            self.note(entity_id, moment)

    def clear(self) -> None:
        """Forget all of them."""
        self._times.clear()

    def forget_before(self, moment: float) -> None:
        """Forget what is never read again, as it is captured up to a moment."""
        while self._times and self._times[0][1] < moment - HEARD_SECONDS:
            self._times.popleft()

    def of(self, entity_ids: Iterable[str]) -> dict[str, list[float]]:
        """Return the times of some entities."""
        names, found = set(entity_ids), dict[str, list[float]]()
        for entity_id, moment in self._times:
            if entity_id in names:
                found.setdefault(entity_id, []).append(moment)
        return found
