"""How long points may wait for the disk, and what happens when it refuses to take them."""

import errno
import math
from collections import deque
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from .segments.segments import Segments


class Durability(StrEnum):
    """What a power cut may cost: nothing that was captured, five seconds, or half a minute.

    A process that ends, however it ends, costs the same with each: at most the last
    quarter of a second.
    """

    STRICT = "strict"
    BALANCED = "balanced"
    RELAXED = "relaxed"


# Seconds that points may wait for the disk. Five is what the recorder's own database risks;
# infinity leaves it to the operating system.
SYNC_AFTER: Final[Mapping[Durability, float]] = {
    Durability.STRICT: 0.0,
    Durability.BALANCED: 5.0,
    Durability.RELAXED: math.inf,
}
# A disk that refuses to sync is asked again at intervals; each time its points are written anew.
SYNC_RETRY: Final = 30.0
# What is kept in memory to be written anew: a segment's worth, or two minutes of a quiet home.
UNSYNCED_FRAMES: Final = 500
# With these, another file would be no better.
_WHOLE_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


class _UnsyncedFrame(NamedTuple):
    since: float
    first_seq: int
    last_seq: int
    time: int
    data: bytes


class Unsynced:
    """The pending frames that are not known to be on the disk.

    After a failed sync the content of the disk is unknown, and a second sync may report success
    without having written it. So the file is abandoned, and its frames are written to a new one.
    """

    def __init__(
        self, segments: Segments, clock: Callable[[], float], durability: Durability
    ) -> None:
        """Begin with none; `clock` is monotonic."""
        self._segments = segments
        self._clock = clock
        self._durability = durability
        self._frames: deque[_UnsyncedFrame] = deque()
        self._is_doubtful = False
        self._rewritten = 0
        self._not_before = -math.inf

    @property
    def needs_sync(self) -> bool:
        """Whether there is something that the disk will have to be asked to take."""
        return bool(self._frames) and self._durability is not Durability.RELAXED

    @property
    def due(self) -> float:
        """When the oldest has waited for the disk as long as it may, by the clock."""
        if not self._frames:
            return math.inf
        return max(self._frames[0].since + SYNC_AFTER[self._durability], self._not_before)

    def append(self, data: bytes, *, first_seq: int, last_seq: int, time: int) -> None:
        """Write a frame, and remember it."""
        frame = _UnsyncedFrame(self._clock(), first_seq, last_seq, time, data)
        self._write(frame)
        self._frames.append(frame)
        while len(self._frames) > UNSYNCED_FRAMES:
            self._frames.popleft()
            self._rewritten = max(self._rewritten - 1, 0)

    def sync(self, acked: int) -> None:
        """Put all of them on the disk."""
        if not self._frames:
            return
        self.rewrite(acked)
        try:
            self._segments.sync()
        except OSError:
            self._segments.finish()
            self._doubt()
            self._not_before = self._clock() + SYNC_RETRY
            raise
        self._frames.clear()

    def rewrite(self, acked: int) -> None:
        """Write again the frames of a failed sync, before new ones, to keep the order."""
        if not self._is_doubtful:
            return
        while self._rewritten < len(self._frames):
            self._write(self._frames[self._rewritten])
            self._rewritten += 1
        if self._frames:
            self._segments.discard_copies(acked, self._frames[0].first_seq)
        self._is_doubtful = False

    def _write(self, frame: _UnsyncedFrame) -> None:
        try:
            self._segments.append(
                frame.data, first_seq=frame.first_seq, last_seq=frame.last_seq, time=frame.time
            )
        except OSError as err:
            # One file may be bad while the disk is not.
            if err.errno not in _WHOLE_DISK and self._segments.leave_file():
                self._doubt()
            raise

    def _doubt(self) -> None:
        self._is_doubtful, self._rewritten = True, 0

    def settle(self, acked: int) -> None:
        """Forget what need not be on the disk any more."""
        while self._frames and self._frames[0].last_seq <= acked:
            self._frames.popleft()
            self._rewritten = max(self._rewritten - 1, 0)

    def seal(self) -> None:
        """Leave the sync of a full segment to the operating system."""
        self._frames.clear()
