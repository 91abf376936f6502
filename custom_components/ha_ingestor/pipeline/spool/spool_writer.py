"""Appends lines to the end of the spool, and puts them on the disk."""

from collections.abc import Callable

from ..ledger import Ledger
from .durability import Unsynced
from .eviction import Eviction
from .packing import Packer, frame_time
from .segments.segments import Segments
from .sequence import SequenceNumbers


class SpoolWriter:
    """Methods may raise OSError; what they did not do can be tried again."""

    def __init__(
        self,
        segments: Segments,
        numbers: SequenceNumbers,
        ledger: Ledger,
        *,
        unsynced: Unsynced,
        packer: Packer,
        eviction: Eviction,
        wall_clock: Callable[[], float],
    ) -> None:
        """Prepare; `eviction` makes room for what comes, `wall_clock` dates the frames."""
        self._segments = segments
        self._numbers = numbers
        self._ledger = ledger
        self._unsynced = unsynced
        self._packer = packer
        self._eviction = eviction
        self._wall_clock = wall_clock

    def append(self, lines: list[str], oldest: int) -> None:
        """Move lines to the end of the queue; after an error `lines` has those that are left."""
        self._unsynced.rewrite(self._numbers.acked)
        if lines:
            self._numbers.save(upcoming=len(lines))
        try:
            while lines:
                self._append_frame(lines, oldest)
        except OSError:
            self._numbers.save()
            raise

    def sync(self) -> None:
        """Put everything appended on disk, and note the ledger."""
        self._unsynced.sync(self._numbers.acked)
        self._numbers.synced()

    def _append_frame(self, lines: list[str], oldest: int) -> None:
        numbers = self._numbers
        first, time = numbers.last + 1, frame_time(self._wall_clock())
        count, frame = self._packer.pack(
            lines, first_seq=first, acked=numbers.acked, time=time, pending=numbers.pending
        )
        self._eviction.make_room(len(frame))
        self._unsynced.append(frame, first_seq=first, last_seq=first + count - 1, time=time)
        del lines[:count]
        numbers.appended(count, oldest)
        self._ledger.captured += count
        self._ledger.held -= count
        if self._segments.is_full:
            if self._unsynced.needs_sync:
                self.sync()
            self._segments.finish()
            self._unsynced.seal()
