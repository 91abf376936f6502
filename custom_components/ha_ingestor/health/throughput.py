"""How many points a minute a destination writes."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

# Points come in bursts, and requests gather them for some seconds.
WINDOW_SECONDS: Final = 300.0
SHORTEST_SECONDS: Final = 5.0


class Throughput:
    """The rate over the last minutes, of a count that is looked at now and then."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start empty."""
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, count: int) -> None:
        """Take the count of now."""
        now, seen = self._clock(), self._seen
        if len(seen) > 1 and now - seen[-2][0] < SHORTEST_SECONDS:
            seen.pop()  # asked for many times, the window is no longer
        seen.append((now, count))
        # The last one before the window stays: the window begins between it and the next.
        while len(seen) > 1 and seen[1][0] <= now - WINDOW_SECONDS:
            seen.popleft()

    @property
    def per_minute(self) -> float | None:
        """Points a minute; None before it can be told."""
        if len(self._seen) < 2:  # noqa: PLR2004  two counts make a rate
            return None
        (began, first), (ended, last) = self._seen[0], self._seen[-1]
        seconds = ended - began
        return (last - first) * 60 / seconds if seconds >= SHORTEST_SECONDS else None
