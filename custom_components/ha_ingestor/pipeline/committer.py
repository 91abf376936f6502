"""From captures to lines in the spool, in the spool's own thread."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from .buffer import Buffer
from .encoder import Encoder
from .files import Files
from .intake import IntakeBounds
from .ledger import Ledger
from .model import Item
from .recollection import Recollection
from .sieve import Sieve
from .spool import Spool

_LOGGER = logging.getLogger(__name__)

# Encoded in one go: half a millisecond, while a thread may hold up the event loop for five.
SLICE_POINTS: Final = 50


@dataclass(slots=True, kw_only=True)
class Committer:
    """Sifts, encodes and appends what was captured; `next_due` is when it has to without any."""

    ledger: Ledger
    files: Files
    bounds: IntakeBounds
    recollection: Recollection
    sieve: Sieve
    encoder: Encoder
    spool: Spool
    buffer: Buffer
    next_due: float = inf
    _is_recalled: bool = False
    _dropped_before: int = 0

    def commit(self, *, is_last: bool = False) -> None:
        """Bring everything that was captured to the disk, at the end also what is held back."""
        if not self._is_recalled:
            self._recall()
        captures = self.bounds.take()
        lines: list[str] = []
        for start in range(0, len(captures), SLICE_POINTS):
            self._encode(self._sifted(captures[start : start + SLICE_POINTS]), lines)
            time.sleep(0)  # let the event loop run in between
        self._encode(self.sieve.release() if is_last else self.sieve.due(), lines)
        self.next_due = self.sieve.next_due
        dropped = self.bounds.dropped
        self.buffer.give_up(dropped - self._dropped_before, "intake_full")
        self._dropped_before = dropped
        self.buffer.commit(lines)

    def close(self) -> None:
        """Remember what was written, and let go of the files; raises OSError."""
        try:
            self.recollection.save(self.files, self.spool.last_seq)
        finally:
            self.buffer.close()

    def _recall(self) -> None:
        """Open the spool, which tells whether what is remembered is still the last word."""
        self._is_recalled = True
        self.buffer.commit([])
        if self.buffer.is_open:
            self.recollection.load(self.files, self.spool.last_seq)

    def _sifted(self, captures: list[Item]) -> list[Item]:
        try:
            return self.sieve.sift(captures)
        except Exception:
            _LOGGER.exception("What is needless could not be told, all is kept")
            return captures

    def _encode(self, captures: Sequence[Item], lines: list[str]) -> None:
        encoded = self.encoder.encode(captures)
        self.ledger.filtered.update(encoded.filtered)
        lines += encoded.lines
