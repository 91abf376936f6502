"""The durable queue: lines in, batches out, acknowledged from the front.

    000…001.seg   000…513.seg   000…999.seg
    ░░░░░░▓▓▓▓▓   ▓▓▓▓▓▓▓▓▓▓▓   ▓▓▓▓▓→ append      ░ acknowledged   ▓ pending
          ↑ acked + 1                 ↑ next_seq

Every line has a sequence number that is settled once: written, quarantined, evicted or lost. What
the files hold is the truth and the cursor is a hint. Synchronous; one thread uses it.
"""

import logging
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, NamedTuple

from .cursor import Cursor
from .files import Files
from .frame import pack
from .ledger import Ledger
from .segments import SEGMENT_BYTES, Place, Segments

_LOGGER = logging.getLogger(__name__)

# A frame is the unit of loss when bytes rot, and of memory when it is read.
FRAME_POINTS: Final = 500
FRAME_BYTES: Final = 256 * 1024


class Durability(StrEnum):
    """What a power cut may cost: nothing that was captured, five seconds, or half a minute.

    A process that ends, however it ends, costs the same with each: at most the last second.
    """

    STRICT = "strict"
    BALANCED = "balanced"
    RELAXED = "relaxed"


# Seconds that points may wait for the disk. Five is what the recorder's own database risks; never
# leaves it to the operating system.
SYNC_AFTER: Final[Mapping[Durability, float]] = {
    Durability.STRICT: 0.0,
    Durability.BALANCED: 5.0,
    Durability.RELAXED: math.inf,
}


# 2026: a machine without a clock of its own begins in 1970, and what it wrote then is not old.
CLOCKS_ARE_SET: Final = 1_767_225_600
# A disk that refuses to sync is asked again now and then; each time its points are written anew.
SYNC_RETRY: Final = 30.0
# What is kept in memory to be written anew: a segment's worth, or eight minutes of a quiet home.
UNSYNCED_FRAMES: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolSettings:
    """The bounds of a spool. Sizes in bytes, times in seconds."""

    # At 10 events per second, compressed, this is two days without the database.
    max_bytes: int = 256 * 1024 * 1024
    max_age: float = math.inf
    # What Home Assistant needs for an update, and its database for a day.
    min_free_bytes: int = 512 * 1024 * 1024
    segment_bytes: int = SEGMENT_BYTES
    durability: Durability = Durability.BALANCED
    compress: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The next lines to deliver, as they will be sent.

    `spans` are the ranges of sequence numbers in it: more than one where damage left a hole.
    """

    payload: bytes
    count: int
    last_seq: int
    spans: tuple[tuple[int, int], ...]


class _Unsynced(NamedTuple):
    """A frame that is not known to be on the disk, and since when."""

    since: float
    first_seq: int
    last_seq: int
    time: int
    data: bytes


class Spool:
    """See the module. Methods may raise OSError; what they did not do can be tried again."""

    def __init__(
        self,
        files: Files,
        ledger: Ledger,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        settings: SpoolSettings,
    ) -> None:
        """Prepare; `clock` is monotonic, `wall_clock` dates the frames."""
        self.ledger = ledger
        self.is_open = False
        self._files = files
        self._clock = clock
        self._wall_clock = wall_clock
        self._settings = settings
        self._cursor = Cursor(files)
        self._segments = Segments(files, settings.segment_bytes)
        self._lock = -1
        self._marks: list[tuple[int, Place]] = []
        self._head = (0, 0)
        self._next_seq = 1
        self._acked = 0
        self._synced_seq = 0
        self._durable_acked = 0
        self._unsynced: deque[_Unsynced] = deque()
        self._is_doubtful = False
        self._sync_not_before = -math.inf

    @property
    def pending(self) -> int:
        """Points that wait for delivery."""
        return self._next_seq - 1 - self._acked

    @property
    def pending_since(self) -> int | None:
        """When the oldest pending point was written, in seconds since 1970; None without any."""
        if not self.pending:
            return None
        # The exporter has read the oldest frame, unless eviction moved on to the next segment.
        last_seq, time = self._head
        return time if last_seq > self._acked else self._segments.since(self._acked)

    @property
    def disk_bytes(self) -> int:
        """Size of all segments."""
        return self._segments.size

    @property
    def unsynced(self) -> bool:
        """Whether pending points are not known to be on disk, and should be."""
        return bool(self._unsynced) and self._settings.durability is not Durability.RELAXED

    # Start and end

    def open(self) -> None:
        """Recover what earlier processes left, whatever its state."""
        self._files.names()
        if self._lock < 0:
            self._lock = self._files.lock()
        self._cursor.close()  # an earlier attempt may have come this far
        stored = self._cursor.open()
        acked = cursor_acked = int(stored.get("acked", 0))
        last = synced = int(stored.get("synced", 0))
        for frame in self._segments.recover():
            acked = max(acked, frame.acked)
            last = max(last, frame.last_seq)
        last = max(last, acked)
        self._segments.sync_recovered(synced)
        self.ledger.restore(stored)
        self.ledger.captured += last - synced
        # A frame says that these were settled before it, and a segment goes only when its points
        # are; all that settles without syncing the cursor is a delivery.
        self.ledger.written += acked - cursor_acked
        self._acked, self._next_seq = acked, last + 1
        self._synced_seq = last
        self._durable_acked = cursor_acked
        self.is_open = True
        self._segments.release(acked)

    def close(self) -> None:
        """Put everything on disk and let go of the files, in any case."""
        try:
            if self.is_open:
                self._save()
                self.sync()
                self._cursor.sync()
        finally:
            self.is_open = False
            self._segments.finish()
            self._cursor.close()
            self._unlock()

    def _unlock(self) -> None:
        if self._lock >= 0:
            lock, self._lock = self._lock, -1
            with suppress(OSError):
                self._files.close(lock)

    # In

    def append(self, lines: list[str]) -> None:
        """Move encoded lines to the end of the queue; they are captured from here on.

        After an error `lines` holds what was not appended.
        """
        self._write_again()
        while lines:
            count, payload = chunk(lines[:FRAME_POINTS], FRAME_BYTES)
            first, last = self._next_seq, self._next_seq + count - 1
            time = int(self._wall_clock())
            data = pack(
                payload,
                first_seq=first,
                count=count,
                acked=self._acked,
                time=time,
                compress=self._settings.compress,
            )
            self._make_room(len(data))
            self._segments.append(data, first_seq=first, last_seq=last, time=time)
            del lines[:count]
            self._next_seq = last + 1
            self.ledger.captured += count
            self._unsynced.append(_Unsynced(self._clock(), first, last, time, data))
            while len(self._unsynced) > UNSYNCED_FRAMES:
                self._unsynced.popleft()
            if self._segments.is_full:
                if self._settings.durability is not Durability.RELAXED:
                    self.sync()
                self._segments.finish()
                self._unsynced.clear()

    def sync_due(self) -> bool:
        """Whether points have waited for the disk as long as they may."""
        if not self._unsynced:
            return False
        due = self._unsynced[0].since + SYNC_AFTER[self._settings.durability]
        return self._clock() >= max(due, self._sync_not_before)

    def sync(self) -> None:
        """Put everything appended on disk, and note the ledger.

        After a failed sync nobody knows what is on the disk, and a second one may report success
        without having written it. So its file is given up, and its frames go to a new one next.
        """
        if self._unsynced:
            self._write_again()
            try:
                self._segments.sync()
            except OSError:
                self._segments.finish()
                self._is_doubtful = True
                self._sync_not_before = self._clock() + SYNC_RETRY
                raise
        self._synced_seq = self._next_seq - 1
        self._unsynced.clear()
        self._save()

    # Out

    def read(self, max_points: int, max_bytes: int) -> Batch | None:
        """Return the next points, or None; the same ones again until they are settled."""
        try:
            return self._read(max_points, max_bytes)
        except FileNotFoundError:
            # Somebody removed what we had open. Begin a new directory; what was in it is lost.
            self._segments.forget_missing()
            self._unlock()
            self._lock = self._files.lock()
            self._cursor.close()
            self._cursor.open()
            return self._read(max_points, max_bytes)

    def _read(self, max_points: int, max_bytes: int) -> Batch | None:
        parts: list[bytes] = []
        spans: list[tuple[int, int]] = []
        count = size = 0
        self._marks = []
        for place, frame in self._segments.frames(self._acked):
            first = max(frame.first_seq, self._acked + 1)
            last = min(frame.last_seq, first + max_points - count - 1)
            part = frame.payload
            if (first, last) != (frame.first_seq, frame.last_seq):
                lines = part.split(b"\n")
                part = b"\n".join(lines[first - frame.first_seq : last - frame.first_seq + 1])
            if parts and size + len(part) > max_bytes:
                break
            if not parts:
                self._head = (frame.last_seq, frame.time)
            parts.append(part)
            size += len(part) + 1
            count += last - first + 1
            if spans and spans[-1][1] + 1 == first:
                spans[-1] = (spans[-1][0], last)
            else:
                spans.append((first, last))
            self._marks.append((frame.last_seq, place))
            if count >= max_points:
                break
        if not parts:
            self._settle_gap()
            return None
        return Batch(
            payload=b"\n".join(parts), count=count, last_seq=spans[-1][1], spans=tuple(spans)
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

    def _write_again(self) -> None:
        if not self._is_doubtful:
            return
        for frame in self._unsynced:
            self._segments.append(
                frame.data, first_seq=frame.first_seq, last_seq=frame.last_seq, time=frame.time
            )
        if self._unsynced:
            self._segments.discard_copies(self._acked, self._unsynced[0].first_seq)
        self._is_doubtful = False

    def give_way(self) -> bool:
        """Give up the oldest segment for points that find no room; False when there is none."""
        oldest = self._segments.oldest
        if oldest is None:
            return False
        self._evict(oldest.last_seq)
        return True

    def _settle_gap(self) -> None:
        if self.pending:
            _LOGGER.warning("%s points in the spool could not be read back", self.pending)
            self.ledger.lost["damaged"] += self.pending
            self._advance(self._next_seq - 1, durable=True)

    def _make_room(self, size: int) -> None:
        """Give up the oldest segments, so that the newest points keep flowing."""
        settings = self._settings
        oldest_time = self._wall_clock() - settings.max_age
        while (oldest := self._segments.oldest) and (
            self._segments.size + size > settings.max_bytes
            or CLOCKS_ARE_SET < oldest.newest < oldest_time
        ):
            self._evict(oldest.last_seq)
        # The disk belongs to Home Assistant first: while it is low, the spool goes on in the space
        # that it has.
        is_low = self._segments.needs_file and self._files.free_bytes() < settings.min_free_bytes
        if is_low and (oldest := self._segments.oldest):
            self._evict(oldest.last_seq)

    def _evict(self, last_seq: int) -> None:
        if last_seq == self._next_seq - 1:
            self._segments.finish()
            self._unsynced.clear()
        self.ledger.evicted += last_seq - self._acked
        self._advance(last_seq, durable=True)

    def _advance(self, acked: int, *, durable: bool = False) -> None:
        """Move the acknowledged prefix; first the cursor, then the files it frees."""
        self._acked = acked
        for last_seq, place in self._marks:
            if last_seq <= acked:
                self._segments.pass_by(place)
        while self._unsynced and self._unsynced[0].last_seq <= acked:
            self._unsynced.popleft()
        self._save()
        # Removing points that a power cut would have spared must not outlive the cursor's knowledge
        # of them. Points that never had to be on disk may vanish together with the cursor.
        spared = self._durable_acked < self._synced_seq and self._segments.frees(acked)
        if durable or spared:
            with suppress(OSError):
                self._cursor.sync()
                self._durable_acked = acked
        self._segments.release(acked)

    def note_ledger(self) -> None:
        """Store the counts, as far as the disk lets us."""
        if self.is_open:
            self._save()

    def _save(self) -> None:
        content = self.ledger.as_dict() | {"acked": self._acked, "synced": self._synced_seq}
        content["captured"] -= self._next_seq - 1 - self._synced_seq
        with suppress(OSError):
            self._cursor.write(content)


def chunk(lines: Sequence[str], max_bytes: int) -> tuple[int, bytes]:
    """Join as many of the first lines as fit, and one in any case."""
    # Line by line, because most are ASCII, which is only copied; one that is not would have the
    # whole frame go through character by character.
    encoded = [line.encode("utf-8", "replace") for line in lines]
    while len(encoded) > 1 and sum(map(len, encoded)) + len(encoded) > max_bytes:
        del encoded[len(encoded) // 2 :]
    return len(encoded), b"\n".join(encoded)
