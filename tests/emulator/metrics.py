"""A reader of line protocol as VictoriaMetrics reads it: line by line, and numbers only."""

import re
from collections.abc import Iterator
from math import isnan
from typing import Final

from .line_protocol import BadLine, Point, Value

# Up to a stop that is not escaped; in the second none that is between quotes either.
_PLAIN: Final = r"(?:\\.|[^{stop}])*+"
_QUOTED: Final = r'(?:\\.|"(?:\\.|[^"])*+(?:"|$)|[^"{stop}])*+'
_UNESCAPE: Final = re.compile(r"\\([,= \\])")
_INTEGER: Final = re.compile(r"-?\d+")
_NUMBER: Final = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?(?:inf|nan)", re.IGNORECASE)
_BOOLEANS: Final = {
    **dict.fromkeys(("t", "T", "true", "True", "TRUE"), 1.0),
    **dict.fromkeys(("f", "F", "false", "False", "FALSE"), 0.0),
}
_INT_MAX: Final = 2**63 - 1
_MILLISECOND: Final = 1_000_000
# From which number on a time counts units of so many nanoseconds.
_GUESSES: Final = ((10**17, 1), (10**14, 10**3), (10**11, 10**6), (0, 10**9))


def read_metrics(text: str, *, now: int = 0, unit: int | None = None) -> Iterator[Point | BadLine]:
    """Read every line; without a unit the size of a time tells what it counts."""
    lines = text.split("\n")
    for number, raw in enumerate(lines, 1):
        line = raw.removesuffix("\r")
        if not line or line.startswith("#"):
            continue
        try:
            yield _point(line, number, now, unit)
        except ValueError as err:
            # It names everything from here on.
            yield BadLine(line="\n".join(lines[number - 1 :]), number=number, reason=str(err))


def _point(line: str, number: int, now: int, unit: int | None) -> Point:
    series, rest = _cut(line, " ")
    if rest is None:
        raise ValueError("cannot find Whitespace I")
    measurement, tags = _cut(series, ",")
    labels = {key: _plain(value) for key, value in map(_pair, _parts(tags))}
    fields, time = _cut(rest.lstrip(" "), " ", _QUOTED)
    values = {key: _value(value) for key, value in map(_pair, _parts(fields, _QUOTED))}
    numbers: dict[str, Value] = {key: value for key, value in values.items() if not isnan(value)}
    return Point(
        series=(
            _plain(measurement),
            tuple(sorted((key, value) for key, value in labels.items() if key and value)),
        ),
        fields=numbers,
        time=_time(time, now, unit),
        line=line,
        number=number,
    )


def _value(text: str) -> float:
    if text.startswith('"'):
        if len(text) == 1 or not text.endswith('"'):
            raise ValueError("missing closing quote for quoted field value")
        return _best_effort(text[1:-1])
    if text[-1:] in {"i", "u"}:
        if not _INTEGER.fullmatch(text, 0, len(text) - 1) or abs(int(text[:-1])) > _INT_MAX:
            raise ValueError(f"cannot parse integer {text}")
        return float(text[:-1])
    if not text:
        raise ValueError("field value cannot be empty")
    return _BOOLEANS[text] if text in _BOOLEANS else _best_effort(text)


def _best_effort(text: str) -> float:
    return float(text) if _NUMBER.fullmatch(text) else 0.0


def _time(text: str | None, now: int, unit: int | None) -> int:
    if text is None:
        return now
    time = int(text.lstrip(" "))
    if not unit:
        unit = next(unit for least, unit in _GUESSES if time >= least)
    # What is none of its milliseconds is no time at all.
    return time * unit // _MILLISECOND * _MILLISECOND or now


def _pair(text: str) -> tuple[str, str]:
    key, value = _cut(text, "=")
    if value is None:
        raise ValueError(f"missing value for {text}")
    return _plain(key), value


def _parts(text: str | None, pattern: str = _PLAIN) -> Iterator[str]:
    while text is not None:
        part, text = _cut(text, ",", pattern)
        yield part


def _cut(text: str, stop: str, pattern: str = _PLAIN) -> tuple[str, str | None]:
    found = re.match(pattern.format(stop=stop), text, re.DOTALL)
    end = found.end() if found else 0
    return text[:end], text[end + 1 :] if end < len(text) else None


def _plain(name: str) -> str:
    return _UNESCAPE.sub(r"\1", name)
