"""Points that the database refused for good, kept as readable files with the reason.

    quarantine-000001.ndjson   quarantine-000002.ndjson   quarantine-000003.ndjson
    ░░░░░░░░░░░░░░░░░░░░░░░░   ░░░░░░░▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓   ▓▓▓▓▓▓▓→ add    ░ gone   ▓ kept
                                      ↑ position

NDJSON, one record a line: seq, time, status, reason, line, destination. A record whose point was
replayed or purged is gone when `position` has passed it; files behind it are removed as soon as the
disk lets us, and a purge is one write. Numbers of files are never used again, and a position hides
nothing of a file that is not the one it was stored for.

What a failed `add` has left in a file is not read, as it is repeated. After a killed one a record
may be in the files twice: the last one counts.

A file that cannot be read is left aside: new records go to a new file, all that can be read is
exported, replayed and purged, and `disk_error` names the file. When it can be read again, its
records are there.

All that takes long is done in slices. Between them records may be added, and points committed and
delivered; export, replay and purge come one after the other.

Replay brings one chunk of records after the other to the end of the spool. Before that, `position`
says at which sequence number of the spool the chunk is about to be appended; afterwards it moves on
by what was really appended, whether that ended with an error or not. A process that was killed in
between left the first note: the next one learns from the spool, before it appends anything, how far
it reaches, and with that how many records were taken. So none is replayed twice, none is forgotten,
and after any failure everything can be tried again. Only where the position itself cannot be read,
what was replayed before may be replayed again.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ...files import Files
from ...slices import Slices, complete
from .appended import Appended
from .numbered_files import FILE_BYTES, QuarantineFiles
from .position import NAME as POSITION_FILE
from .position import PositionFile, QuarantinePosition
from .reader import QuarantineReader
from .records import RejectedPoint, chunks


class Quarantine:
    """Appends records; a record is on disk when `add` returns. Used by one thread.

    `newest` is the last point that was refused for what it is, rather than for its age.
    """

    def __init__(self, files: Files, destination: str = "") -> None:
        """Keep the records among `files`; `destination` is who refused them."""
        self.newest: RejectedPoint | None = None
        self._destination = destination
        self._position = PositionFile(files)
        self._files = QuarantineFiles(files, self._position)
        self._reader = QuarantineReader(self._files)
        self._found: Appended | None = None

    @property
    def disk_error(self) -> str:
        """Which files cannot be used, and why; empty when all is well. May be asked at any time."""
        bad = self._files.bad
        if self._position.disk_error:
            bad[POSITION_FILE] = self._position.disk_error
        return ", ".join(f"{name}: {detail}" for name, detail in bad.items())

    def add(self, *, seq: int, line: str, status: int, reason: str) -> None:
        """Store one record; raises OSError when it is not safely on disk."""
        self.add_all([(seq, line)], status=status, reason=reason)
        self.newest = RejectedPoint(line=line, reason=reason, seq=seq)

    def add_all(self, points: Sequence[tuple[int, str]], *, status: int, reason: str) -> None:
        """Store records of points, each with its sequence number; raises OSError.

        After an error add all of them again.
        """
        common = {
            "time": datetime.now(UTC).isoformat(),
            "status": status,
            "reason": reason,
        }
        parts = [bytearray()]
        for seq, line in points:
            record = {"seq": seq, **common, "line": line, "destination": self._destination}
            if len(parts[-1]) >= FILE_BYTES:
                parts.append(bytearray())
            parts[-1] += json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        self._files.append(bytes(data) for data in parts if data)

    def recheck_files(self) -> None:
        """Check again the files that could not be used; raises OSError."""
        self._files.check_again()

    def records(self) -> Slices[list[dict[str, Any]]]:
        """Read every record, oldest first; damaged lines are left out. Raises OSError."""
        records, _ = yield from self._reader.kept(self._now())
        return [record.record for record in records]

    def newest_records(self, limit: int) -> Slices[tuple[list[dict[str, Any]], int]]:
        """Read the newest records, oldest first, and count all; raises OSError.

        They are up to `limit`, and less where their lines are long.
        """
        return (yield from self._reader.newest(self._now(), limit))

    def find_newest(self) -> Slices[None]:
        """Read the newest one of earlier processes, unless it was forgotten; raises OSError."""
        position = self._now()
        refused = yield from self._reader.newest_refused(position)
        if refused and self.newest is None and refused.mark != position.forgotten:
            self.newest = refused

    def forget(self) -> None:
        """Keep the records, but have no newest one; nor in later processes, if it can be stored."""
        newest, self.newest = self.newest, None
        if newest:
            with suppress(OSError):
                self._position.move(replace(self._now(), forgotten=newest.mark))

    def purge(self) -> Slices[int]:
        """Delete every record that can be read and return how many these were; raises OSError."""
        position, additions = self._now(), self._files.additions
        numbers = self._files.numbers(position)
        if not numbers:
            self._files.remove_gone()
            return 0
        points, left_out = yield from self._reader.points(position, numbers)
        # From here on in one slice.
        if self._files.additions != additions:
            added = [number for number in self._files.numbers(position) if number >= numbers[-1]]
            new_points, unread = complete(self._reader.points(position, added))
            points |= new_points
            left_out |= unread
        self._remove_all(left_out)
        return len(points)

    def _remove_all(self, left_out: Iterable[int]) -> None:
        before = self._position.read()
        self._files.retire()
        try:
            self._position.move(self._end(left_out))
        except OSError:
            # On a full disk only removing files helps.
            self._position.undo(before)
            self._files.remove(left_out)
        self._files.remove_gone()

    def replay(
        self, requeue: Callable[[list[str]], None], appended: Callable[[], Appended]
    ) -> Slices[int]:
        """Bring the records back to the spool and return how many; raises OSError.

        `requeue` appends lines to the spool, and `appended` says how far that is. What was taken
        before an error is gone from here, all else is still here.
        """
        additions = self._files.additions
        position = self._now().settled()
        records, left_out = yield from self._reader.kept(position)
        for chunk in chunks(records):
            # Nothing else is appended within this slice.
            file, (before, _, replayed) = position.file, appended()
            self._position.announce(
                replace(
                    position,
                    after=before,
                    replayed=replayed,
                    count=len(chunk),
                    until=chunk[-1].end,
                )
            )
            try:
                requeue([record.line for record in chunk])
            finally:
                taken = min(max(appended().last_seq - before, 0), len(chunk))
                if taken:
                    position = position.passed(chunk[taken - 1].end, left_out)
                self._position.move(position)
            if position.file != file:
                self._files.remove_gone()
            yield
        if records and self._files.additions == additions:
            self._position.move(self._end(left_out))
            self._files.remove_gone()
        return len(records)

    def resume(self, found: Appended) -> int:
        """Finish what a killed process was replaying.

        `found` is how far the spool was before anything is appended to it. Returns how many records
        the ledger counts as replayed, and are still here.
        """
        self._found = found
        position = self._position.read()
        with suppress(OSError):  # tried again with the first use
            self._now()
        if (counted := position.counted_by(found)) is None:
            return 0
        return max(counted - position.taken_by(found), 0)

    def count_settled(self, acked: int) -> int:
        """Count the points in here up to this number; a later one is still in the spool as well."""
        with suppress(OSError):
            records, _ = complete(self._reader.kept(self._now()))
            return sum(record.seq <= acked for record in records)
        return 0

    def _now(self) -> QuarantinePosition:
        position = self._position.read()
        if position.after is None or self._found is None:
            return position
        taken = position.taken_by(self._found)
        start = position.settled()
        if position.until is not None and taken == position.count:
            end = start.passed(position.until, self._files.below(position.until.file))
        else:
            records, left_out = complete(self._reader.kept(start))
            end = start.passed(records[:taken][-1].end, left_out) if records[:taken] else start
        with suppress(OSError):  # tried again with every use
            self._position.move(end)
        return self._position.read()

    def _end(self, left_out: Iterable[int] = ()) -> QuarantinePosition:
        """Return the position behind everything: in a file that does not exist yet."""
        number = self._files.next_number()
        position = self._position.read()
        aside = tuple(gone for other in left_out if (gone := position.removed_of(other)))
        return QuarantinePosition(file=number, newest=number - 1, aside=aside)
