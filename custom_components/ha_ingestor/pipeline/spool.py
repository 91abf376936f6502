"""The durable queue: lines in, batches out, acknowledged from the front.

    000…001.seg   000…513.seg   000…999.seg
    ░░░░░░▓▓▓▓▓   ▓▓▓▓▓▓▓▓▓▓▓   ▓▓▓▓▓→ append      ░ acknowledged   ▓ pending
          ↑ head (acked + 1)            ↑ next_seq

A segment is a file of frames. A process appends only to a segment that it created, so a torn tail
stays where the crash left it and is stepped over by its checksum. Every line has a sequence number
that is settled once: written, quarantined, evicted or lost. Synchronous; one thread uses it.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Literal

from .cursor import Cursor
from .files import Files
from .frame import Frame, pack, scan
from .ledger import Ledger

_LOGGER = logging.getLogger(__name__)

_SUFFIX: Final = ".seg"
# Small enough that eviction and recovery work in small steps, large enough for few files.
SEGMENT_BYTES: Final = 1024 * 1024
# A frame is the unit of loss when bytes rot, and of memory when it is read.
FRAME_POINTS: Final = 500
FRAME_BYTES: Final = 256 * 1024
# At 10 events per second of 300 bytes this is a day without the database.
SPOOL_BYTES: Final = 256 * 1024 * 1024
# What a power cut may cost. The recorder's own database risks as much.
SYNC_AFTER: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The next lines to deliver, as they will be sent.

    `spans` are the ranges of sequence numbers in it: more than one where damage left a hole.
    """

    payload: bytes
    count: int
    last_seq: int
    spans: tuple[tuple[int, int], ...]


@dataclass(slots=True, kw_only=True)
class _Segment:
    name: str
    last_seq: int
    size: int = 0


@dataclass(slots=True)
class Spool:
    """See the module. Methods may raise OSError; what they did not do can be tried again."""

    files: Files
    ledger: Ledger
    clock: Callable[[], float]
    segment_bytes: int = SEGMENT_BYTES
    spool_bytes: int = SPOOL_BYTES
    is_open: bool = False
    _cursor: Cursor = field(init=False)
    _segments: list[_Segment] = field(default_factory=list)
    _active_fd: int = -1
    _head: tuple[str, int] = ("", 0)
    _marks: list[tuple[int, str, int]] = field(default_factory=list)
    _next_seq: int = 1
    _acked: int = 0
    _synced_seq: int = 0
    _durable_acked: int = 0
    _unsynced: deque[tuple[int, float]] = field(default_factory=deque)

    @property
    def pending(self) -> int:
        """Points that wait for delivery."""
        return self._next_seq - 1 - self._acked

    @property
    def disk_bytes(self) -> int:
        """Size of all segments."""
        return sum(segment.size for segment in self._segments)

    # Start and end

    def open(self) -> None:
        """Recover what earlier processes left, whatever its state."""
        self._cursor = Cursor(self.files)
        stored = self._cursor.open()
        acked = cursor_acked = int(stored.get("acked", 0))
        last = synced = int(stored.get("synced", 0))
        self._segments = []
        for name in self.files.names():
            if not name.endswith(_SUFFIX):
                continue
            segment = _Segment(name=name, last_seq=0)
            for frame in scan(self.files.read(name, 0, 1 << 31)):
                segment.last_seq = max(segment.last_seq, frame.last_seq)
                segment.size = frame.end
                acked = max(acked, frame.acked)
            if segment.last_seq > synced:
                self._sync_file(name)
            last = max(last, segment.last_seq)
            self._segments.append(segment)
        last = max(last, acked)
        self.ledger.restore(stored)
        self.ledger.captured += last - synced
        # A frame says that these were settled before it, and a segment goes only when its points
        # are; all that settles without syncing the cursor is a delivery.
        self.ledger.written += acked - cursor_acked
        self._acked, self._next_seq = acked, last + 1
        self._synced_seq = last
        self._durable_acked = cursor_acked
        self.is_open = True
        self._release()

    def close(self) -> None:
        """Put everything on disk and let go of the files."""
        if not self.is_open:
            return
        self.sync()
        self._cursor.sync()
        if self._active_fd >= 0:
            self.files.close(self._active_fd)
            self._active_fd = -1
        self._cursor.close()
        self.is_open = False

    # In

    def append(self, lines: list[str]) -> None:
        """Move encoded lines to the end of the queue; they are captured from here on.

        After an error `lines` holds what was not appended.
        """
        while lines:
            count, payload = _chunk(lines)
            if self._active_fd < 0:
                self._create_segment()
            segment = self._segments[-1]
            frame = pack(payload, first_seq=self._next_seq, count=count, acked=self._acked)
            self.files.write(self._active_fd, frame, segment.size)
            del lines[:count]
            segment.size += len(frame)
            self._next_seq += count
            segment.last_seq = self._next_seq - 1
            self.ledger.captured += count
            self._unsynced.append((segment.last_seq, self.clock()))
            if segment.size >= self.segment_bytes:
                self._seal()
        while self.disk_bytes > self.spool_bytes and self._segments:
            self._evict()

    @property
    def unsynced(self) -> bool:
        """Whether pending points are not known to be on disk."""
        return bool(self._unsynced)

    def sync_due(self) -> bool:
        """Whether points have waited for the disk as long as they may."""
        return bool(self._unsynced) and self.clock() - self._unsynced[0][1] >= SYNC_AFTER

    def sync(self) -> None:
        """Put everything appended on disk, and note the ledger."""
        if self._active_fd >= 0 and self._unsynced:
            self.files.sync(self._active_fd)
        self._synced_seq = self._next_seq - 1
        self._unsynced.clear()
        self._save()

    # Out

    def read(self, max_points: int, max_bytes: int) -> Batch | None:
        """Return the next points, or None; the same ones again until they are settled."""
        parts: list[bytes] = []
        spans: list[tuple[int, int]] = []
        count = size = 0
        self._marks = []
        for segment, frame in self._frames():
            first = max(frame.first_seq, self._acked + 1)
            last = min(frame.last_seq, first + max_points - count - 1)
            part = frame.payload
            if (first, last) != (frame.first_seq, frame.last_seq):
                lines = part.split(b"\n")
                part = b"\n".join(lines[first - frame.first_seq : last - frame.first_seq + 1])
            if parts and size + len(part) > max_bytes:
                break
            parts.append(part)
            size += len(part) + 1
            count += last - first + 1
            if spans and spans[-1][1] + 1 == first:
                spans[-1] = (spans[-1][0], last)
            else:
                spans.append((first, last))
            self._marks.append((frame.last_seq, segment.name, frame.end))
            if count >= max_points:
                break
        if not parts:
            self._settle_gap()
            return None
        return Batch(
            payload=b"\n".join(parts),
            count=count,
            last_seq=spans[-1][1],
            spans=tuple(spans),
        )

    def settle(self, batch: Batch, verdict: Literal["written", "quarantined"]) -> None:
        """Account for a batch and go on behind it; damaged points before it are lost."""
        acked = self._acked
        if batch.last_seq <= acked:
            return  # evicted while it was under way, and counted there
        points = sum(
            last - max(first, acked + 1) + 1 for first, last in batch.spans if last > acked
        )
        setattr(self.ledger, verdict, getattr(self.ledger, verdict) + points)
        if gap := batch.last_seq - acked - points:
            self.ledger.lost["damaged"] += gap
        self._advance(batch.last_seq, durable=verdict != "written" or gap > 0)

    # Inside

    def _frames(self) -> Iterator[tuple[_Segment, Frame]]:
        """Pending frames from the head on, each sequence number once."""
        name, offset = self._head
        passed = self._acked
        for segment in list(self._segments):
            if segment.last_seq <= self._acked or segment.name < name:
                continue
            start = offset if segment.name == name else 0
            for frame in scan(self.files.read(segment.name, start, segment.size - start), start):
                if frame.last_seq > passed:
                    passed = frame.last_seq
                    yield segment, frame

    def _sync_file(self, name: str) -> None:
        fd = self.files.open(name)
        try:
            self.files.sync(fd)
        finally:
            self.files.close(fd)

    def _settle_gap(self) -> None:
        if self.pending:
            _LOGGER.warning("%s points in the spool could not be read back", self.pending)
            self.ledger.lost["damaged"] += self.pending
            self._advance(self._next_seq - 1, durable=True)

    def _advance(self, acked: int, *, durable: bool = False) -> None:
        """Move the acknowledged prefix; first the cursor, then the files it frees."""
        self._acked = acked
        for last_seq, name, end in self._marks:
            if last_seq <= acked:
                self._head = (name, end)
        while self._unsynced and self._unsynced[0][0] <= acked:
            self._unsynced.popleft()
        self._save()
        # Removing points that a power cut would have spared must not outlive the cursor's knowledge
        # of them. Points that never had to be on disk may vanish together with the cursor.
        if durable or (self._durable_acked < self._synced_seq and self._frees_something()):
            with suppress(OSError):
                self._cursor.sync()
                self._durable_acked = acked
        self._release()

    def _frees_something(self) -> bool:
        return not self.pending or self._segments[0].last_seq <= self._acked

    def _release(self) -> None:
        """Remove what is settled; emptying the segment in use spares the disk its pages."""
        for segment in list(self._segments):
            if segment.last_seq > self._acked:
                continue
            with suppress(OSError):
                if self._active_fd >= 0 and segment is self._segments[-1]:
                    if segment.size:
                        self.files.truncate(self._active_fd)
                        segment.size = 0
                        self._head = (segment.name, 0)
                    continue
                self.files.remove(segment.name)
            self._segments.remove(segment)

    def _create_segment(self) -> None:
        name = f"{self._next_seq:020d}{_SUFFIX}"
        self._active_fd = self.files.create(name)
        self._segments.append(_Segment(name=name, last_seq=self._next_seq - 1))

    def _seal(self) -> None:
        self.files.sync(self._active_fd)
        self.files.sync_directory()
        self.files.close(self._active_fd)
        self._active_fd = -1
        self._synced_seq = self._next_seq - 1
        self._unsynced.clear()

    def _evict(self) -> None:
        """Give up the oldest segment, so that the newest points keep flowing."""
        if len(self._segments) == 1 and self._active_fd >= 0:
            self._seal()
        oldest = self._segments[0]
        self.ledger.evicted += oldest.last_seq - self._acked
        self._advance(oldest.last_seq, durable=True)

    def _save(self) -> None:
        content = self.ledger.as_dict() | {
            "acked": self._acked,
            "synced": self._synced_seq,
        }
        content["captured"] -= self._next_seq - 1 - self._synced_seq
        with suppress(OSError):
            self._cursor.write(content)


def _chunk(lines: Sequence[str]) -> tuple[int, bytes]:
    """Take as many lines as fit one frame."""
    count = min(len(lines), FRAME_POINTS)
    while True:
        payload = "\n".join(lines[:count]).encode("utf-8", "replace")
        if len(payload) <= FRAME_BYTES or count == 1:
            return count, payload
        count //= 2
