"""The files of the spool: frames are appended to the newest, read in order, removed whole.

A process appends only to a segment that it created, so a torn tail stays where a crash left it and
is skipped by its checksum. A name is never used again while a file has it.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from ...files import Files
from .file import SegmentFile
from .frame import Frame, scan
from .reader import SegmentReader
from .removal import SegmentRemoval
from .segment import SUFFIX, FrameEnd, Segment

# Small enough that eviction and recovery work in small steps, large enough for few files.
SEGMENT_BYTES: Final = 1024 * 1024
# One file may be in use; so many in a row mean a directory that cannot be written.
EVICT_ATTEMPTS: Final = 3


class Segments:
    """Methods may raise OSError, where they do not say otherwise, and can be called again then."""

    def __init__(self, files: Files, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Work among `files`, where other files are left alone."""
        self._files = files
        self._segment_bytes = segment_bytes
        self._listed: list[Segment] = []
        # Whether all that earlier processes left could be read.
        self.is_complete = True
        # The last one of the list, as long as it is open.
        self._file = SegmentFile(files)
        self._reader = SegmentReader(files)
        self._removal = SegmentRemoval(files)

    @property
    def disk_error(self) -> str:
        """Why a file could not be removed, as long as that is so."""
        return self._removal.disk_error

    @property
    def size(self) -> int:
        """Bytes in all files, also in those that could not be removed."""
        return self._removal.size + sum(segment.size for segment in self._listed)

    @property
    def needs_file(self) -> bool:
        """Whether the next frame begins a new segment."""
        return not self._file.is_open

    @property
    def is_full(self) -> bool:
        """Whether the segment in use should be sealed."""
        return self._file.is_open and self._listed[-1].size >= self._segment_bytes

    # In

    def recover(self, *, gives_up: bool = True) -> Iterator[Frame]:
        """Read every valid frame that earlier processes left.

        Where it `gives_up`, it goes on without a file that stays unreadable.
        """
        self._listed, self.is_complete = [], True
        self._removal.forget()
        for name in self._files.names():
            if not name.endswith(SUFFIX):
                continue
            if (data := self._reader.read_whole(name, gives_up=gives_up)) is None:
                self.is_complete = False
                continue
            segment = Segment(name=name, is_recovered=True)
            self._listed.append(segment)
            for frame in scan(data):
                segment.first_seq = segment.first_seq or frame.first_seq
                segment.note(last_seq=frame.last_seq, time=frame.time, size=frame.end)
                yield frame

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

    def append(self, frame: bytes, *, first_seq: int, last_seq: int, time: int) -> None:
        """Write one frame at the end."""
        if not self._file.is_open:
            self._listed.append(Segment(name=self._file.create(first_seq), first_seq=first_seq))
        segment = self._listed[-1]
        self._file.write(frame, segment.size)
        segment.note(last_seq=last_seq, time=time, size=segment.size + len(frame))

    def leave_file(self) -> bool:
        """Use another file for the next frame; False when this one is empty and as good as any."""
        if not self._file.is_open or not self._listed[-1].size:
            return False
        self.finish()
        return True

    def sync(self) -> None:
        """Bring the segment in use to the disk."""
        self._file.sync()

    def finish(self) -> None:
        """Append to the segment in use no more; never raises."""
        self._file.close()

    # Out

    def frames(self, after: int) -> Iterator[tuple[FrameEnd, Frame]]:
        """Read the frames with sequence numbers above `after`, each number once."""
        return self._reader.frames(list(self._listed), after)

    def advance_reader(self, place: FrameEnd) -> None:
        """Read from here on."""
        self._reader.advance(place)

    def since(self, acked: int) -> int | None:
        """When the oldest unsettled point was written, as far as is known; None without any."""
        return self._reader.since(self._listed, acked)

    # Away

    def oldest(self, acked: int) -> Segment | None:
        """Return the segment that eviction would take, or None when nothing is pending in any."""
        pending = (each for each in self._listed if each.size and each.last_seq > acked)
        return next(pending, None)

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
                self._removal.remove(segment)
            except OSError:
                if segment is attempts[-1]:
                    raise
            else:
                self._listed.remove(segment)
                return segment.last_seq
        return acked

    def release(self, acked: int) -> None:
        """Remove the segments that are settled; emptying the one in use spares the disk its pages.

        What cannot be removed is kept apart, see `remove_settled`. Never raises.
        """
        for segment in list(self._listed):
            if segment.last_seq > acked:
                continue
            if self._file.is_open and segment is self._listed[-1]:
                if not segment.size or self._empty(segment):
                    continue
                self.finish()
            self._remove_or_keep(segment)

    def remove_settled(self) -> None:
        """Try once more to remove what could not be removed; never raises."""
        self._removal.try_again()

    def discard_copies(self, acked: int, from_seq: int) -> None:
        """Remove the given-up segments whose pending frames were all written again elsewhere."""
        for segment in self._listed[:-1]:
            if segment.last_seq >= from_seq and max(segment.first_seq, acked + 1) >= from_seq:
                self._remove_or_keep(segment)

    def forget_missing(self) -> None:
        """Forget segments whose files were deleted."""
        names = set(self._files.names())
        self.finish()
        self._listed = [segment for segment in self._listed if segment.name in names]
        self._removal.forget_missing(names)

    def _empty(self, segment: Segment) -> bool:
        if not self._file.empty():
            return False
        segment.size = segment.since = 0
        self._reader.advance(FrameEnd(name=segment.name, offset=0))
        return True

    def _remove_or_keep(self, segment: Segment) -> None:
        self._removal.remove_or_keep(segment)
        self._listed.remove(segment)
