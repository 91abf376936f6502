"""Reads line protocol as users write it: one point a line, times in nanoseconds."""

import re
from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import Final

from .line_protocol import NAME_MAX_BYTES
from .own_points import LINE_MAX_BYTES, Fault, GivenPoint, PointError

_MEASUREMENT: Final = r"((?:\\[, ]|[^\\, ])+)"
_NAME: Final = r"(?:\\[,= ]|[^\\,= ])+"
_TEXT: Final = r'"(?:\\.|[^"\\])*"'
_VALUE: Final = rf'(?:{_TEXT}|[^", ]+)'
_LINE: Final = re.compile(
    rf"{_MEASUREMENT}((?:,{_NAME}={_NAME})*)"
    rf" +({_NAME}={_VALUE}(?:,{_NAME}={_VALUE})*)"
    r"(?: +(-?[0-9]+))?"
)
_TAG: Final = re.compile(rf",({_NAME})=({_NAME})")
_FIELD: Final = re.compile(rf"({_NAME})=({_VALUE}),?")
_ESCAPED: Final = re.compile(r"\\([,= ])")
_ESCAPED_IN_TEXT: Final = re.compile(r'\\(["\\])')
_TIME_DIGITS: Final = 20

_FLAGS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("f", "F", "false", "False", "FALSE"), False),
}
_NUMBERS: Final[tuple[tuple[re.Pattern[str], Callable[[str], float | int]], ...]] = (
    (re.compile(r"[+-]?[0-9]{1,20}i"), lambda text: int(text[:-1])),
    (re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"), float),
)


def read_lines(text: str) -> Iterator[GivenPoint]:
    """Read the points; empty lines and comments are passed over. Raises PointError."""
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip(" \r\t")
        if stripped and not stripped.startswith("#"):
            try:
                yield _read(stripped, number)
            except PointError as err:
                raise PointError(err.fault, err.name, number) from err


def _read(line: str, number: int) -> GivenPoint:
    # A character of a name or a value is escaped by one more at most.
    if len(line) > 2 * LINE_MAX_BYTES:
        measurement = re.split("[, ]", line[:NAME_MAX_BYTES], maxsplit=1)[0]
        raise PointError(Fault.TOO_LONG, measurement)
    if (parts := _LINE.fullmatch(line)) is None:
        raise PointError(Fault.SYNTAX)
    measurement, tags, fields, time = parts.groups()
    if time and len(time) > _TIME_DIGITS:
        raise PointError(Fault.TIME)
    return GivenPoint(
        number=number,
        measurement=_plain(measurement),
        tags=_unique((_plain(name), _plain(value)) for name, value in _TAG.findall(tags)),
        fields=_unique(
            (_plain(name), _value(name, value)) for name, value in _FIELD.findall(fields)
        ),
        time_ns=int(time) if time else None,
    )


def _unique[T](pairs: Iterator[tuple[str, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for name, value in pairs:
        if name in found:
            raise PointError(Fault.TWICE, name)
        found[name] = value
    return found


def _plain(escaped: str) -> str:
    return _ESCAPED.sub(r"\1", escaped)


def _value(name: str, text: str) -> object:
    if text.startswith('"'):
        return _ESCAPED_IN_TEXT.sub(r"\1", text[1:-1])
    if text in _FLAGS:
        return _FLAGS[text]
    for pattern, read in _NUMBERS:
        if pattern.fullmatch(text) and isfinite(number := read(text)):
            return number
    raise PointError(Fault.VALUE, _plain(name))
