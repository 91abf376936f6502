"""The counts of the last hour, for charts: in memory, as they are too many for the recorder."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from ..pipeline.snapshot import Snapshot

EVERY_SECONDS: Final = 10
# The first one is where the hour begins.
_SAMPLES: Final = 3600 // EVERY_SECONDS + 1
# The checks do not come to the millisecond.
_LEEWAY: Final = 0.5


class _Sample(NamedTuple):
    """The counts of one moment, in seconds since 1970."""

    time: float
    received: int
    written: int
    backlog: int
    spool_bytes: int


class LastHour:
    """A sample of the counts every ten seconds."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Start empty."""
        self._clock = clock
        self._wall_clock = wall_clock
        self._samples: deque[_Sample] = deque(maxlen=_SAMPLES)
        self._due = clock()

    def note(self, snapshot: Snapshot) -> None:
        """Take the counts of now, if it is time."""
        now = self._clock()
        if now < self._due:
            return
        self._due = now + EVERY_SECONDS - _LEEWAY
        self._samples.append(
            _Sample(
                time=round(self._wall_clock(), 1),
                received=snapshot.ledger["received"],
                written=snapshot.ledger["written"],
                backlog=snapshot.backlog,
                spool_bytes=snapshot.spool_bytes,
            )
        )

    def as_dict(self) -> dict[str, list[float]]:
        """Return the samples, by what was counted."""
        columns = (
            zip(*self._samples, strict=True) if self._samples else ((),) * len(_Sample._fields)
        )
        return {name: list(column) for name, column in zip(_Sample._fields, columns, strict=True)}
