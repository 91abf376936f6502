"""How far the spool was acknowledged, in a file that never needs new disk space.

Two slots are overwritten in turn, so that a torn write leaves the other one. The file has its full
size from its creation: an acknowledgement must succeed on a full disk, or nothing could ever be
freed. It is a hint: the frames of the spool are the truth, and a stale cursor costs repetitions.
"""

import errno
import json
import struct
from contextlib import suppress
from typing import Any, Final
from zlib import crc32

from .files import Files

NAME: Final = "cursor"
# One page of the disk for each slot: a write touches exactly one.
_SLOT_BYTES: Final = 4096
_HEADER: Final = struct.Struct("<QII")
# A file that fails this often in a row stays unreadable: the spool goes on without it.
READ_ATTEMPTS: Final = 10


class Cursor:
    """The stored progress: one JSON object. Methods may raise OSError."""

    def __init__(self, files: Files) -> None:
        """Keep the cursor among `files`."""
        self._files = files
        self._generation = 0
        self._failures = 0
        self._fd = -1

    def open(self) -> dict[str, Any]:
        """Return what the newest valid slot holds; empty when there is none."""
        data = self._read()
        self._generation, newest = 0, {}
        for slot in (data[:_SLOT_BYTES], data[_SLOT_BYTES:]):
            generation, content = _read_slot(slot)
            if content is not None and generation > self._generation:
                self._generation, newest = generation, content
        try:
            self._open_file(is_whole=len(data) == 2 * _SLOT_BYTES)
        except OSError:
            self._failures += 1
            if self._failures < READ_ATTEMPTS:
                raise
        return newest

    def write(self, content: dict[str, Any]) -> None:
        """Store progress; it survives the process at once, and a power cut after `sync`."""
        self._generation += 1
        payload = json.dumps(content, separators=(",", ":")).encode()
        crc = crc32(payload, self._generation & 0xFFFFFFFF)
        slot = _HEADER.pack(self._generation, len(payload), crc) + payload
        if len(slot) > _SLOT_BYTES:
            raise OSError(errno.EFBIG, "The cursor does not fit its slot")
        self._files.write(self._fd_or_raise(), slot, self._generation % 2 * _SLOT_BYTES)

    def sync(self) -> None:
        """Return once the stored progress is on disk."""
        self._files.sync(self._fd_or_raise())

    def close(self) -> None:
        """Close the file. Whatever the system answers, the descriptor is gone; never raises."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with suppress(OSError):
                self._files.close(fd)

    def _read(self) -> bytes:
        """Read the file; empty when there is none, or when it could not be read too often."""
        try:
            if NAME in self._files.names():
                return self._files.read(NAME, 0, 2 * _SLOT_BYTES)
        except OSError:
            self._failures += 1
            if self._failures < READ_ATTEMPTS:
                raise
        return b""

    def _open_file(self, *, is_whole: bool) -> None:
        try:
            self._fd = self._files.open(NAME)
        except FileNotFoundError:
            self._fd = self._files.create(NAME)
        if not is_whole:
            self._files.write(self._fd, bytes(2 * _SLOT_BYTES), 0)
            self._files.sync(self._fd)

    def _fd_or_raise(self) -> int:
        if self._fd < 0:
            raise OSError(errno.EBADF, "The cursor cannot be opened")
        return self._fd


def _read_slot(slot: bytes) -> tuple[int, dict[str, Any] | None]:
    if len(slot) < _HEADER.size:
        return 0, None
    generation, length, crc = _HEADER.unpack_from(slot)
    payload = slot[_HEADER.size : _HEADER.size + length]
    if not length or crc32(payload, generation & 0xFFFFFFFF) != crc:
        return 0, None
    content = json.loads(payload)
    return generation, content if isinstance(content, dict) else None
