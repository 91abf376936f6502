"""Settles the lines of an answered batch. In the spool's thread."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Final

from ..ledger import Fate
from ..spool.batch import Batch
from ..spool.buffer import Buffer
from ..spool.quarantine.quarantine import Quarantine
from .request import Request
from .texts import TEXT_ONLY

# Why points are evicted that the database keeps no more.
EXPIRED: Final = "retention"
# Each change of fate within a batch costs a write of the cursor. A batch in which new and expired
# points alternate is accounted as a whole instead: the counts are the same, only a crash between
# the two steps could repeat some of them.
RUNS_MAX: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Puts aside what has to be, and accounts for all of it; raises OSError."""

    buffer: Buffer
    quarantine: Quarantine
    evicts_expired: bool = False

    def accepted(self, request: Request) -> None:
        """Account for lines that the database stored, and for those that were not sent."""
        try:
            self._put_aside(request)
        except OSError as err:
            aside = self._later(request, request.aside, 0, request.reason)
            texts = self._later(request, request.texts, 0, TEXT_ONLY)
            indexes = request.aside | request.texts
            if not self.buffer.set_aside(request.batch, indexes, aside | texts, err):
                raise
            return
        self._account(request, "written")

    def rejected(self, request: Request, code: int, reason: str) -> None:
        """Put aside what the database refused alone; records have its number as `status`."""
        every = frozenset(range(request.batch.count))
        try:
            for seq, line in self._records(request.batch, every - request.aside - request.texts):
                self.quarantine.add(seq=seq, line=line, status=code, reason=reason)
            self._put_aside(request)
        except OSError as err:
            later = self._later(request, every, code, reason)
            if not self.buffer.set_aside(request.batch, every, later, err):
                raise
            return
        self._account(request, "quarantined")

    def _put_aside(self, request: Request) -> None:
        if request.texts:
            texts = self._records(request.batch, request.texts)
            self.quarantine.add_all(texts, status=0, reason=TEXT_ONLY)
        if request.aside and not self.evicts_expired:
            records = self._records(request.batch, request.aside)
            self.quarantine.add_all(records, status=0, reason=request.reason)

    def _later(
        self, request: Request, indexes: frozenset[int], status: int, reason: str
    ) -> dict[int, Callable[[], None]]:
        """Return for each of these lines on the disk, by its number, what puts it aside."""

        def put_aside(seq: int, line: str) -> None:
            if status:
                self.quarantine.add(seq=seq, line=line, status=status, reason=reason)
            else:
                self.quarantine.add_all([(seq, line)], status=status, reason=reason)

        records = self._records(request.batch, indexes)
        return {seq: partial(put_aside, seq, line) for seq, line in records}

    def _records(self, batch: Batch, indexes: frozenset[int]) -> list[tuple[int, str]]:
        """Lines of a batch with their sequence numbers, which those in memory have none of.

        Lines that do not wait any more are left out: they have another fate by now.
        """
        gone = batch.count - self.buffer.left(batch)
        numbers = [seq for first, last in batch.spans for seq in range(first, last + 1)]
        return [
            (numbers[index] if numbers else 0, line.decode("utf-8", "replace"))
            for index, line in enumerate(batch.payload.split(b"\n"))
            if index >= gone and index in indexes
        ]

    def _account(self, request: Request, sent: Fate) -> None:
        """Settle growing prefixes of the batch: each one adds the lines behind the one before."""
        aside: Fate = "evicted" if self.evicts_expired else "quarantined"
        count = request.batch.count

        def fate_of(index: int) -> Fate:
            if index in request.texts:
                return "quarantined"
            return aside if index in request.aside else sent

        fates = map(fate_of, range(count))
        runs = [(fate, len(list(lines))) for fate, lines in groupby(fates)]
        if len(runs) > RUNS_MAX:
            runs = [
                (sent, request.sent),
                (aside, len(request.aside)),
                ("quarantined", len(request.texts)),
            ]
        end = 0
        for fate, length in _joined(runs):
            end += length
            self.buffer.settle(_prefix(request.batch, end), fate, EXPIRED)


def _joined(runs: Iterable[tuple[Fate, int]]) -> list[tuple[Fate, int]]:
    return [
        (fate, sum(length for _, length in same))
        for fate, same in groupby(runs, lambda run: run[0])
    ]


def _prefix(batch: Batch, count: int) -> Batch:
    """Cut a batch behind so many of its lines."""
    if count == batch.count:
        return batch
    spans: list[tuple[int, int]] = []
    left = count
    for first, last in batch.spans:
        if left:
            spans.append((first, min(last, first + left - 1)))
            left -= spans[-1][1] - first + 1
    last_seq = spans[-1][1] if spans else 0
    return replace(batch, count=count, last_seq=last_seq, spans=tuple(spans), end=None)
