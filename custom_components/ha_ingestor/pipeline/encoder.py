"""Captures in, lines of text out: each at its own instant, none able to harm another."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from .line_protocol import line
from .model import Capture, Happening, Point

_LOGGER = logging.getLogger(__name__)


class Profile(Protocol):
    """What a point looks like."""

    @property
    def nothing(self) -> str:
        """Why a capture gives no point, for the ledger."""

    def encode(self, capture: Capture) -> Point | None:
        """Encode a capture, or None when nothing of it can be stored."""

    def encode_happening(self, happening: Happening) -> Point | None:
        """Encode an event that is no change of a state, or None when the profile has none."""


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
    _newest: dict[str, int] = field(default_factory=dict)
    _crowds: dict[str, int] = field(default_factory=dict)

    def encode(self, captures: Iterable[Capture | Happening]) -> Encoded:
        """Encode captures in order. Never raises for what a capture holds."""
        lines: list[str] = []
        filtered: dict[str, int] = {}
        profile = self.profile
        for capture in captures:
            subject, reason = "", profile.nothing
            try:
                if isinstance(capture, Happening):
                    subject, reason = capture.event_type, "not_in_profile"
                    point = profile.encode_happening(capture)
                else:
                    subject = capture.entity.entity_id
                    point = profile.encode(capture)
            except Exception:
                _LOGGER.exception("A change of %s could not be encoded", subject)
                point, reason = None, "not_encodable"
            if point is None:
                filtered[reason] = filtered.get(reason, 0) + 1
                continue
            series, fields, seconds = point
            lines.append(line(series, fields, self._free_microsecond(subject, seconds)))
        return Encoded(lines=lines, filtered=filtered)

    def _free_microsecond(self, subject: str, seconds: float) -> int:
        # Round as datetime does: multiplied whole, every eighth instant would be off by one.
        whole = int(seconds)
        wanted = whole * 1_000_000 + round((seconds - whole) * 1_000_000)
        newest = self._newest.get(subject, -1)
        # What lies between the first of a crowd and its newest is taken.
        if self._crowds.get(subject, newest) <= wanted <= newest:
            self._crowds.setdefault(subject, wanted)
            wanted = newest + 1
        elif self._crowds:
            self._crowds.pop(subject, None)
        self._newest[subject] = wanted
        return wanted
