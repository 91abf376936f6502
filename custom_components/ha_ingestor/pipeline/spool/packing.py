"""Packs lines into frames: how many into one, and which are worth compressing."""

from collections.abc import Sequence
from typing import Final

from .batch import chunk
from .segments.frame import TIME_MAX, Compressor, pack

# A frame is the unit of loss when bytes are damaged, and of memory when it is read.
FRAME_POINTS: Final = 500
FRAME_BYTES: Final = 256 * 1024
# Below this a frame saves less than a sector of the disk.
COMPRESS_FROM: Final = 1024
# What is delivered within seconds hardly reaches the disk. An ordinary home makes a frame of less
# than a page with every commit, and to compress these would be a sixth of all work.
COMPRESS_AT_ONCE_FROM: Final = 4096
BACKLOG_POINTS: Final = 500


class Packer:
    """Used by one thread."""

    def __init__(self, *, compresses: bool) -> None:
        """Compress what is worth it, if told to."""
        self._compress = Compressor() if compresses else None

    def pack(
        self, lines: Sequence[str], *, first_seq: int, acked: int, time: int, pending: int
    ) -> tuple[int, bytes]:
        """Return how many of the first lines are in the next frame, and the frame.

        `time` in seconds; so many points are `pending` before these.
        """
        count, payload = chunk(lines[:FRAME_POINTS], FRAME_BYTES)
        worth_it = COMPRESS_FROM if pending >= BACKLOG_POINTS else COMPRESS_AT_ONCE_FROM
        frame = pack(
            payload,
            first_seq=first_seq,
            count=count,
            acked=acked,
            time=time,
            compress=self._compress if len(payload) >= worth_it else None,
        )
        return count, frame


def frame_time(seconds: float) -> int:
    """Return a time as a frame has it."""
    return min(max(int(seconds), 0), TIME_MAX)
