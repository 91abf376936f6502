"""How long points take from their capture until the database has acknowledged them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..histogram import Histogram
from ..rate import Rate
from ..spool.batch import Batch


def _unknown(_batch: Batch) -> None:
    """Nobody knows when a batch was captured."""


@dataclass(slots=True, kw_only=True)
class EndToEnd:
    """Times the oldest point of each accepted request, and counts the points as `written`.

    `captured_at` names the moment by the monotonic clock, None where it is not known.
    """

    written: Rate = field(default_factory=lambda: Rate(time.monotonic))
    clock: Callable[[], float] = time.monotonic
    captured_at: Callable[[Batch], float | None] = _unknown
    seconds: Histogram = field(default_factory=Histogram)
    _captured_at: float | None = None

    def composed(self, batch: Batch) -> None:
        """Note what will be sent next. In the spool's thread, before it is sent."""
        self._captured_at = self.captured_at(batch)

    def accepted(self, points: int) -> None:
        """Note that the database has it."""
        self.written.add(points)
        if self._captured_at is not None:
            self.seconds.observe(self.clock() - self._captured_at)
