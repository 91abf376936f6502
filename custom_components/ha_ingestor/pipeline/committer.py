"""Filters, encodes and appends events, in the spool's thread."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from .encode.encoder import LATER, Encoder
from .files import Files, disk_error_text
from .filter.filters import NoiseFilter
from .ledger import Ledger
from .model import IntakeContent, Item, OwnPoint, StateEvent, is_here
from .past import Past
from .spool.buffer import Buffer
from .spool.captured_until import CapturedUntil

_LOGGER = logging.getLogger(__name__)

# Encoded in one slice: half a millisecond, while a thread may block the event loop for five.
SLICE_POINTS: Final = 50
# Of the lines stored last, for a report.
SAMPLE_LINES: Final = 5
# Is called with the stored lines. It must not keep or change the list.
type Watcher = Callable[[Sequence[str]], None]

# The reason for points that are lost by a programming error.
INTERNAL_ERROR: Final = "internal_error"


@dataclass(slots=True, kw_only=True)
class Committer:
    """Filters, encodes and appends events; `next_due` is when to commit without a new one.

    `sample` are some of the lines that were stored last.
    """

    ledger: Ledger
    files: Files
    noise_filter: NoiseFilter
    encoder: Encoder
    buffer: Buffer
    captured_until: CapturedUntil
    next_due: float = inf
    watchers: tuple[Watcher, ...] = ()
    sample: tuple[str, ...] = ()
    _has_opened: bool = False
    _is_last_written_loaded: bool = False

    def commit(self, taken: IntakeContent, *, is_last: bool = False) -> None:
        """Store all captured events on disk; the last time also those that the filter holds.

        Each item is counted exactly once, whatever fails: items that an error drops are lost.
        """
        # Before anything is counted: opening the spool stores the counts, and they have to add up.
        self._load_last_written()
        self.ledger.take(taken)
        left = len(taken.items)
        lines: list[str] = []
        oldest = LATER
        try:
            for start in range(0, len(taken.items), SLICE_POINTS):
                items = taken.items[start : start + SLICE_POINTS]
                left -= len(items)
                oldest = min(oldest, self._encode(self._filter(items), lines, self.encoder))
                if left:
                    time.sleep(0)  # let the event loop run in between
            oldest = min(oldest, self._encode(self._due(is_last=is_last), lines, self.encoder))
        except BaseException:
            _LOGGER.exception("Commit failed; %s events lost", left)
            self.ledger.count_lost(left, INTERNAL_ERROR)
        self.next_due = self.noise_filter.next_due
        self.ledger.throttled = self.noise_filter.held
        if lines:
            self.sample = tuple(lines[-SAMPLE_LINES:])
            self._show(lines)
        if self.buffer.is_safe:
            self.captured_until.note_safe()
        self.buffer.commit(lines, oldest)
        if (newest := _newest(taken.items)) is not None:
            self.captured_until.newest = newest
        if self.buffer.is_open and not self.buffer.held:
            self.captured_until.store(self.buffer.last_seq)

    def commit_recovered(self, past: Past, taken: IntakeContent) -> int:
        """Store events and points of the past, counted as all others; return how many it gives."""
        self.ledger.take(taken)
        left = len(taken.items)
        lines: list[str] = []
        oldest = LATER
        try:
            for start in range(0, len(taken.items), SLICE_POINTS):
                items = taken.items[start : start + SLICE_POINTS]
                kept: list[Item] = [item for item in items if isinstance(item, OwnPoint)]
                kept += past.recovered_filter.filter(
                    item for item in items if isinstance(item, StateEvent)
                )
                left -= len(items)
                oldest = min(oldest, self._encode(kept, lines, past.encoder))
                time.sleep(0)  # let the event loop run in between
        except BaseException:
            _LOGGER.exception("Commit of the history failed; %s events lost", left)
            self.ledger.count_lost(left, INTERNAL_ERROR)
        self.ledger.recovered += len(lines)
        self.buffer.commit(lines, oldest)
        return len(lines)

    def load_captured_until(self) -> float | None:
        """Return up to when an earlier process captured this home; None if that is not known."""
        self._load_last_written()
        return self.captured_until.load(self.buffer.found_seq)

    def _show(self, lines: Sequence[str]) -> None:
        for watcher in self.watchers:
            try:
                watcher(lines)
            except Exception:
                _LOGGER.exception("Points could not be shown")

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Show the lines of each commit to `watcher`; returns what ends it. In the event loop."""
        self.watchers += (watcher,)

        def stop() -> None:
            self.watchers = tuple(each for each in self.watchers if each is not watcher)

        return stop

    def close(self, *, hand_over: bool = False) -> list[str]:
        """Store the last written states, and close the files.

        Returns the lines that the disk did not take, if they shall be handed over.
        """
        self.buffer.commit([])
        try:
            self.noise_filter.save(self.files, self.buffer.last_seq)
        except OSError as err:
            _LOGGER.debug("The last written states cannot be stored: %s", disk_error_text(err))
        except Exception:
            _LOGGER.exception("The last written states cannot be stored")
        self.captured_until.close()
        return self.buffer.close(hand_over=hand_over)

    def _load_last_written(self) -> None:
        """Open the spool, and load the last written states if they are up to date."""
        if self._is_last_written_loaded:
            return
        if not self._has_opened:
            self._has_opened = True
            self.buffer.commit([])
        if self.buffer.is_open:
            self._is_last_written_loaded = True
            try:
                self.noise_filter.load(self.files, self.buffer.found_seq)
            except Exception:
                _LOGGER.exception(
                    "The last written states cannot be read; all states are treated as new"
                )

    def _due(self, *, is_last: bool) -> Sequence[Item]:
        """Return held events that are due; events that an error drops are lost."""
        held = self.noise_filter.held
        try:
            return self.noise_filter.release() if is_last else self.noise_filter.due()
        except BaseException:
            lost = held - self.noise_filter.held
            _LOGGER.exception("Filter failed; %s held events lost", lost)
            self.ledger.count_lost(lost, INTERNAL_ERROR)
            return ()

    def _filter(self, items: list[Item]) -> list[Item]:
        """Return the events to write; events that an error drops are lost."""
        counted, held = self._filtered(), self.noise_filter.held
        try:
            return self.noise_filter.filter(items)
        except BaseException:
            lost = len(items) - (self._filtered() - counted) - (self.noise_filter.held - held)
            _LOGGER.exception("Filter failed; %s events lost", lost)
            self.ledger.count_lost(lost, INTERNAL_ERROR)
            return []

    def _filtered(self) -> int:
        return self.ledger.filtered.total() + self.ledger.deduplicated

    def _encode(self, items: Sequence[Item], lines: list[str], encoder: Encoder) -> int:
        """Add the lines of items, and return a time that none of them is older than."""
        try:
            encoded = encoder.encode(items)
        except BaseException:
            _LOGGER.exception("Encoding failed; %s events lost", len(items))
            self.ledger.count_lost(len(items), INTERNAL_ERROR)
            return LATER
        if encoded.filtered:
            self.ledger.filtered.update(encoded.filtered)
        self.ledger.misdated += encoded.misdated
        lines += encoded.lines
        return encoded.oldest


def _newest(items: Sequence[Item]) -> float | None:
    """Return when the newest event of this home fired; states that were there have no such time."""
    for item in reversed(items):
        if isinstance(item, StateEvent) and item.time and is_here(item.entity.key):
            return item.time
    return None
