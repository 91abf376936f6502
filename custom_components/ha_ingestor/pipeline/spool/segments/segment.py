"""A file of the spool, and places in it."""

from dataclasses import dataclass
from typing import Final

SUFFIX: Final = ".seg"


@dataclass(slots=True, kw_only=True)
class Segment:
    """One file and the range of sequence numbers in it; its frames are of `since` to `newest`.

    `is_recovered`: an earlier process wrote it, by a clock of which nothing is known.
    """

    name: str
    first_seq: int = 0
    last_seq: int = 0
    size: int = 0
    since: int = 0
    newest: int = 0
    is_recovered: bool = False

    def note(self, *, last_seq: int, time: int, size: int) -> None:
        """Note a frame in it, up to which it is so large."""
        self.last_seq = max(self.last_seq, last_seq)
        self.since = self.since or time
        self.newest = max(self.newest, time)
        self.size = size


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameEnd:
    """Where a frame ends."""

    name: str
    offset: int
