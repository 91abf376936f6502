"""Captures in, lines of text out: each at its own instant, none able to harm another."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from heapq import nlargest
from typing import Final, Protocol

from ..clock import CLOCKS_ARE_SET
from ..model import Capture, Happening, Item, Point, Row
from .line_protocol import TIME_MAX_US, escape_key, field_set, line, series_key
from .masked import MASKED, unmasked
from .top_entities import Talk

# At each end of what servers take, room for times that lie beyond: twelve days, and at the late end
# as many again for what moves to the next free microsecond.
_SPAN_US: Final = 2**40
_LATEST_US: Final = TIME_MAX_US - 2 * _SPAN_US
# More than large homes have entities.
TRACKS_MAX: Final = 16_384
# Of those that talk most, so many are never forgotten; the report names fewer.
_KEPT: Final = 1024

_LOGGER = logging.getLogger(__name__)


class Profile(Protocol):
    """What a point looks like."""

    @property
    def nothing(self) -> str:
        """Why a capture gives no point, for the ledger."""

    @property
    def numbers_only(self) -> bool:
        """Whether text cannot be stored."""

    @property
    def marks_unset_clock(self) -> bool:
        """Whether points say so that were dated before the clock was set."""

    def encode(self, capture: Capture) -> Point | None:
        """Encode a capture, or None when nothing of it can be stored."""

    def encode_happening(self, happening: Happening) -> Point | None:
        """Encode an event that is no change of a state, or None when the profile has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """The lines of some captures, and how many gave none, by reason.

    `misdated` of the lines are from before the clock was set.
    """

    lines: list[str]
    filtered: dict[str, int]
    misdated: int = 0


@dataclass(slots=True)
class Track(Talk):
    """What was encoded of one, and which microseconds it has used: see `Encoder`."""

    newest: int = -1
    crowd: int | None = None
    # In which round of captures it was encoded last.
    round: int = 0


@dataclass(slots=True, kw_only=True)
class Encoder:
    """Encodes with a profile and keeps the points of one series apart in time.

    Servers overwrite a point by another of the same series and timestamp, so the second of two
    changes within one microsecond moves to the next free one. What has no time that can be read is
    `not_encodable`. `talk` is by entity, event type or
    measurement of rows.

    Ids that come and go do not fill the memory: of more than `TRACKS_MAX` the longest silent are
    forgotten, but not those that talk most. `forgotten` has their points and bytes. What is encoded
    again within so many ids keeps its microseconds.
    """

    profile: Profile
    talk: dict[str, Track] = field(default_factory=dict)
    forgotten: Talk = field(default_factory=Talk)
    _round: int = 0

    def encode(self, captures: Iterable[Item]) -> Encoded:
        """Encode captures in order. Never raises for what a capture holds."""
        lines: list[str] = []
        filtered: dict[str, int] = {}
        misdated = 0
        profile, talk = self.profile, self.talk
        self._round += 1
        for capture in captures:
            try:
                subject, reason, point = _encode_item(profile, capture)
                if point is None:
                    filtered[reason] = filtered.get(reason, 0) + 1
                    continue
                series, fields, seconds = point
                if type(seconds) is not float:
                    seconds = _seconds_of(seconds)
                is_misdated = seconds < CLOCKS_ARE_SET
                if is_misdated and profile.marks_unset_clock and not isinstance(capture, Row):
                    fields = f"{fields},clock_unset=true"
                wanted = _microsecond(seconds)
                track = talk.get(subject)
                if track is None:
                    track = talk[subject] = Track()
                text = line(series, fields, _free_microsecond(track, wanted))
                # Text knows whether it is ASCII, and then how many bytes it has.
                size = len(text if text.isascii() else text.encode("utf-8", "replace")) + 1
            except Exception:
                _LOGGER.exception("A change of %s could not be encoded", _subject_of(capture))
                filtered["not_encodable"] = filtered.get("not_encodable", 0) + 1
                continue
            misdated += is_misdated
            lines.append(text)
            track.round = self._round
            track.points += 1
            track.bytes += size
        if len(talk) > TRACKS_MAX:
            self._forget()
        return Encoded(lines=lines, filtered=filtered, misdated=misdated)

    def _forget(self) -> None:
        """Forget the longest silent, so many that it need not be done again soon."""
        talk = self.talk
        loud = {
            *nlargest(_KEPT, talk, key=lambda subject: talk[subject].points),
            *nlargest(_KEPT, talk, key=lambda subject: talk[subject].bytes),
        }
        silent = sorted(
            (subject for subject in talk if subject not in loud),
            key=lambda subject: talk[subject].round,
        )
        for subject in silent[: len(talk) - TRACKS_MAX + TRACKS_MAX // 4]:
            track = talk.pop(subject)
            self.forgotten.points += track.points
            self.forgotten.bytes += track.bytes


def _encode_item(profile: Profile, item: Item) -> tuple[str, str, Point | None]:
    """Return what it is about, and its point, or why there is none."""
    if isinstance(item, Capture):
        subject = item.entity.entity_id
        if (capture := unmasked(item)) is None:
            return subject, MASKED, None
        return subject, profile.nothing, profile.encode(capture)
    if isinstance(item, Happening):
        return item.event_type, "not_in_profile", profile.encode_happening(item)
    point = _encode_row(item, numbers_only=profile.numbers_only)
    return item.measurement, "no_number", point


def _subject_of(item: Item) -> str:
    if isinstance(item, Capture):
        return item.entity.entity_id
    return item.event_type if isinstance(item, Happening) else item.measurement


def _encode_row(row: Row, *, numbers_only: bool) -> Point | None:
    measurement, tags, known, time = row
    tag_names = {escape_key(name) for name, _ in tags}
    fields = field_set(
        (name, value)
        for name, value in known
        if not (numbers_only and isinstance(value, str)) and escape_key(name) not in tag_names
    )
    return (series_key(measurement, tags), fields, time) if fields else None


def _seconds_of(time: object) -> float:
    """Read a time that an integration gave instead of seconds; raises for what is none."""
    if isinstance(time, datetime):
        return time.timestamp()
    if isinstance(time, (str, bytes)) or not hasattr(time, "__float__"):
        raise TypeError(f"No time: {type(time).__name__}")
    return float(time)


def _microsecond(seconds: float) -> int:
    """Return the whole microsecond; of a time that no server takes, one near the nearest.

    Which one depends on the time, so that milliseconds in the place of seconds, for one, stay as
    many times as they are. Raises ValueError or OverflowError for what is not finite.
    """
    # Round as datetime does: multiplied whole, every eighth instant would be off by one.
    whole = int(seconds)
    wanted = whole * 1_000_000 + round((seconds - whole) * 1_000_000)
    if 0 <= wanted <= _LATEST_US:
        return wanted
    return wanted % _SPAN_US + (0 if wanted < 0 else _LATEST_US)


def _free_microsecond(track: Track, wanted: int) -> int:
    newest = track.newest
    # What lies between the first of a crowd and its newest is taken.
    if wanted <= newest and (newest if track.crowd is None else track.crowd) <= wanted:
        if track.crowd is None:
            track.crowd = wanted
        wanted = newest + 1
    elif track.crowd is not None:
        track.crowd = None
    track.newest = wanted
    return wanted
