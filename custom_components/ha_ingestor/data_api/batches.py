"""Splits rows into batches and finds the rejected ones; sends nothing itself."""

from collections import deque
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Final

from .rows import Row

# The server takes seconds for more, and one bad row fails all that are with it.
BATCH_ROWS: Final = 200
# After this many rejections without an accepted row, the server is the cause, not the rows.
SUSPECTS_MAX: Final = 5


@dataclass(slots=True)
class Batches:
    """Rows in order, in batches; a rejected batch is halved until the row is found.

    A refused row is only suspect until another one is taken: a server whose own database is gone
    refuses every row in the same words.
    """

    suspects: list[tuple[Row, str]] = field(default_factory=list)
    _pieces: deque[tuple[Row, ...]] = field(default_factory=deque)

    @classmethod
    def of(
        cls,
        rows: Sequence[Row],
        *,
        size: int = BATCH_ROWS,
        apart: Container[str] = (),
        alone: Container[str] = (),
    ) -> Batches:
        """Cut rows into pieces; those `apart` come later, and last those that shall be `alone`."""
        batches = cls()
        batches._cut([row for row in rows if row.key not in alone and row.key not in apart], size)
        batches._cut([row for row in rows if row.key not in alone and row.key in apart], size)
        batches._pieces.extend((row,) for row in rows if row.key in alone)
        return batches

    @property
    def current(self) -> tuple[Row, ...]:
        """The batch to send next; empty when all are settled."""
        return self._pieces[0] if self._pieces else ()

    @property
    def waiting(self) -> list[Row]:
        """The rows that have no result yet."""
        return [row for piece in self._pieces for row in piece]

    @property
    def is_surge(self) -> bool:
        """Whether so many are rejected that the server is the cause."""
        return len(self.suspects) >= SUSPECTS_MAX

    def accepted(self) -> tuple[tuple[Row, ...], list[tuple[Row, str]]]:
        """Go on after a piece that was taken; returns its rows, and those refused for good."""
        return self._pieces.popleft(), self.confirm_rejected()

    def refuse_all(self, reason: str) -> list[tuple[Row, str]]:
        """End, with every row without a result as rejected."""
        rest = [(row, reason) for row in self.waiting]
        self._pieces.clear()
        return self.confirm_rejected() + rest

    def confirm_rejected(self) -> list[tuple[Row, str]]:
        """Confirm the suspected rows as rejected, because the server accepts other rows."""
        rejected, self.suspects = self.suspects, []
        return rejected

    def refused(self, reason: str) -> None:
        """Go on after a piece that was not taken because of one of its rows."""
        piece = self._pieces.popleft()
        if len(piece) == 1:
            self.suspects.append((piece[0], reason))
            return
        middle = len(piece) // 2
        self._pieces.extendleft((piece[middle:], piece[:middle]))

    def too_large(self, reason: str) -> None:
        """Go on after a piece that was more than goes through: so are all of its size."""
        size = len(self.current)
        if size == 1:
            self.refused(reason)
            return
        pieces = list(self._pieces)
        self._pieces.clear()
        for piece in pieces:
            self._cut(piece, (size + 1) // 2)

    def _cut(self, rows: Sequence[Row], size: int) -> None:
        self._pieces.extend(
            tuple(rows[start : start + size]) for start in range(0, len(rows), size)
        )
