"""From captures to lines in the spool, in the spool's own thread."""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Final

from .encode.encoder import Encoder
from .filter.filters import Sieve
from .ledger import Ledger
from .model import Item, Taken
from .spool.buffer import Buffer
from .spool.files import Files

_LOGGER = logging.getLogger(__name__)

# Encoded in one go: half a millisecond, while a thread may hold up the event loop for five.
SLICE_POINTS: Final = 50
# Why points are lost that a programming error swallowed.
INTERNAL_ERROR: Final = "internal_error"


@dataclass(slots=True, kw_only=True)
class Committer:
    """Filters, encodes and appends what was captured; `next_due` is when it has to without any."""

    ledger: Ledger
    files: Files
    sieve: Sieve
    encoder: Encoder
    buffer: Buffer
    next_due: float = inf
    _has_opened: bool = False
    _is_recalled: bool = False

    def commit(self, taken: Taken, *, is_last: bool = False) -> None:
        """Bring everything that was captured to the disk, at the end also what is held back.

        Whatever fails on the way, each item is counted once: what an error swallowed is lost.
        """
        # Before anything is counted: opening the spool stores the counts, and they have to add up.
        if not self._is_recalled:
            self._recall()
        self.ledger.take(taken)
        left = len(taken.items)
        lines: list[str] = []
        try:
            for start in range(0, len(taken.items), SLICE_POINTS):
                items = taken.items[start : start + SLICE_POINTS]
                left -= len(items)
                self._encode(self._filter(items), lines)
                if left:
                    time.sleep(0)  # let the event loop run in between
            self._encode(self._due(is_last=is_last), lines)
        except Exception:
            _LOGGER.exception("Commit failed; %s events lost", left)
            self.ledger.lose(left, INTERNAL_ERROR)
        self.next_due = self.sieve.next_due
        self.ledger.throttled = self.sieve.held
        self.buffer.commit(lines)

    def close(self, *, hand_over: bool = False) -> list[str]:
        """Remember what was written, and let go of the files.

        Returns the lines that the disk did not take, if they shall be handed over.
        """
        self.buffer.commit([])
        with suppress(OSError):
            self.sieve.save(self.files, self.buffer.last_seq)
        return self.buffer.close(hand_over=hand_over)

    def _recall(self) -> None:
        """Open the spool, which tells whether what is remembered is still the last word."""
        if not self._has_opened:
            self._has_opened = True
            self.buffer.commit([])
        if self.buffer.is_open:
            self._is_recalled = True
            try:
                self.sieve.load(self.files, self.buffer.found_seq)
            except Exception:
                _LOGGER.exception("What was written before cannot be read, all is new")

    def _due(self, *, is_last: bool) -> Sequence[Item]:
        """Return what the filter held until now; what an error left nowhere is lost."""
        held = self.sieve.held
        try:
            return self.sieve.release() if is_last else self.sieve.due()
        except Exception:
            lost = held - self.sieve.held
            _LOGGER.exception("Filter failed; %s held events lost", lost)
            self.ledger.lose(lost, INTERNAL_ERROR)
            return ()

    def _filter(self, items: list[Item]) -> list[Item]:
        """Return what is to be written; what an error left uncounted is lost."""
        counted, held = self._filtered(), self.sieve.held
        try:
            return self.sieve.sift(items)
        except Exception:
            lost = len(items) - (self._filtered() - counted) - (self.sieve.held - held)
            _LOGGER.exception("Filter failed; %s events lost", lost)
            self.ledger.lose(lost, INTERNAL_ERROR)
            return []

    def _filtered(self) -> int:
        return self.ledger.filtered.total() + self.ledger.deduplicated

    def _encode(self, captures: Sequence[Item], lines: list[str]) -> None:
        try:
            encoded = self.encoder.encode(captures)
        except Exception:
            _LOGGER.exception("Encoding failed; %s events lost", len(captures))
            self.ledger.lose(len(captures), INTERNAL_ERROR)
            return
        self.ledger.filtered.update(encoded.filtered)
        self.ledger.misdated += encoded.misdated
        lines += encoded.lines
