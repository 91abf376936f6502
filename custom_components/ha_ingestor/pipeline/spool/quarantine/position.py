"""Up to where records of the quarantine are removed, in a file that never needs new disk space.

Two slots are written in turn, so that a torn write leaves the other one.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Final, NamedTuple
from zlib import crc32

from ...files import Files, disk_error_text
from .appended import Appended

NAME: Final = "quarantine-position"
# One page of the disk for each slot.
_SLOT_BYTES: Final = 4096


class RemovedRecords(NamedTuple):
    """So many records at the beginning of a file are gone.

    `mark` is the checksum of what they take in the file: in any other file nothing is gone. Earlier
    versions did not store it.
    """

    file: int
    records: int = 0
    mark: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinePosition:
    """Gone are all files below `file` that are not left `aside`, and that many records of it.

    With `after`, up to `count` records are being appended to the spool, the first of them with the
    next sequence number; when all of them are there, `until` is gone. `replayed` points had been
    counted before; earlier versions did not store it. `newest` is the highest number that a file
    ever had. `forgotten` marks the point that was forgotten last.
    """

    file: int = 1
    records: int = 0
    mark: int | None = None
    aside: tuple[RemovedRecords, ...] = ()
    newest: int = 0
    after: int | None = None
    replayed: int | None = None
    count: int = 0
    until: RemovedRecords | None = None
    forgotten: int | None = None

    def removed_of(self, number: int) -> RemovedRecords | None:
        """Return what is gone of a file; None for all of it."""
        for gone in self.aside:
            if gone.file == number:
                return gone
        if number == self.file:
            return RemovedRecords(number, self.records, self.mark)
        return RemovedRecords(number) if number > self.file else None

    def passed(self, gone: RemovedRecords, left_out: Iterable[int]) -> QuarantinePosition:
        """Go on to where this much is gone, and leave files aside that were not read."""
        if any(other.file == gone.file for other in self.aside):
            aside = tuple(gone if other.file == gone.file else other for other in self.aside)
            return replace(self, aside=aside)
        kept = {other.file: other for other in self.aside}
        for number in left_out:
            if number < gone.file and (found := self.removed_of(number)):
                kept[number] = found
        aside = tuple(kept[number] for number in sorted(kept))
        return replace(self, file=gone.file, records=gone.records, mark=gone.mark, aside=aside)

    def settled(self) -> QuarantinePosition:
        """Forget what was about to happen."""
        return replace(self, after=None, replayed=None, count=0, until=None)

    def taken_by(self, found: Appended) -> int:
        """Return how many of the records that were being appended a spool has taken.

        What it has more than before may be more: a later process that could not store a position
        has appended its own points. The ledger of that process knows.
        """
        if self.after is None:
            return 0
        by_files = min(max(found.last_seq - self.after, 0), self.count)
        counted = self.counted_by(found)
        return by_files if counted is None else min(by_files, counted)

    def counted_by(self, found: Appended) -> int | None:
        """Return how many of them the ledger counts; None where it is older than this position."""
        if self.after is None or self.replayed is None or found.counted <= self.after:
            return None
        return min(max(found.replayed - self.replayed, 0), self.count)


class PositionFile:
    """The stored position. What this process knows counts, even where it could not be written.

    `disk_error` is why nothing is known of what an earlier process stored.
    """

    def __init__(self, files: Files) -> None:
        """Keep it among `files`."""
        self.disk_error = ""
        self._files = files
        self._current: QuarantinePosition | None = None
        self._is_stored = True
        self._generation = 0

    @property
    def is_known(self) -> bool:
        """Whether the position was read, or a new one begun."""
        return self._current is not None

    def read(self) -> QuarantinePosition:
        """Return the position: the first one as long as none can be read."""
        if self._current is None:
            try:
                self._current = self._load()
            except OSError as err:
                self.disk_error = disk_error_text(err)
                return QuarantinePosition()
            self.disk_error = ""
        if not self._is_stored:
            with suppress(OSError):
                self._write(self._current)
        return self._current

    def move(self, position: QuarantinePosition) -> None:
        """Go to a position; raises OSError when that is not safely on disk."""
        self._replace_file()
        self._current = self._with_newest(position)
        self._write(self._current)

    def undo(self, position: QuarantinePosition) -> None:
        """Undo a move that could not be stored."""
        if self._current is not None:
            self._current, self._is_stored = position, False

    def announce(self, position: QuarantinePosition) -> None:
        """Store the next position as announced, without moving to it; raises OSError."""
        self._replace_file()
        try:
            self._write(self._with_newest(position))
        except OSError:
            self.read()  # takes the note back, in case that it reached the disk
            raise

    def note_newest(self, number: int) -> None:
        """Note that a file has this number, as far as the disk lets us; it can be found again."""
        if self._current is not None and number > self._current.newest:
            self._current = replace(self._current, newest=number)
            with suppress(OSError):
                self._write(self._current, is_synced=False)

    def _with_newest(self, position: QuarantinePosition) -> QuarantinePosition:
        """Take over the number of a file that was begun since."""
        return replace(position, newest=max(position.newest, self.read().newest))

    def _replace_file(self) -> None:
        """Replace a file that cannot be read."""
        if self._current is None:
            self._files.remove(NAME)
            self._current, self.disk_error = QuarantinePosition(), ""

    def _load(self) -> QuarantinePosition:
        if NAME not in self._files.names():
            return QuarantinePosition()
        data = self._files.read(NAME, 0, 2 * _SLOT_BYTES)
        newest = QuarantinePosition()
        for slot in (data[:_SLOT_BYTES], data[_SLOT_BYTES:]):
            generation, position = _parse(slot)
            if position is not None and generation > self._generation:
                self._generation, newest = generation, position
        return newest

    def _write(self, position: QuarantinePosition, *, is_synced: bool = True) -> None:
        self._is_stored = False
        is_new = NAME not in self._files.names()
        fd = self._files.create(NAME) if is_new else self._files.open(NAME)
        try:
            if is_new:
                self._files.write(fd, b" " * 2 * _SLOT_BYTES, 0)
            self._generation += 1
            content = {"generation": self._generation, **asdict(position)}
            payload = json.dumps(content).encode()
            slot = b"%08x %s\n" % (crc32(payload), payload)
            self._files.write(fd, slot.ljust(512), self._generation % 2 * _SLOT_BYTES)
            if is_synced:
                self._files.sync(fd)
        finally:
            self._files.close(fd)
        if is_new and is_synced:
            self._files.sync_directory()
        self._is_stored = True


def _parse(slot: bytes) -> tuple[int, QuarantinePosition | None]:
    checksum, _, rest = slot.partition(b" ")
    payload = rest.partition(b"\n")[0]
    if checksum != b"%08x" % crc32(payload):
        return 0, None
    content = json.loads(payload)
    known = {name: content[name] for name in QuarantinePosition.__slots__ if name in content}
    known["aside"] = tuple(RemovedRecords(*gone) for gone in known.get("aside", ()))
    known["until"] = RemovedRecords(*known["until"]) if known.get("until") else None
    return content["generation"], QuarantinePosition(**known)
