"""The files of the spool: frames are appended to the newest, read in order, removed whole.

A process appends only to a segment that it created, so a torn tail stays where a crash left it and
is stepped over by its checksum.
"""

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
_WHOLE_FILE: Final = 1 << 31


@dataclass(slots=True, kw_only=True)
class Segment:
    """One file and the range of sequence numbers in it; its frames are of `since` to `newest`."""

    name: str
    first_seq: int = 0
    last_seq: int = 0
    size: int = 0
    since: int = 0
    newest: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a frame ends."""

    name: str
    offset: int


class Segments:
    """Every method may raise OSError; what it did not do can be tried again."""

    def __init__(self, files: Files, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Work among `files`, where other files are left alone."""
        self._files = files
        self._segment_bytes = segment_bytes
        self._fd = -1
        self._is_new = False
        self._created = 0
        self._listed: list[Segment] = []
        self._head = Place(name="", offset=0)
        self._oldest_read = (0, 0)
        self._failures: Counter[str] = Counter()

    @property
    def size(self) -> int:
        """Bytes in all segments."""
        return sum(segment.size for segment in self._listed)

    @property
    def oldest(self) -> Segment | None:
        """The segment that eviction would take, or None when there is nothing in any."""
        return next((segment for segment in self._listed if segment.size), None)

    @property
    def needs_file(self) -> bool:
        """Whether the next frame begins a new segment."""
        return self._fd < 0

    @property
    def is_full(self) -> bool:
        """Whether the segment in use should be sealed."""
        return self._fd >= 0 and self._listed[-1].size >= self._segment_bytes

    def recover(self) -> Iterator[Frame]:
        """Read every valid frame that earlier processes left."""
        self._listed = []
        for name in self._files.names():
            if not name.endswith(_SUFFIX):
                continue
            if (data := self._read_whole(name)) is None:
                continue
            segment = Segment(name=name)
            self._listed.append(segment)
            for frame in scan(data):
                segment.first_seq = segment.first_seq or frame.first_seq
                _note(segment, frame.last_seq, frame.time, frame.end)
                yield frame

    def _read_whole(self, name: str) -> bytes | None:
        """Read a file, or None when it failed too often: its numbers are missed and counted."""
        try:
            return self._files.read(name, 0, _WHOLE_FILE)
        except OSError:
            if self._fails_for_good(name):
                _LOGGER.exception("A part of the spool cannot be read: %s", name)
                return None
            raise

    def _fails_for_good(self, name: str) -> bool:
        self._failures[name] += 1
        return self._failures[name] >= READ_ATTEMPTS

    def append(self, frame: bytes, *, first_seq: int, last_seq: int, time: int) -> None:
        """Write one frame at the end."""
        if self._fd < 0:
            # The number keeps names apart when points are written a second time, after the file
            # that had them could not be brought to the disk, or an old one could not be removed.
            taken = {segment.name for segment in self._listed}
            while (name := f"{first_seq:020d}-{self._created:06d}{_SUFFIX}") in taken:
                self._created += 1
            self._fd = self._files.create(name)
            self._is_new = True
            self._listed.append(Segment(name=name, first_seq=first_seq))
        segment = self._listed[-1]
        self._files.write(self._fd, frame, segment.size)
        _note(segment, last_seq, time, segment.size + len(frame))

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
                fd = self._files.open(segment.name)
                try:
                    self._files.sync(fd)
                finally:
                    self._files.close(fd)

    def discard_copies(self, acked: int, from_seq: int) -> None:
        """Remove the given-up segments whose pending frames were all written again elsewhere."""
        for segment in self._listed[:-1]:
            if segment.last_seq >= from_seq and max(segment.first_seq, acked + 1) >= from_seq:
                with suppress(OSError):
                    self._files.remove(segment.name)
                    self._listed.remove(segment)

    def forget_missing(self) -> None:
        """Face that somebody removed files, or all of them."""
        names = set(self._files.names())
        if self._listed and self._listed[-1].name not in names:
            self.finish()
        self._listed = [segment for segment in self._listed if segment.name in names]

    def finish(self) -> None:
        """Append to the segment in use no more."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with suppress(OSError):
                self._files.close(fd)

    def frames(self, after: int) -> Iterator[tuple[Place, Frame]]:
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
            except OSError:
                if not self._fails_for_good(segment.name):
                    raise
                continue
            for frame in scan(data, start):
                if frame.last_seq > after:
                    after = frame.last_seq
                    if is_oldest:
                        self._oldest_read, is_oldest = (frame.last_seq, frame.time), False
                    yield Place(name=segment.name, offset=frame.end), frame

    def pass_by(self, place: Place) -> None:
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

    def release(self, acked: int) -> None:
        """Remove the segments that are settled; emptying the one in use spares the disk its pages.

        What cannot be removed now is tried again the next time.
        """
        for segment in list(self._listed):
            if segment.last_seq > acked:
                continue
            with suppress(OSError):
                if self._fd >= 0 and segment is self._listed[-1]:
                    if segment.size:
                        self._files.truncate(self._fd)
                        segment.size = segment.since = 0
                        self._head = Place(name=segment.name, offset=0)
                    continue
                self._files.remove(segment.name)
                self._listed.remove(segment)


def _note(segment: Segment, last_seq: int, time: int, size: int) -> None:
    segment.last_seq = max(segment.last_seq, last_seq)
    segment.since = segment.since or time
    segment.newest = max(segment.newest, time)
    segment.size = size
