"""Captures in, lines of text out: each at its own instant, none able to harm another."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import modf
from typing import Protocol

from .line_protocol import line
from .model import Capture

_LOGGER = logging.getLogger(__name__)


class Profile(Protocol):
    """What a point looks like."""

    def encode(self, capture: Capture) -> tuple[str, str] | None:
        """Encode series and fields, or None when nothing of the capture can be stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """The lines of some captures, and how many gave none, by reason."""

    lines: list[str]
    filtered: dict[str, int]


@dataclass(slots=True, kw_only=True)
class Encoder:
    """Encodes with a profile and keeps the points of one series apart in time.

    Servers overwrite a point by another of the same series and timestamp, so the second of two
    changes within one microsecond moves to the next free one.
    """

    profile: Profile
    _taken: dict[str, tuple[int, int]] = field(default_factory=dict)

    def encode(self, captures: Iterable[Capture]) -> Encoded:
        """Encode captures in order. Never raises for what a capture holds."""
        lines: list[str] = []
        filtered: dict[str, int] = {}
        for capture in captures:
            try:
                encoded = self.profile.encode(capture)
                reason = "no_number"
            except Exception:
                _LOGGER.exception("A change of %s could not be encoded", capture.entity.entity_id)
                encoded = None
                reason = "not_encodable"
            if encoded is None:
                filtered[reason] = filtered.get(reason, 0) + 1
                continue
            series, fields = encoded
            lines.append(line(series, fields, self._free_microsecond(capture)))
        return Encoded(lines=lines, filtered=filtered)

    def _free_microsecond(self, capture: Capture) -> int:
        entity_id = capture.entity.entity_id
        seconds = capture.time if capture.new is None else capture.new.last_updated_timestamp
        wanted = _microseconds(seconds)
        first, last = self._taken.get(entity_id, (0, -1))
        if first <= wanted <= last:
            self._taken[entity_id] = (first, last + 1)
            return last + 1
        self._taken[entity_id] = (wanted, wanted)
        return wanted


def _microseconds(seconds: float) -> int:
    """Round as datetime does: multiplied whole, every eighth instant would be off by one."""
    fraction, whole = modf(seconds)
    return int(whole) * 1_000_000 + round(fraction * 1_000_000)
