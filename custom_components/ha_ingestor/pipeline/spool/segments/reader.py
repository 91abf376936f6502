"""Reads the files of the spool in order, and gives up those that stay unreadable."""

import errno
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from ...files import Files
from .frame import Frame, scan
from .segment import FrameEnd, Segment

_LOGGER = logging.getLogger(__name__)

# A bad sector stays bad; what lies behind it must not wait for ever.
READ_ATTEMPTS: Final = 10
# These mean that a file cannot be read now; its content may be good.
_NOT_NOW: Final = frozenset(
    {
        *(errno.EACCES, errno.EPERM, errno.EBUSY, errno.EAGAIN, errno.EINTR, errno.ETIMEDOUT),
        *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOLCK, errno.ESTALE, errno.ENOTDIR),
    }
)
_WHOLE_FILE: Final = 1 << 31


class SegmentReader:
    """Remembers how far it has read. Methods may raise OSError, and can be called again then."""

    def __init__(self, files: Files) -> None:
        """Begin with the first file."""
        self._files = files
        self._head = FrameEnd(name="", offset=0)
        self._oldest_read = (0, 0)
        self._failures: Counter[str] = Counter()

    def read_whole(self, name: str, *, gives_up: bool) -> bytes | None:
        """Read a file, or None when it failed too often: its numbers are missed and counted."""
        try:
            return self._files.read(name, 0, _WHOLE_FILE)
        except OSError as err:
            if gives_up and self._fails_for_good(name, err):
                _LOGGER.exception("A part of the spool cannot be read: %s", name)
                return None
            raise

    def frames(self, segments: Iterable[Segment], after: int) -> Iterator[tuple[FrameEnd, Frame]]:
        """Read the frames with sequence numbers above `after`, each number once."""
        is_oldest = True
        for segment in segments:
            if segment.last_seq <= after or segment.name < self._head.name:
                continue
            start = self._head.offset if segment.name == self._head.name else 0
            try:
                data = self._files.read(segment.name, start, segment.size - start)
            except FileNotFoundError:
                raise
            except OSError as err:
                if not self._fails_for_good(segment.name, err):
                    raise
                continue
            self._failures.pop(segment.name, None)
            for frame in scan(data, start):
                if frame.last_seq > after:
                    after = frame.last_seq
                    if is_oldest:
                        self._oldest_read, is_oldest = (frame.last_seq, frame.time), False
                    yield FrameEnd(name=segment.name, offset=frame.end), frame

    def advance(self, place: FrameEnd) -> None:
        """Read from here on."""
        self._head = place

    def since(self, segments: Iterable[Segment], acked: int) -> int | None:
        """When the oldest unsettled point was written, as far as is known; None without any."""
        # It was read already, unless eviction moved on to the next segment.
        last_seq, time = self._oldest_read
        if last_seq > acked:
            return time
        since = (each.since for each in segments if each.last_seq > acked)
        # And nothing behind it is older.
        return next((max(begun, time) for begun in since), None)

    def _fails_for_good(self, name: str, err: OSError) -> bool:
        self._failures[name] += err.errno not in _NOT_NOW
        return self._failures[name] >= READ_ATTEMPTS
