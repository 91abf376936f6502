"""Points that wait in memory while the disk takes none, up to a number and a size."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from ..memory import MEMORY_BYTES, MEMORY_POINTS
from .batch import Batch, chunk
from .sequence import NO_TIME, UNKNOWN_TIME

HELD_POINTS: Final = MEMORY_POINTS
HELD_BYTES: Final = MEMORY_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBatch(Batch):
    """Lines that are in memory only; `start` counts every line that was ever held."""

    start: int


class Held:
    """Lines for the database, and beside them refused ones that only the disk is to take.

    No line for the database is older than one that was put aside.
    """

    def __init__(self, lines: list[str]) -> None:
        """Begin with lines of an unknown age."""
        self._lines = lines
        self._aside: list[str] = []
        self._oldest = UNKNOWN_TIME
        self._passed = 0

    def __len__(self) -> int:
        """Count all of them."""
        return len(self._lines) + len(self._aside)

    @property
    def deliverable(self) -> int:
        """Count those for the database."""
        return len(self._lines)

    @property
    def bytes(self) -> int:
        """The text of all of them."""
        return sum(map(len, self._lines)) + sum(map(len, self._aside))

    @property
    def oldest(self) -> int:
        """A time that no line for the database is older than, in microseconds since 1970."""
        return self._oldest if self._lines else NO_TIME

    def add(self, lines: list[str], oldest: int) -> None:
        """Hold lines for the database; none is older than `oldest`."""
        self._oldest = min(self._oldest, oldest) if self._lines else oldest
        self._lines += lines

    @contextmanager
    def moving(self) -> Iterator[list[str]]:
        """Give the lines for the database to the disk, which removes those that it takes."""
        before = len(self._lines)
        try:
            yield self._lines
        finally:
            self._passed += before - len(self._lines)

    def requeue_set_aside(self) -> None:
        """Make what was put aside lines for the database, where there is no other one."""
        self._lines, self._aside = self._aside, []
        self._oldest = UNKNOWN_TIME

    def take_all(self) -> list[str]:
        """Hold nothing more, and return what was held."""
        taken = self._lines + self._aside
        self._lines, self._aside = [], []
        return taken

    # Too many

    def excess(self, *, keeps_oldest: bool) -> int:
        """How many are too many, by number or by size."""
        room = HELD_BYTES
        waiting = [*self._aside, *self._lines] if self._aside else self._lines
        for count, line in enumerate(waiting if keeps_oldest else reversed(waiting)):
            room -= len(line)
            if room < 0 or count == HELD_POINTS:
                return len(waiting) - count
        return 0

    def drop(self, points: int, *, keeps_oldest: bool) -> None:
        """Drop the oldest, or the newest."""
        if keeps_oldest:
            del self._lines[-points:]
            return
        of_aside = min(points, len(self._aside))
        del self._aside[:of_aside]
        self.release(points - of_aside)

    # To the database

    def read(self, max_points: int, max_bytes: int) -> HeldBatch | None:
        """Return the next lines, or None; the same ones again until they are released."""
        count, payload = chunk(self._lines[:max_points], max_bytes)
        if not count:
            return None
        return HeldBatch(payload=payload, count=count, last_seq=0, spans=(), start=self._passed)

    def left(self, batch: HeldBatch) -> int:
        """Return how many lines of a batch are still here: the last ones of it."""
        return min(max(batch.start + batch.count - self._passed, 0), batch.count)

    def release(self, points: int) -> None:
        """Drop the first lines."""
        del self._lines[:points]
        self._passed += points

    def set_aside(self, batch: HeldBatch, indexes: frozenset[int]) -> None:
        """Keep these lines of a batch for the disk alone, so that those behind are delivered."""
        left = self.left(batch)
        others: list[str] = []
        aside = list(self._aside)
        for index, line in enumerate(self._lines[:left], batch.count - left):
            (aside if index in indexes else others).append(line)
        self._passed += left - len(others)
        self._lines[:left], self._aside = others, aside
