"""The numbered files of the quarantine.

A file that cannot be read is left aside, and so is one that could not be written whole: new records
go to a new file. Numbers are never used again.
"""

import re
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from ...files import Files, disk_error_text
from .position import PositionFile, QuarantinePosition

_PREFIX: Final = "quarantine-"
_SUFFIX: Final = ".ndjson"
_DIGITS: Final = 6
_NAME: Final = re.compile(rf"{_PREFIX}[0-9]{{{_DIGITS},}}{re.escape(_SUFFIX)}")
# A full quarantine removes its oldest file; sixteen files are enough to see a trend.
FILE_BYTES: Final = 1024 * 1024
FILES_MAX: Final = 16
# New files that could neither be written nor removed; after so many they are tried again instead.
_BAD_FILES_MAX: Final = 4


class QuarantineFiles:
    """Used by one thread; `position` says which files are gone though they are still there."""

    def __init__(self, files: Files, position: PositionFile) -> None:
        """Use the quarantine's files among `files`."""
        self._files = files
        self._position = position
        # How often records were added, or that was tried.
        self.additions = 0
        # What a failed write left behind is not appended to.
        self._is_tail_sound = True
        self._bad_files: deque[str] = deque()
        self._last_number = 0
        # By name, where the records of the present addition begin.
        self._begun: dict[str, int] = {}
        # By name, how much is read: what is behind was not added, and is added again elsewhere.
        self._sound_bytes: dict[str, int] = {}
        # Files that cannot be read or removed, and why.
        self._bad: dict[str, str] = {}

    @property
    def bad(self) -> dict[str, str]:
        """Files that cannot be used, and why. May be asked at any time."""
        return dict(self._bad)

    def names(self) -> list[str]:
        """List the files, oldest first; raises OSError."""
        return sorted(filter(_NAME.fullmatch, self._files.names()), key=_number)

    def below(self, number: int) -> list[int]:
        """List the numbers of the files before this one."""
        return [other for name in self.names() if (other := _number(name)) < number]

    def numbers(self, position: QuarantinePosition) -> list[int]:
        """List the numbers of the files that something may be kept in; raises OSError."""
        return [number for name in self.names() if position.removed_of(number := _number(name))]

    def read(self, number: int) -> bytes | None:
        """Read a file; None where it cannot be read."""
        return self._read(_name(number))

    def append(self, parts: Iterable[bytes]) -> None:
        """Write records behind the last ones, on disk when it returns; raises OSError.

        After an error none of them is read, but by a later process: they are added again.
        """
        self.additions += 1
        self._begun = {}
        try:
            for data in parts:
                self._append(data)
        except OSError:
            self._sound_bytes = self._begun | self._sound_bytes
            raise
        for name in self._begun:
            self._sound_bytes.pop(name, None)

    def _append(self, data: bytes) -> None:
        name, before = self._tail()
        if not name:
            self._begin(data)
            return
        self._begun.setdefault(name, len(before))
        self._is_tail_sound = False
        # A torn record must not damage this one.
        separator = b"\n" if before and not before.endswith(b"\n") else b""
        self._write(self._files.open(name), separator + data, len(before))
        self._is_tail_sound = True

    def next_number(self) -> int:
        """Return the number of a file that never was; raises OSError."""
        position = self._position.read()
        used = max(0, position.newest, self._last_number, *map(_number, self.names()))
        if not self._position.is_known:
            # Above whatever it may hide, and above what comes later.
            return max(used + 1, int(time.time()))
        return max(used + 1, position.file + bool(position.records))

    def retire(self) -> None:
        """Never append to any of these files again."""
        self._last_number = max([self._last_number, *map(_number, self.names())])

    def check_again(self) -> None:
        """Check again the files that could not be used; raises OSError."""
        self._position.read()
        self._make_room()
        there = self.names()
        for name in list(self._bad):
            if name not in there:
                del self._bad[name]
            elif name not in there[:-FILES_MAX]:
                self._read(name)

    def remove(self, left_out: Iterable[int]) -> None:
        """Remove the files but these; raises the OSError that stood in the way of others."""
        failures: list[OSError] = []
        kept = set(left_out)
        for name in self.names():
            if _number(name) in kept:
                continue
            try:
                self._files.remove(name)
            except OSError as err:
                failures.append(err)
        if failures:
            raise failures[0]

    def remove_gone(self) -> None:
        """Remove files whose records are all gone; what cannot be removed does not count."""
        position = self._position.read()
        for name in self.names():
            if position.removed_of(_number(name)) is None:
                with suppress(OSError):
                    self._files.remove(name)
        for name in self._bad.keys() - set(self.names()):
            del self._bad[name]

    def _tail(self) -> tuple[str, bytes]:
        """Return the file to append to, with what is in it; no name where a new one is needed."""
        names = self.names()
        position = self._position.read()
        if not names or not self._is_tail_sound:
            return "", b""
        number = _number(names[-1])
        # An unknown position may hide any file but those that this process began.
        is_hidden = not self._position.is_known and number != self._last_number
        is_torn = names[-1] in self._sound_bytes
        if is_hidden or is_torn or number < max(position.file, position.newest, self._last_number):
            return "", b""
        before = self._read(names[-1])
        if before is None or len(before) >= FILE_BYTES:
            return "", b""
        return names[-1], before

    def _begin(self, data: bytes) -> None:
        """Write a new file, or leave none behind; raises OSError."""
        for _ in range(len(self._bad_files)):
            self._remove_bad_file(self._bad_files.popleft())
        self._is_tail_sound = False
        # What the position has passed is not used again: a record in it would be gone.
        position = self._position.read()
        usable = [name for name in self._bad_files if position.removed_of(_number(name))]
        if is_new := len(usable) < _BAD_FILES_MAX:
            self._last_number = self.next_number()
            name = _name(self._last_number)
        else:
            name = usable[0]
            self._bad_files.remove(name)
        self._begun[name] = 0
        try:
            fd = self._files.create(name) if is_new else self._files.open(name)
            self._write(fd, data, 0, truncates=not is_new)
            self._files.sync_directory()
        except OSError:
            self._remove_bad_file(name)
            raise
        self._is_tail_sound = True
        self._position.note_newest(self._last_number)
        self._make_room()

    def _write(self, fd: int, data: bytes, offset: int, *, truncates: bool = False) -> None:
        try:
            if truncates:
                self._files.truncate(fd)
            self._files.write(fd, data, offset)
            self._files.sync(fd)
        finally:
            self._files.close(fd)

    def _remove_bad_file(self, name: str) -> None:
        try:
            self._files.remove(name)
        except OSError:
            self._bad_files.append(name)
        else:
            self._begun.pop(name, None)

    def _make_room(self) -> None:
        """Remove the oldest files; one that cannot be removed does no harm."""
        for name in self.names()[:-FILES_MAX]:
            try:
                self._files.remove(name)
            except OSError as err:
                self._bad[name] = disk_error_text(err)
            else:
                self._bad.pop(name, None)
        for name in self._sound_bytes.keys() - set(self.names()):
            del self._sound_bytes[name]

    def _read(self, name: str) -> bytes | None:
        content = b""
        try:
            while part := self._files.read(name, len(content), 2 * FILE_BYTES):
                content += part
        except FileNotFoundError:
            content = b""
        except OSError as err:
            self._bad[name] = disk_error_text(err)
            return None
        self._bad.pop(name, None)
        return content[: self._sound_bytes.get(name)]


def _number(name: str) -> int:
    return int(name.removeprefix(_PREFIX).removesuffix(_SUFFIX))


def _name(number: int) -> str:
    return f"{_PREFIX}{number:0{_DIGITS}d}{_SUFFIX}"
