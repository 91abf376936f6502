"""Points that the database refused for good, kept as readable files with the reason.

    quarantine-000001.ndjson   quarantine-000002.ndjson   quarantine-000003.ndjson
    ░░░░░░░░░░░░░░░░░░░░░░░░   ░░░░░░░▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓   ▓▓▓▓▓▓▓→ add    ░ gone   ▓ kept
                                      ↑ position

NDJSON, one record a line: seq, time, status, reason, line, destination. A record whose point was
replayed or purged is gone when `position` has passed it; files behind it are removed as soon as the
disk lets us, and a purge is one write. Numbers of files are never used again, and a position hides
nothing of a file that is not the one it was stored for.

A record may be in the files twice, as a failed or killed `add` is repeated: the last one counts.

A file that cannot be read is left aside: new records go to a new file, all that can be read is
exported, replayed and purged, and `trouble` names the file. When it can be read again, its records
are there.

Replay brings one chunk of records after the other to the end of the spool. Before that, `position`
says at which sequence number of the spool the chunk is about to be appended; afterwards it moves on
by what was really appended, whether that ended with an error or not. A process that was killed in
between left the first note: the next one learns from the spool, before it appends anything, how far
it reaches, and with that how many records were taken. So none is replayed twice, none is forgotten,
and after any failure everything can be tried again. Only where the position itself cannot be read,
what was replayed before may be replayed again.
"""

import json
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from . import quarantine_position
from .files import Files
from .quarantine_position import Position, PositionFile
from .quarantine_records import Kept, behind, chunks, kept

_PREFIX: Final = "quarantine-"
_SUFFIX: Final = ".ndjson"
_DIGITS: Final = 6
_NAME: Final = re.compile(rf"{_PREFIX}[0-9]{{{_DIGITS},}}{re.escape(_SUFFIX)}")
# A file is what is given up when the quarantine is full; sixteen of them are enough to see a trend.
FILE_BYTES: Final = 1024 * 1024
FILES_MAX: Final = 16
# What somebody is shown at once, who may be in Home Assistant's event loop.
ANSWER_BYTES: Final = 2 * 1024 * 1024
# What a record is but its line, about.
_RECORD_BYTES: Final = 400
# New files that could neither be written nor removed; after so many they are tried again instead.
_SPOILT_MAX: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A point that was put aside, and why."""

    line: str
    reason: str


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
        self._spoilt: deque[str] = deque()
        self._last_number = 0
        self._recovered: int | None = None
        # Files that cannot be read or removed, and why.
        self._bad: dict[str, str] = {}

    @property
    def trouble(self) -> str:
        """Which files cannot be used, and why; empty when all is well. May be asked at any time."""
        bad = dict(self._bad)
        if self._position.trouble:
            bad[quarantine_position.NAME] = self._position.trouble
        return ", ".join(f"{name}: {detail}" for name, detail in bad.items())

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
        name, before = self._tail()
        if not name:
            self._begin(data)
            return
        self._is_tail_sound = False
        # A torn record must not swallow this one.
        separator = b"\n" if before and not before.endswith(b"\n") else b""
        self._write(self._files.open(name), separator + data, len(before))
        self._is_tail_sound = True

    def _tail(self) -> tuple[str, bytes]:
        """Return the file to append to, with what is in it; no name where a new one is needed."""
        names = self._names()
        position = self._position.read()
        if not names or not self._is_tail_sound:
            return "", b""
        number = _number(names[-1])
        # An unknown position may hide any file but those that this process began.
        is_hidden = not self._position.is_known and number != self._last_number
        if is_hidden or number < max(position.file, position.newest, self._last_number):
            return "", b""
        before = self._read(names[-1])
        if before is None or len(before) >= FILE_BYTES:
            return "", b""
        return names[-1], before

    def _begin(self, data: bytes) -> None:
        """Write a new file, or leave none behind; raises OSError."""
        for _ in range(len(self._spoilt)):
            self._remove_spoilt(self._spoilt.popleft())
        self._is_tail_sound = False
        if is_new := len(self._spoilt) < _SPOILT_MAX:
            self._last_number = self._next_number()
            name = _name(self._last_number)
        else:
            name = self._spoilt.popleft()
        try:
            fd = self._files.create(name) if is_new else self._files.open(name)
            if not is_new:
                self._files.truncate(fd)
            self._write(fd, data, 0)
            self._files.sync_directory()
        except OSError:
            self._remove_spoilt(name)
            raise
        self._is_tail_sound = True
        self._position.note_newest(self._last_number)
        self._make_room()

    def _next_number(self) -> int:
        position = self._position.read()
        used = max(0, position.newest, self._last_number, *map(_number, self._names()))
        if not self._position.is_known:
            # Above whatever it may hide, and above what comes later.
            return max(used + 1, int(time.time()))
        return max(used + 1, position.file + bool(position.records))

    def _write(self, fd: int, data: bytes, offset: int) -> None:
        try:
            self._files.write(fd, data, offset)
            self._files.sync(fd)
        finally:
            self._files.close(fd)

    def _remove_spoilt(self, name: str) -> None:
        try:
            self._files.remove(name)
        except OSError:
            self._spoilt.append(name)

    def _make_room(self) -> None:
        """Give up the oldest files; one that cannot be removed is in nobody's way."""
        for name in self._names()[:-FILES_MAX]:
            try:
                self._files.remove(name)
            except OSError as err:
                self._bad[name] = _text(err)
            else:
                self._bad.pop(name, None)

    def look_again(self) -> None:
        """Find out whether files that were bad still are; raises OSError."""
        self._position.read()
        self._make_room()
        there = self._names()
        for name in list(self._bad):
            if name not in there:
                del self._bad[name]
            elif name not in there[:-FILES_MAX]:
                self._read(name)

    def records(self) -> list[dict[str, Any]]:
        """Read every record, oldest first; damaged lines are left out. Raises OSError."""
        return [record.record for record in self._kept(self._now())]

    def newest_records(self, limit: int) -> tuple[list[dict[str, Any]], int]:
        """Read the newest records, oldest first, and count all; raises OSError.

        They are up to `limit`, and less where their lines are long.
        """
        position = self._now()
        newest: list[dict[str, Any]] = []
        # Hashes, as tens of thousands of records at once would stop all threads to collect garbage.
        seen: set[int] = set()
        room = ANSWER_BYTES
        for number, content in self._contents(position, reversed(self._names())):
            records = behind(position, number, content)
            if room > 0 and len(newest) < limit:
                records = reversed(list(records))
            for record in records:
                if (point := hash(record.point)) in seen:
                    continue
                seen.add(point)
                room -= len(record.line) + _RECORD_BYTES
                if len(newest) < limit and (room >= 0 or not newest):
                    newest.append(record.record)
        return newest[::-1], len(seen)

    def forget(self) -> None:
        """Keep the records, but have no newest one."""
        self.newest = None

    def purge(self) -> int:
        """Delete every record and return how many there were; raises OSError."""
        count = len(self.records())
        if names := self._names():
            before = self._position.read()
            self._last_number = max(self._last_number, _number(names[-1]))
            try:
                self._position.move(self._end())
            except OSError:
                # On a full disk only removing files helps.
                self._position.go_back(before)
                self._remove_all(names)
            self._remove_gone()
        return count

    def _remove_all(self, names: Iterable[str]) -> None:
        """Remove all that can be, and raise what stood in the way of the others."""
        failures: list[OSError] = []
        for name in names:
            try:
                self._files.remove(name)
            except OSError as err:
                failures.append(err)
        if failures:
            raise failures[0]

    def replay(self, take_back: Callable[[list[str]], None], last_seq: Callable[[], int]) -> int:
        """Bring the records back to the spool and return how many; raises OSError.

        `take_back` appends lines to the spool, of which `last_seq` is the newest number. What was
        taken before an error is gone from here, all else is still here.
        """
        position = self._now().settled()
        records = self._kept(position)
        left_out = self._left_out()
        for chunk in chunks(records):
            before = last_seq()
            until = chunk[-1].end
            self._position.intend(replace(position, after=before, count=len(chunk), until=until))
            try:
                take_back([record.line for record in chunk])
            finally:
                taken = min(max(last_seq() - before, 0), len(chunk))
                if taken:
                    position = position.passed(chunk[taken - 1].end, left_out)
                self._position.move(position)
        if records:
            self._position.move(self._end(left_out))
            self._remove_gone()
        return len(records)

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
        start = position.settled()
        if position.until is not None and taken == position.count:
            end = start.passed(position.until, self._below(position.until.file))
        else:
            ends = [record.end for record in self._kept(start)[:taken]]
            end = start.passed(ends[-1], self._left_out()) if ends else start
        with suppress(OSError):  # tried again with every use
            self._position.move(end)
        return self._position.read()

    def _below(self, number: int) -> list[int]:
        """List files that nothing was taken from before this one, as they could not be read."""
        return [other for name in self._names() if (other := _number(name)) < number]

    def _end(self, left_out: Iterable[int] = ()) -> Position:
        """Return the position behind everything: in a file that does not exist yet."""
        number = self._next_number()
        position = self._position.read()
        aside = tuple(gone for other in left_out if (gone := position.gone_of(other)))
        return Position(file=number, newest=number - 1, aside=aside)

    def _kept(self, position: Position) -> list[Kept]:
        return kept(position, self._contents(position, self._names()))

    def _contents(self, position: Position, names: Iterable[str]) -> Iterator[tuple[int, bytes]]:
        """Read the files that something may be kept in, as far as they can be."""
        for name in names:
            number = _number(name)
            if position.gone_of(number) and (content := self._read(name)) is not None:
                yield number, content

    def _left_out(self) -> list[int]:
        """List the files that could not be read."""
        return sorted(_number(name) for name in self._names() if name in self._bad)

    def _read(self, name: str) -> bytes | None:
        content = b""
        try:
            while part := self._files.read(name, len(content), 2 * FILE_BYTES):
                content += part
        except FileNotFoundError:
            content = b""
        except OSError as err:
            self._bad[name] = _text(err)
            return None
        self._bad.pop(name, None)
        return content

    def _remove_gone(self) -> None:
        """Remove files whose records are all gone; what cannot be removed does not count."""
        position = self._position.read()
        for name in self._names():
            if position.gone_of(_number(name)) is None:
                with suppress(OSError):
                    self._files.remove(name)
        for name in self._bad.keys() - set(self._names()):
            del self._bad[name]

    def _names(self) -> list[str]:
        return sorted(filter(_NAME.fullmatch, self._files.names()), key=_number)


def _number(name: str) -> int:
    return int(name.removeprefix(_PREFIX).removesuffix(_SUFFIX))


def _name(number: int) -> str:
    return f"{_PREFIX}{number:0{_DIGITS}d}{_SUFFIX}"


def _text(err: OSError) -> str:
    return err.strerror or type(err).__name__
