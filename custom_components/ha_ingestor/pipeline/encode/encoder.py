"""Encodes events as lines: each with a timestamp of its own; an error affects one event only."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Any, Final, Protocol

from ..clock import CLOCKS_ARE_SET
from ..ledger import NO_NUMBER, NOT_IN_PROFILE
from ..model import (
    Convert,
    EntityContext,
    Item,
    Message,
    OtherEvent,
    OwnPoint,
    Point,
    RegistryRow,
    StateEvent,
)
from .line_protocol import TIME_MAX_US, escape_key, field_set, line, series_key
from .masked import MASKED, TEXTS, unmasked
from .readable import readable
from .timestamps import SeriesTimes, UsedTimes, microsecond, seconds_of
from .top_entities import SERIES_MAX, EntityStats

# Later than the time of any line.
LATER: Final = TIME_MAX_US + 1
# More than large homes have entities.
SERIES_STATES_MAX: Final = 16_384
# What raised an error, for the ledger.
NOT_ENCODABLE: Final = "not_encodable"
# The states of this many top entities are always kept; the report names fewer.
_KEPT: Final = 1024

_LOGGER = logging.getLogger(__name__)


class Profile(Protocol):
    """What a point looks like."""

    @property
    def nothing(self) -> str:
        """Why a state event gives no point, for the ledger."""

    @property
    def numbers_only(self) -> bool:
        """Whether text cannot be stored."""

    @property
    def marks_unset_clock(self) -> bool:
        """Whether points from before the clock was set are marked."""

    def encode(self, state_event: StateEvent) -> Point | None:
        """Encode a state event, or None when nothing of it can be stored."""

    def encode_other_event(self, event: OtherEvent) -> Point | None:
        """Encode an event that is no change of a state, or None when the profile has none."""

    def statistic_tags(
        self, entity: EntityContext | None, attributes: Mapping[str, Any]
    ) -> tuple[tuple[str, str], ...]:
        """Return the tags of a long-term statistic: those of an entity, and of the home."""

    def statistic_unit(self, kind: str, unit: str) -> tuple[str, Convert | None]:
        """Return the unit that a long-term statistic is stored in, and how it gets there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """The lines of some events, and how many gave none, by reason.

    `misdated` of the lines are from before the clock was set. No line is older than `oldest`, in
    microseconds since 1970: 0 where that is not known.
    """

    lines: list[str]
    filtered: dict[str, int]
    misdated: int = 0
    oldest: int = LATER


@dataclass(slots=True)
class SeriesState(SeriesTimes):
    """What was encoded of one entity, event type or measurement."""

    # In which call of `encode` it was encoded last.
    round: int = 0
    # The series of the last point.
    series: str = ""

    def note_series(self, series: str) -> None:
        """Count a series that may be another one than before."""
        self.series = series
        if len(self.hashes) < SERIES_MAX and (hashed := hash(series)) not in self.hashes:
            self.hashes += (hashed,)


@dataclass(slots=True, kw_only=True)
class Encoder:
    """Encodes with a profile and keeps the points of one series apart in time.

    What has no time that can be read is `not_encodable`. `stats` is by entity, event type or
    measurement of rows.

    Ids that come and go do not fill the memory: of more than `SERIES_STATES_MAX` those without
    events for longest are dropped, but no top entities. `forgotten` has their points and bytes.
    What is encoded again within so many ids keeps its microseconds.
    """

    profile: Profile
    stats: dict[str, SeriesState] = field(default_factory=dict)
    forgotten: EntityStats = field(default_factory=EntityStats)
    _round: int = 0
    _used_times: UsedTimes = field(default_factory=UsedTimes)

    def encode(self, items: Iterable[Item]) -> Encoded:
        """Encode items in order. Never raises for what one holds."""
        lines: list[str] = []
        filtered: dict[str, int] = {}
        misdated, oldest = 0, LATER
        profile, stats, next_free = self.profile, self.stats, self._used_times.next_free
        self._round += 1
        for item in items:
            try:
                if isinstance(item, OwnPoint):
                    # Its time is its own: the same one again replaces the point before.
                    oldest = 0
                    lines.append(item.line)
                    self._count(item.measurement, item.line)
                    continue
                subject, reason, point = _encode_item(profile, item)
                if point is None:
                    filtered[reason] = filtered.get(reason, 0) + 1
                    continue
                series, fields, seconds = point
                if type(seconds) is not float:
                    seconds = seconds_of(seconds)
                is_misdated = seconds < CLOCKS_ARE_SET
                if is_misdated and profile.marks_unset_clock and not isinstance(item, RegistryRow):
                    fields = f"{fields},clock_unset=true"
                wanted = microsecond(seconds)
                series_state = stats.get(subject)
                if series_state is None:
                    series_state = stats[subject] = SeriesState()
                moment = next_free(subject, series_state, wanted)
                text = line(series, fields, moment)
                # Text knows whether it is ASCII, and then how many bytes it has.
                size = len(text if text.isascii() else text.encode("utf-8", "replace")) + 1
            except BaseException:
                _LOGGER.exception("A change of %s could not be encoded", _subject_of(item))
                filtered[NOT_ENCODABLE] = filtered.get(NOT_ENCODABLE, 0) + 1
                continue
            misdated += is_misdated
            oldest = moment if moment < oldest else oldest  # noqa: FURB136  four times faster
            lines.append(text)
            if series != series_state.series:
                series_state.note_series(series)
            series_state.round = self._round
            series_state.points += 1
            series_state.bytes += size
        if len(stats) > SERIES_STATES_MAX:
            self._forget()
        return Encoded(lines=lines, filtered=filtered, misdated=misdated, oldest=oldest)

    def _count(self, subject: str, text: str) -> None:
        stats = self.stats.setdefault(subject, SeriesState())
        stats.round = self._round
        stats.points += 1
        stats.bytes += len(text.encode("utf-8", "replace")) + 1

    def _forget(self) -> None:
        """Drop those without events for longest, many at once, so that it is rarely needed."""
        stats = self.stats
        kept = {
            *nlargest(_KEPT, stats, key=lambda subject: stats[subject].points),
            *nlargest(_KEPT, stats, key=lambda subject: stats[subject].bytes),
        }
        silent = sorted(
            (subject for subject in stats if subject not in kept),
            key=lambda subject: stats[subject].round,
        )
        for subject in silent[: len(stats) - SERIES_STATES_MAX + SERIES_STATES_MAX // 4]:
            series_state = stats.pop(subject)
            self.forgotten.points += series_state.points
            self.forgotten.bytes += series_state.bytes


def _encode_item(
    profile: Profile, item: StateEvent | OtherEvent | RegistryRow | Message
) -> tuple[str, str, Point | None]:
    """Return what it is about, and its point, or why there is none."""
    if isinstance(item, StateEvent):
        entity = item.entity
        # Before anything is left out, as the mode of a text entity is an attribute.
        if entity.domain in TEXTS:
            if (state_event := unmasked(item)) is None:
                return entity.key, MASKED, None
            item = state_event
        return entity.key, profile.nothing, _encode_event(profile.encode, item)
    if isinstance(item, OtherEvent):
        point = _encode_event(profile.encode_other_event, item)
        return item.event_type, NOT_IN_PROFILE, point
    if isinstance(item, Message):
        return item.measurement, *_encode_message(item, numbers_only=profile.numbers_only)
    point = _encode_row(item, numbers_only=profile.numbers_only)
    return item.measurement, NO_NUMBER, point


def _encode_event[T: StateEvent | OtherEvent](
    encode: Callable[[T], Point | None], event: T
) -> Point | None:
    try:
        return encode(event)
    except BaseException:
        _LOGGER.debug("Values of %s cannot be read", _subject_of(event), exc_info=True)
    return encode(readable(event))


def _subject_of(item: Item) -> str:
    if isinstance(item, StateEvent):
        return item.entity.key
    return item.event_type if isinstance(item, OtherEvent) else item.measurement


def _encode_row(row: RegistryRow, *, numbers_only: bool) -> Point | None:
    measurement, tags, known, time = row
    tag_names = {escape_key(name) for name, _ in tags}
    fields = field_set(
        (name, value)
        for name, value in known
        if not (numbers_only and isinstance(value, str)) and escape_key(name) not in tag_names
    )
    return (series_key(measurement, tags), fields, time) if fields else None


def _encode_message(message: Message, *, numbers_only: bool) -> tuple[str, Point | None]:
    """Return its point, or why there is none."""
    counts = message.counts
    found = message.shape.encode(message.topic, message.payload, numbers_only=numbers_only)
    if isinstance(found, str):
        counts.filtered[found] += 1
        return found, None
    counts.points += 1
    return "", (*found, message.time)
