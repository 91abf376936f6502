"""When the points of the spool were captured."""

from collections import deque
from typing import Final, NamedTuple

# A commit each quarter of a second is a quarter of an hour. Behind that the times of the frames
# will do, which are whole seconds.
REMEMBERED: Final = 4096


class _Committed(NamedTuple):
    last_seq: int
    since: float


class CaptureTimes:
    """One moment for each commit, by the monotonic clock. Used by the spool's thread."""

    def __init__(self) -> None:
        """Start empty."""
        self._commits: deque[_Committed] = deque()
        # Up to which number nothing is known.
        self._unknown: int | None = None

    def note(self, before: int, last_seq: int, since: float) -> None:
        """Note that the points behind `before`, up to `last_seq`, were captured `since`."""
        if self._unknown is None:
            self._unknown = before
        if last_seq > before:
            self._commits.append(_Committed(last_seq, since))
        if len(self._commits) > REMEMBERED:
            self._unknown = self._commits.popleft().last_seq

    def of(self, seq: int) -> float | None:
        """Return when a point was captured, None if that is not known; older ones are forgotten."""
        while self._commits and self._commits[0].last_seq < seq:
            self._unknown = self._commits.popleft().last_seq
        if self._unknown is None or seq <= self._unknown or not self._commits:
            return None
        return self._commits[0].since
