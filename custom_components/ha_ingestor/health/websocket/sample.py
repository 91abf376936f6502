"""A sample of the points that come by, for somebody who watches."""

from collections.abc import Collection, Sequence
from threading import Lock
from typing import Any, Final

from ..line import read_line

# More than anybody can read, in the second between two looks.
SAMPLE_POINTS: Final = 20


class Sample:
    """The first points of each look, and how many more there were."""

    def __init__(self, *, entity_ids: Collection[str] = (), text: str = "") -> None:
        """Sample points of these entities that hold this text in any case; empty is no filter."""
        self._entity_ids = frozenset(entity_ids)
        # Of no profile a line has the whole id for sure.
        self._objects = tuple(entity_id.partition(".")[2] for entity_id in entity_ids)
        self._text = text.casefold()
        self._lines: list[str] = []
        self._left_out = 0
        self._lock = Lock()

    def see(self, lines: Sequence[str]) -> None:
        """Look at the lines of a commit. In any thread."""
        wanted = [line for line in lines if self._wants(line)]
        with self._lock:
            room = SAMPLE_POINTS - len(self._lines)
            self._lines += wanted[:room]
            self._left_out += max(len(wanted) - room, 0)

    def take(self) -> tuple[list[dict[str, Any]], int]:
        """Return the points since the last time, and how many are left out."""
        with self._lock:
            lines, left_out = self._lines, self._left_out
            self._lines, self._left_out = [], 0
        return [_shown(line) for line in lines], left_out

    def _wants(self, line: str) -> bool:
        if self._text and self._text not in line.casefold():
            return False
        if not self._entity_ids:
            return True
        # To search is much faster than to read.
        return any(each in line for each in self._objects) and (
            read_line(line).entity_id in self._entity_ids
        )


def _shown(line: str) -> dict[str, Any]:
    point = read_line(line)
    return {
        "line": line,
        "entity_id": point.entity_id or None,
        "measurement": point.measurement,
        "tags": point.tags,
        "fields": point.fields,
        "time": point.time,
    }
