"""What was last written of each device and entity, across restarts.

A file of lines, each behind its checksum: the destination, and then every change in its order.

    ["v2 http://influxdb.local …", {…}]            whose it is, and which columns follow
    ["devices", "d1", "Signify", "LCA001", …]       what it is
    ["devices", "d1"]                               nothing any more

A line that is damaged or was never finished is as if it were not there: then something is written
that was written already, which does no harm.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from .history_rows import TABLES, Change, State

FILE: Final = "registries.jsonl"

# Up to this many outdated lines the file is not rewritten.
SPARE_LINES: Final = 1000


class HistoryLog:
    """Used by one thread at a time. Methods but the first raise OSError."""

    def __init__(self, directory: Path, destination: str) -> None:
        """Keep the file in a directory; rows of another destination do not count."""
        self.states: dict[str, dict[str, State]] = {name: {} for name in TABLES}
        self._path = directory / FILE
        columns = {name: (*table.tags, *table.fields) for name, table in TABLES.items()}
        self._head = _line([destination, columns])
        self._lines = 0

    def load(self) -> None:
        """Read what an earlier process noted."""
        with suppress(FileNotFoundError):
            head, *lines = self._path.read_bytes().split(b"\n")
            if head + b"\n" == self._head:
                for line in lines[:-1]:
                    self._apply(_record(line))
                self._lines = len(lines)
                if lines[-1:] != [b""]:
                    self._rewrite()  # what is appended has to begin a line

    def note(self, changes: Iterable[Change]) -> None:
        """Remember changes also across a restart."""
        found = list(changes)
        self.keep(found)
        live = sum(map(len, self.states.values()))
        if not self._lines or self._lines + len(found) > 2 * live + SPARE_LINES:
            self._rewrite()
            return
        with self._path.open("ab") as file:
            file.writelines(_line([each.measurement, *_state(each)]) for each in found)
        self._lines += len(found)

    def keep(self, changes: Iterable[Change]) -> None:
        """Remember changes until the end of this process."""
        for each in changes:
            self._apply([each.measurement, *_state(each)])

    def _apply(self, record: Any) -> None:
        match record:
            case [str(name), str(key)] if name in TABLES:
                self.states[name].pop(key, None)
            case [str(name), str(key), *_] if name in TABLES:
                self.states[name][key] = tuple(record[1:])

    def _rewrite(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.touch(mode=0o600)
        with new.open("wb") as file:
            file.write(self._head)
            for name, states in self.states.items():
                file.writelines(_line([name, *state]) for state in states.values())
        new.replace(self._path)
        self._lines = sum(map(len, self.states.values()))


def _state(change: Change) -> State:
    return (change.key,) if change.state is None else change.state


def _record(line: bytes) -> Any:
    checksum, _, text = line.partition(b" ")
    return json.loads(text) if checksum == _checksum(text) else None


def _line(content: Any) -> bytes:
    text = json.dumps(content).encode()
    return b"%b %b\n" % (_checksum(text), text)


def _checksum(text: bytes) -> bytes:
    return b"%08x" % crc32(text)
