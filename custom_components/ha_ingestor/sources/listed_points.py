"""The points that users write with an action, as line protocol or as a list."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from homeassistant.util import dt as dt_util

from ..pipeline.encode.own_points import Fault, GivenPoint, PointError
from ..pipeline.encode.plain import as_finite_number

_SECOND: Final = 1_000_000
# The last second of the year 9999; what lies behind is no time in seconds.
_LATEST: Final = 253_402_300_799


def listed_points(points: Iterable[Mapping[str, Any]]) -> Iterator[GivenPoint]:
    """Read a list of points; raises PointError.

    A number is stored as a float: YAML does not tell 20 from 20.0, and a field has one type.
    """
    for number, point in enumerate(points, 1):
        try:
            yield GivenPoint(
                number=number,
                measurement=point["measurement"],
                tags=point.get("tags", {}),
                fields={name: _value(value) for name, value in point["fields"].items()},
                time_ns=_time_ns(point.get("time")),
            )
        except PointError as err:
            raise PointError(err.fault, err.name, number) from err


def _value(value: object) -> object:
    if isinstance(value, (bool, str)):
        return value
    number = as_finite_number(value)
    # What is none is refused with its name where it is encoded.
    return value if number is None else number


def _time_ns(time: object) -> int | None:
    """Read seconds since 1970 or a date and time, in the home's time zone where it names none."""
    if time is None:
        return None
    seconds = None if isinstance(time, bool) else as_finite_number(_seconds(time))
    if seconds is None or not 0 <= seconds <= _LATEST:
        raise PointError(Fault.TIME)
    whole = int(seconds)
    return (whole * _SECOND + round((seconds - whole) * _SECOND)) * 1000


def _seconds(time: object) -> object:
    """Read a date and time as seconds since 1970; anything else stays as it is."""
    if isinstance(time, str) and not time.isascii():
        return None  # the parser is of C, and half of a surrogate pair ends the whole process
    try:
        moment = dt_util.parse_datetime(time) if isinstance(time, str) else time
        if not isinstance(moment, datetime):
            return moment
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=dt_util.get_default_time_zone())
        return moment.timestamp()
    except ValueError, OverflowError:
        return None
