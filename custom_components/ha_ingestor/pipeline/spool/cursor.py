"""How far the spool was acknowledged, in files that never need new disk space.

Two files are written in turn, and two slots of each in turn: a torn write leaves the slot before
it, and a file that cannot be read leaves the other one. They have their full size from their
creation: an acknowledgement must succeed on a full disk, or nothing could ever be freed. They are a
hint: the frames of the spool are the truth, and a stale cursor costs repetitions.
"""

import errno
import json
import struct
from collections import Counter
from contextlib import suppress
from typing import Any, Final
from zlib import crc32

from ..files import Files

NAME: Final = "cursor"
NAMES: Final = (NAME, "cursor-2")
# One page of the disk for each slot: a write touches exactly one.
_SLOT_BYTES: Final = 4096
_FILE_BYTES: Final = 2 * _SLOT_BYTES
_HEADER: Final = struct.Struct("<QII")
# Made once: to make it takes as long as to use it.
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"))
# A file that fails this often in a row stays unreadable: the spool goes on without it.
READ_ATTEMPTS: Final = 10
# A file that cannot be read may have had as many generations more than the other one.
_SLOTS: Final = 2 * len(NAMES)


class Cursor:
    """The stored progress: one JSON object. Methods may raise OSError."""

    def __init__(self, files: Files) -> None:
        """Keep the cursor among `files`."""
        # There is something in the files, and no slot that can be read is valid.
        self.is_lost = False
        self._files = files
        self._generation = 0
        self._failures: Counter[str] = Counter()
        self._fds: dict[str, int] = {}
        self._written = NAME

    def open(self) -> dict[str, Any] | None:
        """Return what the newest valid slot holds; empty when nothing was stored, None if unknown.

        Somebody may have deleted the files.
        """
        self.close()
        names = set(self._files.names())
        content = {name: self._read(name) if name in names else b"" for name in NAMES}
        self._generation, newest = 0, {}
        for data in content.values():
            for slot in (data or b"")[:_SLOT_BYTES], (data or b"")[_SLOT_BYTES:]:
                generation, stored = _read_slot(slot)
                if stored is not None and generation > self._generation:
                    self._generation, newest = generation, stored
        self.is_lost = not newest and any(
            data is None or data.strip(b"\0") for data in content.values()
        )
        if None in content.values():
            self._generation += _SLOTS
        for name, data in content.items():
            self._open_file(name, is_whole=data is None or len(data) == _FILE_BYTES)
        if not newest and (self.is_lost or names.isdisjoint(NAMES)):
            return None
        return newest

    def write(self, content: dict[str, Any]) -> None:
        """Store progress; it survives the process at once, and a power cut after `sync`."""
        # What could not be read may be newer than this, when the next process can read it.
        for _ in range(_SLOTS if self.is_lost else 1):
            self._write_next(content)
        self.is_lost = False

    def _write_next(self, content: dict[str, Any]) -> None:
        self._generation += 1
        payload = _ENCODER.encode(content).encode()
        crc = crc32(payload, self._generation & 0xFFFFFFFF)
        slot = _HEADER.pack(self._generation, len(payload), crc) + payload
        if len(slot) > _SLOT_BYTES:
            raise OSError(errno.EFBIG, "The cursor does not fit its slot")
        turn, place = self._generation % 2, self._generation // 2 % 2
        try:
            self._write(NAMES[turn], slot, place)
        except OSError:
            # Raised all the same, although the other file was written.
            self._write(NAMES[1 - turn], slot, place)
            raise

    def _write(self, name: str, slot: bytes, place: int) -> None:
        self._files.write(self._fd(name), slot, place * _SLOT_BYTES)
        self._written = name

    def sync(self) -> None:
        """Return once the stored progress is on disk."""
        self._files.sync(self._fd(self._written))

    def close(self) -> None:
        """Close the files. Whatever the system answers, they are closed then; never raises."""
        while self._fds:
            _, fd = self._fds.popitem()
            with suppress(OSError):
                self._files.close(fd)

    def _read(self, name: str) -> bytes | None:
        """Read a file, or None when it could not be read too often."""
        try:
            return self._files.read(name, 0, _FILE_BYTES)
        except OSError:
            if self._fails_for_good(name):
                return None
            raise

    def _open_file(self, name: str, *, is_whole: bool) -> None:
        try:
            try:
                fd = self._files.open(name)
            except FileNotFoundError:
                fd = self._files.create(name)
            self._fds[name] = fd
            if not is_whole:
                self._files.write(fd, bytes(_FILE_BYTES), 0)
                self._files.sync(fd)
        except OSError:
            if not self._fails_for_good(name):
                raise

    def _fails_for_good(self, name: str) -> bool:
        """Count a failure; whether it was one too many."""
        self._failures[name] += 1
        return self._failures[name] >= READ_ATTEMPTS

    def _fd(self, name: str) -> int:
        if name not in self._fds:
            raise OSError(errno.EBADF, "The cursor cannot be opened")
        return self._fds[name]


def _read_slot(slot: bytes) -> tuple[int, dict[str, Any] | None]:
    if len(slot) < _HEADER.size:
        return 0, None
    generation, length, crc = _HEADER.unpack_from(slot)
    payload = slot[_HEADER.size : _HEADER.size + length]
    if not length or crc32(payload, generation & 0xFFFFFFFF) != crc:
        return 0, None
    content = json.loads(payload)
    return generation, content if isinstance(content, dict) else None
