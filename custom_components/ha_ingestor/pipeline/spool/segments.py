"""The files of the spool: frames are appended to the newest, read in order, removed whole.

A process appends only to a segment that it created, so a torn tail stays where a crash left it and
is skipped by its checksum. A name is never used again while a file has it.
"""

import errno
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from .files import Files
from .frame import Frame, scan

_LOGGER = logging.getLogger(__name__)

_SUFFIX: Final = ".seg"
# Small enough that eviction and recovery work in small steps, large enough for few files.
SEGMENT_BYTES: Final = 1024 * 1024
# A bad sector stays bad; what lies behind it must not wait for ever.
READ_ATTEMPTS: Final = 10
# These mean that a file cannot be read now; its content may be good.
_NOT_NOW: Final = frozenset(
    {
        *(errno.EACCES, errno.EPERM, errno.EBUSY, errno.EAGAIN, errno.EINTR, errno.ETIMEDOUT),
        *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOLCK, errno.ESTALE),
    }
)
# One file may be in use; so many in a row mean a directory that cannot be written.
EVICT_ATTEMPTS: Final = 3
_WHOLE_FILE: Final = 1 << 31


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


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameEnd:
    """Where a frame ends."""

    name: str
    offset: int


class Segments:
    """Methods may raise OSError, where they do not say otherwise, and can be called again then.

    `disk_error` says what could not be removed, as long as that is so.
    """

    def __init__(self, files: Files, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Work among `files`, where other files are left alone."""
        self.disk_error = ""
        self._files = files
        self._segment_bytes = segment_bytes
        self._fd = -1
        self._is_new = False
        self._created = 0
        self._listed: list[Segment] = []
        self._settled: dict[str, Segment] = {}
        self._head = FrameEnd(name="", offset=0)
        self._oldest_read = (0, 0)
        self._failures: Counter[str] = Counter()

    @property
    def size(self) -> int:
        """Bytes in all files, also in those that could not be removed."""
        settled = sum(segment.size for segment in self._settled.values())
        return settled + sum(segment.size for segment in self._listed)

    @property
    def needs_file(self) -> bool:
        """Whether the next frame begins a new segment."""
        return self._fd < 0

    @property
    def is_full(self) -> bool:
        """Whether the segment in use should be sealed."""
        return self._fd >= 0 and self._listed[-1].size >= self._segment_bytes

    def oldest(self, acked: int) -> Segment | None:
        """Return the segment that eviction would take, or None when nothing is pending in any."""
        pending = (each for each in self._listed if each.size and each.last_seq > acked)
        return next(pending, None)

    def recover(self) -> Iterator[Frame]:
        """Read every valid frame that earlier processes left."""
        self._listed = []
        self._settled = {}
        for name in self._files.names():
            if not name.endswith(_SUFFIX):
                continue
            if (data := self._read_whole(name)) is None:
                continue
            segment = Segment(name=name, is_recovered=True)
            self._listed.append(segment)
            for frame in scan(data):
                segment.first_seq = segment.first_seq or frame.first_seq
                _note(segment, frame.last_seq, frame.time, frame.end)
                yield frame

    def _read_whole(self, name: str) -> bytes | None:
        """Read a file, or None when it failed too often: its numbers are missed and counted."""
        try:
            return self._files.read(name, 0, _WHOLE_FILE)
        except OSError as err:
            if self._fails_for_good(name, err):
                _LOGGER.exception("A part of the spool cannot be read: %s", name)
                return None
            raise

    def _fails_for_good(self, name: str, err: OSError) -> bool:
        self._failures[name] += err.errno not in _NOT_NOW
        return self._failures[name] >= READ_ATTEMPTS

    def append(self, frame: bytes, *, first_seq: int, last_seq: int, time: int) -> None:
        """Write one frame at the end."""
        if self._fd < 0:
            name = self._free_name(first_seq)
            self._fd = self._files.create(name)
            self._is_new = True
            self._listed.append(Segment(name=name, first_seq=first_seq))
        segment = self._listed[-1]
        self._files.write(self._fd, frame, segment.size)
        _note(segment, last_seq, time, segment.size + len(frame))

    def _free_name(self, first_seq: int) -> str:
        """Choose a name that no file has.

        The number behind the sequence number keeps names apart when points are written a second
        time, because their file could not be synced, removed or read.
        """
        taken = set(self._files.names())
        while (name := f"{first_seq:020d}-{self._created:06d}{_SUFFIX}") in taken:
            self._created += 1
        return name

    def leave_file(self) -> bool:
        """Use another file for the next frame; False when this one is empty and as good as any."""
        if self._fd < 0 or not self._listed[-1].size:
            return False
        self.finish()
        return True

    def sync(self) -> None:
        """Bring the segment in use to the disk."""
        if self._fd >= 0:
            self._files.sync(self._fd)
            if self._is_new:
                self._files.sync_directory()
                self._is_new = False

    def sync_recovered(self, after: int) -> None:
        """Bring what a killed process left in the system's memory to the disk."""
        for segment in self._listed:
            if segment.last_seq > after:
                fd = self._files.open_to_sync(segment.name)
                try:
                    self._files.sync(fd)
                finally:
                    with suppress(OSError):
                        self._files.close(fd)

    def discard_copies(self, acked: int, from_seq: int) -> None:
        """Remove the given-up segments whose pending frames were all written again elsewhere."""
        for segment in self._listed[:-1]:
            if segment.last_seq >= from_seq and max(segment.first_seq, acked + 1) >= from_seq:
                self._remove_or_keep(segment)

    def forget_missing(self) -> None:
        """Forget segments whose files were deleted."""
        names = set(self._files.names())
        if self._listed and self._listed[-1].name not in names:
            self.finish()
        self._listed = [segment for segment in self._listed if segment.name in names]
        self._settled = {name: each for name, each in self._settled.items() if name in names}

    def finish(self) -> None:
        """Append to the segment in use no more; never raises."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with suppress(OSError):
                self._files.close(fd)

    def frames(self, after: int) -> Iterator[tuple[FrameEnd, Frame]]:
        """Read the frames with sequence numbers above `after`, each number once."""
        is_oldest = True
        for segment in list(self._listed):
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

    def advance_reader(self, place: FrameEnd) -> None:
        """Read from here on."""
        self._head = place

    def since(self, acked: int) -> int | None:
        """When the oldest unsettled point was written, as far as is known; None without any."""
        # It was read already, unless eviction moved on to the next segment.
        last_seq, time = self._oldest_read
        if last_seq > acked:
            return time
        since = (each.since for each in self._listed if each.last_seq > acked)
        # And nothing behind it is older.
        return next((max(begun, time) for begun in since), None)

    def frees(self, acked: int) -> bool:
        """Whether `release` would remove anything that was ever written."""
        return any(segment.last_seq <= acked and segment.size for segment in self._listed)

    def evict(self, acked: int) -> int:
        """Remove the oldest pending segment, and return the last number that is gone with it.

        Where its file cannot be removed, a later one is, and what is before it is given up too:
        points are never given up without making room. Raises the error of the last attempt.
        """
        pending = [each for each in self._listed if each.size and each.last_seq > acked]
        attempts = pending[:EVICT_ATTEMPTS]
        for segment in attempts:
            if segment is self._listed[-1]:
                self.finish()
            try:
                self._remove(segment)
            except OSError:
                if segment is attempts[-1]:
                    raise
            else:
                return segment.last_seq
        return acked

    def release(self, acked: int) -> None:
        """Remove the segments that are settled; emptying the one in use spares the disk its pages.

        What cannot be removed is kept apart, see `remove_settled`. Never raises.
        """
        for segment in list(self._listed):
            if segment.last_seq > acked:
                continue
            if self._fd >= 0 and segment is self._listed[-1]:
                if not segment.size or self._empty(segment):
                    continue
                self.finish()
            self._remove_or_keep(segment)

    def remove_settled(self) -> None:
        """Try once more to remove what could not be removed; never raises."""
        for segment in list(self._settled.values()):
            self._remove_or_keep(segment)

    def _empty(self, segment: Segment) -> bool:
        try:
            self._files.truncate(self._fd)
        except OSError:
            return False
        segment.size = segment.since = 0
        self._head = FrameEnd(name=segment.name, offset=0)
        return True

    def _remove_or_keep(self, segment: Segment) -> None:
        with suppress(OSError):
            self._remove(segment)
            return
        if segment in self._listed:
            self._listed.remove(segment)
        self._settled[segment.name] = segment

    def _remove(self, segment: Segment) -> None:
        try:
            self._files.remove(segment.name)
        except OSError as err:
            self.disk_error = err.strerror or type(err).__name__
            raise
        if segment in self._listed:
            self._listed.remove(segment)
        self._settled.pop(segment.name, None)
        if not self._settled:
            self.disk_error = ""


def _note(segment: Segment, last_seq: int, time: int, size: int) -> None:
    segment.last_seq = max(segment.last_seq, last_seq)
    segment.since = segment.since or time
    segment.newest = max(segment.newest, time)
    segment.size = size
