"""What VictoriaMetrics acknowledged and did not store, as it counts itself."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Final

from .issues import Issue

# A day without another one is past.
FORGET_SECONDS: Final = 24 * 3600.0

ROWS_IGNORED: Final = "vm_rows_ignored"


class IgnoredRows:
    """Follows the counters, which are those of the whole server since its start."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start empty."""
        self._clock = clock
        self._grew_at = -math.inf
        self._counts: Mapping[str, int] = {}

    @property
    def issues(self) -> list[Issue]:
        """The issues."""
        if self._clock() - self._grew_at >= FORGET_SECONDS:
            return []
        counts = {reason: count for reason, count in sorted(self._counts.items()) if count}
        placeholders = {
            "count": str(sum(counts.values())),
            "reasons": ", ".join(f"{reason}: {count}" for reason, count in counts.items()),
        }
        return [Issue(key=ROWS_IGNORED, placeholders=placeholders)]

    def note(self, counts: Mapping[str, int]) -> None:
        """Take the counts of now, by reason."""
        # After a restart of the server they begin at nothing.
        if any(count > self._counts.get(reason, 0) for reason, count in counts.items()):
            self._grew_at = self._clock()
        self._counts = counts
