"""Settlements that wait, as the disk takes no record of a refused point before them.

In memory only: on the disk these points are pending as before, and the next process delivers them
once more.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from ..ledger import Fate
from .batch import Batch

# What puts points aside, by their numbers: may raise OSError.
type PutAside = Mapping[int, Callable[[], None]]

# Their lines are in memory. With more, delivery waits for the disk.
ASIDE_MAX: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """So many points up to a number have this fate; with `put_aside` once that does not raise."""

    last_seq: int
    points: int
    fate: Fate
    reason: str = ""
    put_aside: Callable[[], None] | None = None


class Deferred:
    """In the order of the numbers. `error` is why the first one waits."""

    def __init__(self) -> None:
        """Begin with none."""
        self.error = ""
        self._waiting: deque[Settled] = deque()

    @property
    def points(self) -> int:
        """How many pending points need no delivery."""
        return sum(settled.points for settled in self._waiting)

    def last_seq(self, acked: int) -> int:
        """Return the newest number that needs no delivery."""
        return max(acked, self._waiting[-1].last_seq) if self._waiting else acked

    def add(self, settled: Settled) -> None:
        """Let it wait behind the others."""
        last = self._waiting[-1] if self._waiting else None
        if last and not (last.put_aside or settled.put_aside) and last.fate == settled.fate:
            points = last.points + settled.points
            self._waiting[-1] = replace(settled, points=points)
        else:
            self._waiting.append(settled)

    def add_batch(self, batch: Batch, acked: int, later: PutAside) -> bool:
        """Let a stored batch wait, of which some points are put aside `later`.

        False where that are too many.
        """
        if sum(settled.put_aside is not None for settled in self._waiting) + len(later) > ASIDE_MAX:
            return False
        after = self.last_seq(acked)
        numbers = (seq for first, last in batch.spans for seq in range(first, last + 1))
        for is_aside, run in groupby((seq for seq in numbers if seq > after), later.__contains__):
            if is_aside:
                for seq in run:
                    self.add(
                        Settled(last_seq=seq, points=1, fate="quarantined", put_aside=later[seq])
                    )
            else:
                stored = list(run)
                self.add(Settled(last_seq=stored[-1], points=len(stored), fate="written"))
        return True

    def next(self) -> Settled | None:
        """Take the first one, if it need not wait any more; raises OSError."""
        if not self._waiting:
            self.error = ""
            return None
        if put_aside := self._waiting[0].put_aside:
            put_aside()
        return self._waiting.popleft()

    def evicted(self, acked: int, last_seq: int) -> list[Settled]:
        """Forget what is evicted; returns what had been stored of that."""
        stored: list[Settled] = []
        while self._waiting and acked < last_seq:
            first = self._waiting[0]
            points = min(first.points, last_seq - acked)
            if first.last_seq > last_seq:
                self._waiting[0] = replace(first, points=first.points - points)
            else:
                self._waiting.popleft()
            if not first.put_aside:
                stored.append(replace(first, points=points))
            acked = first.last_seq
        return stored
