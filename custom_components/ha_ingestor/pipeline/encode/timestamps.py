"""Whole microseconds for points, so that no two of one series have the same one.

Servers overwrite a point by another of the same series and timestamp.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from .line_protocol import TIME_MAX_US
from .top_entities import EntityStats

# At each end of what servers take, room for times that lie beyond: twelve days, and at the late end
# as many again for what moves to the next free microsecond.
_SPAN_US: Final = 2**40
_LATEST_US: Final = TIME_MAX_US - 2 * _SPAN_US
# Of so many points at least it is known which microseconds they have.
_USED_MOMENTS: Final = 8192


@dataclass(slots=True)
class SeriesTimes(EntityStats):
    """Which microseconds one entity has used: `newest` is that of its last point.

    In a burst, all from its first one, `burst`, to `newest` are used. `latest` is the latest of
    all, as the last point may be before others.
    """

    burst: int | None = None
    latest: int = -1


@dataclass(slots=True)
class UsedTimes:
    """The microseconds that are used, of all entities.

    The second of two changes within one microsecond moves to the next free one, also where some
    points of other times lie between.
    """

    # Not yet in a set: most are later than all before them, and nobody asks for them again.
    _noted: list[tuple[str, int]] = field(default_factory=list)
    # By hash, in two sets: a whole one is dropped at once.
    _used: set[int] = field(default_factory=set)
    _used_before: set[int] = field(default_factory=set)

    def next_free(self, subject: str, times: SeriesTimes, wanted: int) -> int:
        """Use the first free microsecond of an entity that is not before the wanted one."""
        if wanted > times.latest:
            times.burst = None
            times.newest = times.latest = moment = wanted
        else:
            moment = self._search(subject, times, wanted)
        self._noted.append((subject, moment))
        if len(self._noted) > _USED_MOMENTS:
            self._settle()
        return moment

    def _search(self, subject: str, times: SeriesTimes, wanted: int) -> int:
        moment = _behind_burst(times, wanted)
        if moment <= times.latest:
            self._settle()
            while (used := hash((subject, moment))) in self._used or used in self._used_before:
                moment += 1
                times.newest = moment
                # More of them follow this one, without a search for each.
                times.burst = wanted
        times.latest = max(times.latest, moment)
        return moment

    def _settle(self) -> None:
        self._used.update(map(hash, self._noted))
        self._noted.clear()
        if len(self._used) > _USED_MOMENTS:
            self._used_before, self._used = self._used, set()


def _behind_burst(times: SeriesTimes, wanted: int) -> int:
    newest = times.newest
    # The microseconds between the first of a burst and its newest are used.
    if wanted <= newest and (newest if times.burst is None else times.burst) <= wanted:
        if times.burst is None:
            times.burst = wanted
        wanted = newest + 1
    elif times.burst is not None:
        times.burst = None
    times.newest = wanted
    return wanted


def seconds_of(time: object) -> float:
    """Read a time that an integration gave instead of seconds; raises for what is none."""
    if isinstance(time, datetime):
        return time.timestamp()
    if isinstance(time, (str, bytes)) or not hasattr(time, "__float__"):
        raise TypeError(f"No time: {type(time).__name__}")
    return float(time)


def microsecond(seconds: float) -> int:
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
