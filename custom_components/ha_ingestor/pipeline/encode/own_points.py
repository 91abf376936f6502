"""Checks and encodes the points that users write themselves.

Whatever would be stored otherwise than it was given is refused, with the number of the point. Only
control characters in values become spaces, and a tag without a value is left out. Within one call a
name of a measurement is a tag or a field, and a field is of one type.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from ..model import OwnPoint
from .line_protocol import (
    NAME_MAX_BYTES,
    STRING_MAX_BYTES,
    TAG_VALUE_MAX_BYTES,
    TAGS_MAX,
    TIME_MAX_US,
    encode_value,
    escape_key,
    escape_measurement,
    series_key,
)

# 1973. A time of today in seconds, milliseconds or microseconds is less, and thus a mistake.
TIME_MIN_NS: Final = 10**17
TIME_MAX_NS: Final = TIME_MAX_US * 1000
INTEGER_MAX: Final = 2**63 - 1
LINE_MAX_BYTES: Final = 64 * 1024


class Fault(StrEnum):
    """What is wrong with a point. The values are keys of translations."""

    SYNTAX = "point_syntax"
    NAME = "point_name"
    TWICE = "point_twice"
    VALUE = "point_value"
    TAG_AND_FIELD = "point_tag_and_field"
    TYPE = "point_type"
    NO_FIELDS = "point_no_fields"
    TIME = "point_time"
    TOO_LONG = "point_too_long"
    RESERVED = "point_reserved"


class PointError(ValueError):
    """A point that cannot be stored as it was given; `number` counts from one."""

    def __init__(self, fault: Fault, name: str = "", number: int = 0) -> None:
        """Say what is wrong, and with which name."""
        super().__init__(fault)
        self.fault, self.name, self.number = fault, name, number


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenPoint:
    """A point as a user gives it; an `int` is stored as an integer. `number` is for messages."""

    number: int
    measurement: str
    fields: Mapping[str, object]
    tags: Mapping[str, str] = field(default_factory=dict)
    time_ns: int | None = None


@dataclass(slots=True, kw_only=True)
class OwnPointEncoder:
    """Encodes the points of one call; `left_out` counts those without anything to store."""

    now_ns: int
    numbers_only: bool
    reserved: frozenset[str]
    left_out: int = 0
    _columns: dict[tuple[str, str], str] = field(default_factory=dict)

    def encode(self, points: Iterable[GivenPoint]) -> list[OwnPoint]:
        """Encode all of them; raises PointError."""
        encoded: list[OwnPoint] = []
        for point in points:
            try:
                line = self._line(point)
            except PointError as err:
                raise PointError(err.fault, err.name, point.number) from err
            if line:
                encoded.append(OwnPoint(point.measurement, line))
            else:
                self.left_out += 1
        return encoded

    def _line(self, point: GivenPoint) -> str:
        measurement = point.measurement
        _check_name(measurement, escape_measurement(measurement))
        if measurement in self.reserved:
            raise PointError(Fault.RESERVED, measurement)
        if not point.fields:
            raise PointError(Fault.NO_FIELDS)
        tags = {name: value for name, value in point.tags.items() if value}
        if len(tags) > TAGS_MAX:
            raise PointError(Fault.TOO_LONG, measurement)
        for name, tag in tags.items():
            _check_tag(name, tag)
            self._check_column(measurement, name, "tag")
        fields: list[str] = []
        for name, value in point.fields.items():
            _check_name(name, escape_key(name))
            text = _encoded(name, value)
            self._check_column(measurement, name, _kind(value))
            if not (self.numbers_only and isinstance(value, str)):
                fields.append(f"{escape_key(name)}={text}")
        time_ns = self._time(point)
        if not fields:
            return ""
        line = f"{series_key(measurement, tags.items())} {','.join(fields)} {time_ns}"
        if _size(line) > LINE_MAX_BYTES:
            raise PointError(Fault.TOO_LONG, measurement)
        return line

    def _check_column(self, measurement: str, name: str, kind: str) -> None:
        known = self._columns.setdefault((measurement, name), kind)
        if known != kind:
            is_tag = "tag" in {known, kind}
            raise PointError(Fault.TAG_AND_FIELD if is_tag else Fault.TYPE, name)

    def _time(self, point: GivenPoint) -> int:
        if point.time_ns is None:
            # Each its own microsecond: servers keep one point of a series and time.
            return self.now_ns + point.number * 1000
        if not TIME_MIN_NS <= point.time_ns <= TIME_MAX_NS:
            raise PointError(Fault.TIME)
        return point.time_ns


def _check_name(name: str, escaped: str) -> None:
    if _size(name) > NAME_MAX_BYTES:
        raise PointError(Fault.TOO_LONG, name[:NAME_MAX_BYTES])
    for sign in " ,=":
        escaped = escaped.replace(f"\\{sign}", sign)
    if escaped != name or not name.isprintable():
        raise PointError(Fault.NAME, name)


def _check_tag(name: str, value: str) -> None:
    _check_name(name, escape_key(name))
    if _size(value) > TAG_VALUE_MAX_BYTES:
        raise PointError(Fault.TOO_LONG, name)
    if "\\" in value:
        raise PointError(Fault.VALUE, name)


def _encoded(name: str, value: object) -> str:
    """Encode a value; raises PointError for what servers do not store."""
    if isinstance(value, bool) or not isinstance(value, int):
        if isinstance(value, str) and _size(value) > STRING_MAX_BYTES:
            raise PointError(Fault.TOO_LONG, name)
        text = encode_value(value) if isinstance(value, (str, float, bool)) else None
        if text is None:
            raise PointError(Fault.VALUE, name)
        return text
    if not -INTEGER_MAX - 1 <= value <= INTEGER_MAX:
        raise PointError(Fault.VALUE, name)
    return f"{value}i"


def _kind(value: object) -> str:
    kinds = ((str, "text"), (bool, "flag"), (int, "integer"))
    return next((kind for known, kind in kinds if isinstance(value, known)), "number")


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
