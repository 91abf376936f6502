"""The size of the next batch: it is halved to find the one rejected point.

A refused batch is halved, down to a single line whose rejection is its own; what follows is sent
again in any case, because a reply is never a reliable account of what was stored. A refused point
costs a logarithm of requests, and fewer where the reply names the line.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

# Every server's default limits are far above it.
BATCH_POINTS: Final = 5_000
# Enough to be worth a request, small enough for a database that is starting.
PROBE_POINTS: Final = 100
# A size that was refused is tried again after so many full batches below it, and after twice as
# many each time it is refused again.
BATCHES_BEFORE_RETRY: Final = 16
BATCHES_BEFORE_RETRY_MAX: Final = 1024
# So many refusals in a row for one reason are a misconfigured server, not bad points.
SURGE_STREAK: Final = 20
# And so are more refused than accepted ones among so many.
SURGE_WINDOW: Final = 50
# The tag of the points of entities, with every profile.
_OF_ENTITY: Final = b",entity_id="


@dataclass(slots=True, kw_only=True)
class Isolation:
    """The size of the next batch, and the lines that the server named as wrong."""

    maximum: int = BATCH_POINTS
    limit: int = BATCH_POINTS
    suspects: set[bytes] = field(default_factory=set)
    _too_large: int | None = None
    _below: int = 0
    _batches_before_retry: int = BATCHES_BEFORE_RETRY

    def __post_init__(self) -> None:
        """Begin with no more than there may ever be."""
        self.limit = min(self.limit, self.maximum)

    def refused(self, rejected_lines: frozenset[int], payload: bytes, count: int) -> None:
        """Isolate the lines that the server names by their indexes, or halve."""
        lines = payload.split(b"\n")
        named = {lines[index] for index in rejected_lines}
        if not named or named <= self.suspects:
            self.limit = max(count // 2, 1)
        self.suspects |= named

    def halve(self, count: int) -> None:
        """Send less at once."""
        self.limit = max(count // 2, 1)

    def too_large(self, count: int) -> None:
        """Send less at once, and remember that so many are refused for their size."""
        if self._too_large is not None and count >= self._too_large:
            self._batches_before_retry = min(
                self._batches_before_retry * 2, BATCHES_BEFORE_RETRY_MAX
            )
        self._too_large = min(count, self._too_large or count)
        self._below = 0
        self.halve(count)

    def grow(self, count: int) -> None:
        """Send more at once again, as so many were taken."""
        if self._too_large is not None and count >= self._too_large:
            self._too_large, self._batches_before_retry = None, BATCHES_BEFORE_RETRY
        wanted = min(self.limit * 2, self.maximum)
        if self._too_large is not None and wanted >= self._too_large:
            self._below += count >= self.limit
            if self._below < self._batches_before_retry:
                return
            self._below = 0
        self.limit = wanted

    def settled(self, payload: bytes) -> None:
        """Remove these lines from the suspects."""
        if self.suspects:
            self.suspects.difference_update(payload.split(b"\n"))

    def prefix(self, payload: bytes, count: int) -> int:
        """How many of these lines may go together: up to a suspect, which goes alone."""
        if not self.suspects:
            return count
        for index, line in enumerate(payload.split(b"\n")):
            if line in self.suspects:
                return max(index, 1)
        return count


@dataclass(slots=True, kw_only=True)
class RejectionSurge:
    """Detects a surge of rejections, as of a misconfigured server.

    A server that takes the points of entities is well configured: what else it refuses, such as
    points that a user or a device made up, is wrong itself.

    `is_overridden` says that the user wants points put aside all the same, until one is accepted.
    """

    is_overridden: bool = False
    _takes_entities: bool = False
    _recent: deque[bool] = field(default_factory=lambda: deque(maxlen=SURGE_WINDOW))
    _streak: int = 0
    _reason: str = ""

    def accepted(self, points: int, payload: bytes) -> None:
        """Points were stored."""
        self._takes_entities |= _OF_ENTITY in payload
        self._recent.extend([False] * min(points, SURGE_WINDOW))
        self._streak = 0
        self.is_overridden = False

    def rejects(self, reason: str, line: bytes) -> bool:
        """Note the rejection of a point; whether it is one too many."""
        self._takes_entities &= _OF_ENTITY not in line
        if self._takes_entities:
            return False
        self._recent.append(True)
        self._streak = self._streak + 1 if reason == self._reason else 1
        self._reason = reason
        is_surge = self._streak >= SURGE_STREAK or (
            len(self._recent) == SURGE_WINDOW and sum(self._recent) * 2 > SURGE_WINDOW
        )
        return is_surge and not self.is_overridden
