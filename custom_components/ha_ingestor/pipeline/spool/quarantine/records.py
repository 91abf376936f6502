"""The records in the files of the quarantine, and what of them is kept."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from zlib import crc32

from .position import QuarantinePosition, RemovedRecords

# A frame of the spool: it is appended as a whole or not at all.
_CHUNK_POINTS: Final = 500
_CHUNK_BYTES: Final = 128 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedPoint:
    """A point that was put aside, and why; `seq` is its number in the spool, or 0."""

    line: str
    reason: str
    seq: int = 0

    @property
    def mark(self) -> int:
        """What tells it from others."""
        return crc32(f"{self.seq} {self.line}".encode("utf-8", "replace"))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """A record, and what is gone of its file when this record is."""

    record: dict[str, Any]
    end: RemovedRecords

    @property
    def line(self) -> str:
        return str(self.record.get("line", ""))

    @property
    def point(self) -> tuple[str, str]:
        """What a record of the same point shares with it.

        The number in the spool is 0 for all points that never were in it.
        """
        return (str(self.record.get("seq")), self.line)

    @property
    def seq(self) -> int:
        """The number in the spool; 0 where it is not known."""
        seq = self.record.get("seq")
        return seq if type(seq) is int else 0

    @property
    def refused(self) -> RejectedPoint | None:
        """The point, if it was refused for what it is: one for its age has no status."""
        record = self.record
        if not record.get("status"):
            return None
        return RejectedPoint(line=self.line, reason=str(record.get("reason", "")), seq=self.seq)


def behind(position: QuarantinePosition, number: int, content: bytes) -> Iterator[StoredRecord]:
    """Go through the records of one file that are not gone."""
    gone = position.removed_of(number)
    if gone is not None:
        first = gone.records if _is_of(gone, content) else 0
        yield from islice(_parsed(number, content), first, None)


def chunks(records: Sequence[StoredRecord]) -> Iterator[list[StoredRecord]]:
    """Part records into what one frame of the spool holds, each of one file."""
    chunk: list[StoredRecord] = []
    size = 0
    for record in records:
        length = len(record.line.encode("utf-8", "replace")) + 1
        is_full = len(chunk) == _CHUNK_POINTS or size + length > _CHUNK_BYTES
        if chunk and (is_full or chunk[-1].end.file != record.end.file):
            yield chunk
            chunk, size = [], 0
        chunk.append(record)
        size += length
    if chunk:
        yield chunk


def _is_of(gone: RemovedRecords, content: bytes) -> bool:
    """Whether this is the file that something is gone of."""
    if not gone.records:
        return True
    last = next(islice(_parsed(gone.file, content), gone.records - 1, None), None)
    return last is not None and gone.mark in {None, last.end.mark}


def _parsed(number: int, content: bytes) -> Iterator[StoredRecord]:
    mark = count = 0
    for line in content.split(b"\n"):
        mark = crc32(line + b"\n", mark)
        try:
            record = json.loads(line)
        except ValueError, RecursionError:
            continue
        if isinstance(record, dict):
            count += 1
            yield StoredRecord(record=record, end=RemovedRecords(number, count, mark))
