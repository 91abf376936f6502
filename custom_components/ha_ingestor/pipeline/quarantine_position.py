"""Up to where the records of the quarantine are gone, in a file that never needs new disk space.

Two slots are written in turn, so that a torn write leaves the other one.
"""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Final
from zlib import crc32

from .files import Files

NAME: Final = "quarantine-position"
# One page of the disk for each slot.
_SLOT_BYTES: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Gone are all files below `file`, and that many records of it.

    With `after`, up to `count` records behind it are being appended to the spool, the first of them
    with the next sequence number.
    """

    file: int = 1
    records: int = 0
    after: int | None = None
    count: int = 0


class PositionFile:
    """The stored position. What this process knows counts, even where it could not be written."""

    def __init__(self, files: Files) -> None:
        """Keep it among `files`."""
        self._files = files
        self._current: Position | None = None
        self._is_stored = True
        self._generation = 0

    def read(self) -> Position:
        """Return the position; raises OSError when it was never read."""
        if self._current is None:
            self._current = self._load()
        if not self._is_stored:
            with suppress(OSError):
                self._write(self._current)
        return self._current

    def move(self, position: Position) -> None:
        """Go to a position; raises OSError when that is not safely on disk."""
        self._current = position
        self._write(position)

    def go_back(self, position: Position) -> None:
        """Undo a move that could not be written."""
        self._current, self._is_stored = position, False

    def intend(self, position: Position) -> None:
        """Note what is about to happen, without going there; raises OSError."""
        try:
            self._write(position)
        except OSError:
            self.read()  # takes the note back, in case that it reached the disk
            raise

    def _load(self) -> Position:
        if NAME not in self._files.names():
            return Position()
        data = self._files.read(NAME, 0, 2 * _SLOT_BYTES)
        newest = Position()
        for slot in (data[:_SLOT_BYTES], data[_SLOT_BYTES:]):
            generation, position = _parse(slot)
            if position is not None and generation > self._generation:
                self._generation, newest = generation, position
        return newest

    def _write(self, position: Position) -> None:
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
            self._files.sync(fd)
        finally:
            self._files.close(fd)
        if is_new:
            self._files.sync_directory()
        self._is_stored = True


def _parse(slot: bytes) -> tuple[int, Position | None]:
    checksum, _, rest = slot.partition(b" ")
    payload = rest.partition(b"\n")[0]
    if checksum != b"%08x" % crc32(payload):
        return 0, None
    content = json.loads(payload)
    known = {name: content.get(name) for name in Position.__slots__}
    return content["generation"], Position(**known)
