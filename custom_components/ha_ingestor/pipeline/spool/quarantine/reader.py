"""Reads the records of the quarantine, in slices of a few milliseconds."""

from collections.abc import Iterable
from itertools import batched
from typing import Any, Final

from ...slices import Slices
from .numbered_files import QuarantineFiles
from .position import QuarantinePosition
from .records import RejectedPoint, StoredRecord, behind

# The limit for records that are shown at once, as they may be converted in the event loop.
ANSWER_BYTES: Final = 2 * 1024 * 1024
# How many records are read in one slice.
_SLICE_RECORDS: Final = 500
# What a record is but its line, about.
_RECORD_BYTES: Final = 400


class QuarantineReader:
    """Reads what is behind a position; damaged lines are left out. Methods raise OSError.

    A record that is in the files twice counts once.
    """

    def __init__(self, files: QuarantineFiles) -> None:
        """Read these files."""
        self._files = files

    def kept(self, position: QuarantinePosition) -> Slices[tuple[list[StoredRecord], list[int]]]:
        """Read every record, oldest first, of two for one point the last one.

        Returns also which files cannot be read.
        """
        found: dict[tuple[str, str], StoredRecord] = {}
        left_out: list[int] = []
        for number in self._files.numbers(position):
            records = yield from self._records(position, number)
            if records is None:
                left_out.append(number)
                continue
            for record in records:
                found.pop(record.point, None)
                found[record.point] = record
        return list(found.values()), left_out

    def points(
        self, position: QuarantinePosition, numbers: Iterable[int]
    ) -> Slices[tuple[set[int], set[int]]]:
        """Read the hashes of the points in these files; returns also which cannot be read."""
        points: set[int] = set()
        left_out: set[int] = set()
        for number in numbers:
            records = yield from self._records(position, number)
            if records is None:
                left_out.add(number)
                continue
            points.update(hash(record.point) for record in records)
        return points, left_out

    def newest(
        self, position: QuarantinePosition, limit: int
    ) -> Slices[tuple[list[dict[str, Any]], int]]:
        """Read the newest records, oldest first, and count all.

        They are up to `limit`, and less where their lines are long.
        """
        newest: list[dict[str, Any]] = []
        # Hashes, as tens of thousands of records at once would stop all threads to collect garbage.
        seen: set[int] = set()
        room = ANSWER_BYTES
        for number in reversed(self._files.numbers(position)):
            records = yield from self._records(position, number)
            for record in reversed(records or ()):
                if (point := hash(record.point)) in seen:
                    continue
                seen.add(point)
                room -= len(record.line) + _RECORD_BYTES
                if len(newest) < limit and (room >= 0 or not newest):
                    newest.append(record.record)
        return newest[::-1], len(seen)

    def newest_refused(self, position: QuarantinePosition) -> Slices[RejectedPoint | None]:
        """Read the newest point that was refused for what it is, if there is one."""
        for number in reversed(self._files.numbers(position)):
            records = yield from self._records(position, number)
            for record in reversed(records or ()):
                if refused := record.refused:
                    return refused
        return None

    def _records(
        self, position: QuarantinePosition, number: int
    ) -> Slices[list[StoredRecord] | None]:
        """Read what a file holds behind a position; None where it cannot be read."""
        if (content := self._files.read(number)) is None:
            return None
        records: list[StoredRecord] = []
        for part in batched(behind(position, number, content), _SLICE_RECORDS, strict=False):
            records += part
            yield
        return records
