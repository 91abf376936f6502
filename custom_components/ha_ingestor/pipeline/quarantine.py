"""Points that the database refused for good, kept as readable files with the reason.

    quarantine-000001.ndjson   quarantine-000002.ndjson   quarantine-000003.ndjson
    ░░░░░░░░░░░░░░░░░░░░░░░░   ░░░░░░░▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓   ▓▓▓▓▓▓▓→ add    ░ gone   ▓ kept
                                      ↑ position

NDJSON, one record a line: seq, time, status, reason, line, destination. A record whose point was
replayed or purged is gone when `position` has passed it; files behind it are removed as soon as the
disk lets us, and a purge is one write. Numbers of files are never used again.

A record may be in the files twice, as a failed or killed `add` is repeated: the last one counts.

Replay brings one chunk of records after the other to the end of the spool. Before that, `position`
says at which sequence number of the spool the chunk is about to be appended; afterwards it moves on
by what was really appended, whether that ended with an error or not. A process that was killed in
between left the first note: the next one learns from the spool, before it appends anything, how far
it reaches, and with that how many records were taken. So none is replayed twice, none is forgotten,
and after any failure everything can be tried again.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from .files import Files
from .quarantine_position import Position, PositionFile

_PREFIX: Final = "quarantine-"
_DIGITS: Final = 6
_NAME: Final = re.compile(rf"{_PREFIX}[0-9]{{{_DIGITS}}}\.ndjson")
# A file is what is given up when the quarantine is full; sixteen of them are enough to see a trend.
FILE_BYTES: Final = 1024 * 1024
FILES_MAX: Final = 16
# A frame of the spool: it is appended as a whole or not at all.
_CHUNK_POINTS: Final = 500
_CHUNK_BYTES: Final = 128 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A point that was put aside, and why."""

    line: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A record, and the position behind it."""

    record: dict[str, Any]
    end: Position

    @property
    def line(self) -> str:
        return str(self.record.get("line", ""))


class Quarantine:
    """Appends records; a record is on disk when `add` returns. Used by one thread.

    `newest` is the last point that was refused for what it is, rather than for its age.
    """

    def __init__(self, files: Files, destination: str = "") -> None:
        """Keep the records among `files`; `destination` is who refused them."""
        self.newest: Rejection | None = None
        self._files = files
        self._destination = destination
        self._position = PositionFile(files)
        # What a failed write left behind is not appended to.
        self._is_tail_sound = True
        self._recovered: int | None = None

    def add(self, *, seq: int, line: str, status: int, reason: str) -> None:
        """Store one record; raises OSError when it is not safely on disk."""
        self.add_all([(seq, line)], status=status, reason=reason)
        self.newest = Rejection(line=line, reason=reason)

    def add_all(self, points: Sequence[tuple[int, str]], *, status: int, reason: str) -> None:
        """Store records of points, each with its sequence number; raises OSError.

        After an error some may be stored: add all of them again.
        """
        told = {
            "time": datetime.now(UTC).isoformat(),
            "status": status,
            "reason": reason,
        }
        data = bytearray()
        for seq, line in points:
            record = {"seq": seq, **told, "line": line, "destination": self._destination}
            data += json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
            if len(data) >= FILE_BYTES:
                self._append(bytes(data))
                data.clear()
        if data:
            self._append(bytes(data))

    def _append(self, data: bytes) -> None:
        names = self._names()
        number = max([self._now().file, *map(_number, names)])
        has_file = bool(names) and _number(names[-1]) == number
        before = self._read(names[-1]) if has_file else b""
        if is_new := not has_file or not self._is_tail_sound or len(before) >= FILE_BYTES:
            names.append(_name(number + 1 if has_file else number))
            before = b""
        self._is_tail_sound = False
        fd = self._files.create(names[-1]) if is_new else self._files.open(names[-1])
        try:
            # A torn record must not swallow this one.
            separator = b"\n" if before and not before.endswith(b"\n") else b""
            self._files.write(fd, separator + data, len(before))
            self._files.sync(fd)
        finally:
            self._files.close(fd)
        if is_new:
            self._files.sync_directory()
        self._is_tail_sound = True
        for name in names[:-FILES_MAX]:
            self._files.remove(name)

    def records(self) -> list[dict[str, Any]]:
        """Read every record, oldest first; damaged lines are left out. Raises OSError."""
        return [kept.record for kept in self._kept(self._now())]

    def forget(self) -> None:
        """Keep the records, but have no newest one."""
        self.newest = None

    def purge(self) -> int:
        """Delete every record and return how many there were; raises OSError."""
        count = len(self.records())
        if names := self._names():
            before = self._now()
            try:
                self._position.move(self._end())
            except OSError:
                # On a full disk only removing files helps.
                self._position.go_back(before)
                for name in names:
                    self._files.remove(name)
            self._remove_gone()
        return count

    def replay(self, take_back: Callable[[list[str]], None], last_seq: Callable[[], int]) -> int:
        """Bring the records back to the spool and return how many; raises OSError.

        `take_back` appends lines to the spool, of which `last_seq` is the newest number. What was
        taken before an error is gone from here, all else is still here.
        """
        kept = self._kept(start := self._now())
        for chunk in _chunks(kept):
            before = last_seq()
            self._position.intend(replace(start, after=before, count=len(chunk)))
            try:
                take_back([record.line for record in chunk])
            finally:
                taken = min(max(last_seq() - before, 0), len(chunk))
                start = chunk[taken - 1].end if taken else start
                self._position.move(start)
        if kept:
            self._position.move(self._end())
            self._remove_gone()
        return len(kept)

    def resume(self, recovered: int) -> None:
        """Finish what a killed process was replaying.

        `recovered` is the last sequence number of the spool as it was found, before anything is
        appended to it.
        """
        self._recovered = recovered
        with suppress(OSError):  # tried again with the first use
            self._now()

    def _now(self) -> Position:
        position = self._position.read()
        if position.after is None or self._recovered is None:
            return position
        taken = min(max(self._recovered - position.after, 0), position.count)
        start = replace(position, after=None, count=0)
        taken_records = self._kept(start)[:taken]
        self._position.move(taken_records[-1].end if taken_records else start)
        return self._position.read()

    def _end(self) -> Position:
        """Return the position behind everything: in a file that does not exist yet."""
        return Position(file=max(self._position.read().file, *map(_number, self._names())) + 1)

    def _kept(self, position: Position) -> list[_Kept]:
        """List the records behind a position, the last of those that are there twice."""
        found: dict[tuple[object, ...], _Kept] = {}
        for name in self._names():
            if (number := _number(name)) < position.file:
                continue
            for index, record in enumerate(self._parsed(name), 1):
                if number == position.file and index <= position.records:
                    continue
                seq = record.get("seq")
                # A number of 0 is of a point that never was in the spool, and cannot come twice.
                key = (seq, record.get("line")) if seq else (number, index, "")
                found.pop(key, None)
                found[key] = _Kept(record=record, end=Position(file=number, records=index))
        return list(found.values())

    def _parsed(self, name: str) -> Iterator[dict[str, Any]]:
        for line in self._read(name).split(b"\n"):
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                yield record

    def _read(self, name: str) -> bytes:
        content = b""
        while part := self._files.read(name, len(content), 2 * FILE_BYTES):
            content += part
        return content

    def _remove_gone(self) -> None:
        """Remove files whose records are all gone; what cannot be removed does not count."""
        for name in self._names():
            if _number(name) < self._position.read().file:
                with suppress(OSError):
                    self._files.remove(name)

    def _names(self) -> list[str]:
        return [name for name in self._files.names() if _NAME.fullmatch(name)]


def _chunks(kept: Sequence[_Kept]) -> Iterator[list[_Kept]]:
    """Part records into what one frame of the spool holds."""
    chunk: list[_Kept] = []
    size = 0
    for record in kept:
        length = len(record.line.encode("utf-8", "replace")) + 1
        if chunk and (len(chunk) == _CHUNK_POINTS or size + length > _CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(record)
        size += length
    if chunk:
        yield chunk


def _number(name: str) -> int:
    return int(name.removeprefix(_PREFIX)[:_DIGITS])


def _name(number: int) -> str:
    return f"{_PREFIX}{number:0{_DIGITS}d}.ndjson"
