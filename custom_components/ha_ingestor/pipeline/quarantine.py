"""Points that the database refused for good, kept as readable files with the reason.

NDJSON, one record a line: seq, time, status, reason, line, destination.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from .files import Files

_PREFIX: Final = "quarantine-"
_DIGITS: Final = 6
_NAME: Final = re.compile(rf"{_PREFIX}[0-9]{{{_DIGITS}}}\.ndjson")
# A file is what is given up when the quarantine is full; sixteen of them are enough to see a trend.
FILE_BYTES: Final = 1024 * 1024
FILES_MAX: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A point that was put aside, and why."""

    line: str
    reason: str


class Quarantine:
    """Appends records; a record is on disk when `add` returns."""

    def __init__(self, files: Files, destination: str = "") -> None:
        """Keep the records among `files`; `destination` is who refused them."""
        self.newest: Rejection | None = None
        self._files = files
        self._destination = destination

    def add(self, *, seq: int, line: str, status: int, reason: str) -> None:
        """Store one record; raises OSError when it is not safely on disk."""
        self._append(
            {
                "seq": seq,
                "time": datetime.now(UTC).isoformat(),
                "status": status,
                "reason": reason,
                "line": line,
                "destination": self._destination,
            }
        )
        self.newest = Rejection(line=line, reason=reason)

    def _append(self, record: dict[str, Any]) -> None:
        data = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        names = self._names()
        before = self._files.read(names[-1], 0, FILE_BYTES) if names else b""
        size = len(before)
        if not names or size >= FILE_BYTES:
            number = int(names[-1].removeprefix(_PREFIX)[:_DIGITS]) + 1 if names else 1
            names.append(f"{_PREFIX}{number:0{_DIGITS}d}.ndjson")
            fd, size = self._files.create(names[-1]), 0
        else:
            fd = self._files.open(names[-1])
            if not before.endswith(b"\n"):
                data = b"\n" + data  # a torn record must not swallow this one
        try:
            self._files.write(fd, data, size)
            self._files.sync(fd)
        finally:
            self._files.close(fd)
        if size == 0:
            self._files.sync_directory()
        for name in names[:-FILES_MAX]:
            self._files.remove(name)

    def records(self) -> list[dict[str, Any]]:
        """Read every record, oldest first; damaged lines are left out."""
        found: list[dict[str, Any]] = []
        for name in self._names():
            for line in self._files.read(name, 0, 2 * FILE_BYTES).split(b"\n"):
                try:
                    record = json.loads(line)
                except ValueError:
                    continue
                if isinstance(record, dict):
                    found.append(record)
        return found

    def forget(self) -> None:
        """Keep the records, but have no newest one."""
        self.newest = None

    def purge(self) -> int:
        """Delete every record and return how many there were."""
        count = len(self.records())
        for name in self._names():
            self._files.remove(name)
        return count

    def _names(self) -> list[str]:
        return [name for name in self._files.names() if _NAME.fullmatch(name)]
