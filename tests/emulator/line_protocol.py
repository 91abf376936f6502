"""A strict reader of line protocol, after InfluxDB's rules and apart from our own encoder."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from math import isinf
from typing import Final

type Value = float | int | bool | str
type Series = tuple[str, tuple[tuple[str, str], ...]]

_MEASUREMENT: Final = re.compile(r"(?:\\[, ]|[^, \n])++")
_NAME: Final = re.compile(r"(?:\\[,= ]|[^,= \n])++")
_STRING: Final = re.compile(r'"((?:\\["\\]|[^"])*+)"')
_NUMBER: Final = re.compile(r"(-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([iu]?)(?=[, \n]|$)")
_BOOLEAN: Final = re.compile(r"(?:(t|T|true|True|TRUE)|f|F|false|False|FALSE)(?=[, \n]|$)")
_TIME: Final = re.compile(r" +(-?\d+)(?= *(?:\n|$))")
_SPACES: Final = re.compile(r" +")
_END: Final = re.compile(r" *(?:\n|$)")
_UNESCAPE: Final = re.compile(r"\\([,= ])")
_UNQUOTE: Final = re.compile(r'\\(["\\])')
_INT_MAX: Final = 2**63 - 1
_TIME_MAX: Final = 2**63 - 2
_KEY_MAX: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One line that is right; `time` in nanoseconds."""

    series: Series
    fields: dict[str, Value]
    time: int
    line: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """One line that no server takes; `number` counts from 1."""

    line: str
    number: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """What the versions do not read alike."""

    takes_unsigned: bool = False
    reserved_tags: Container[str] = ()


class _ParseError(Exception):
    pass


def parse(
    text: str, *, now: int = 0, unit: int | None = 1, grammar: Grammar | None = None
) -> Iterator[Point | BadLine]:
    """Read every line; `now` is the time of points that name none, `unit` that of the others."""
    grammar = grammar or Grammar()
    at, number = 0, 0
    while at < len(text):
        number += 1
        end = text.find("\n", at) % (len(text) + 1)
        if not text[at:end].strip() or text[at:end].lstrip().startswith("#"):
            at = end + 1
            continue
        try:
            reader = _Reader(text, at, grammar)
            reader.margin()
            series, fields, time = reader.series(), reader.fields(), reader.time(now, unit or 1)
            # A text field may contain line breaks, so only reading tells where the line ends.
            line, at = text[at : reader.at], reader.end()
            yield Point(
                series=series, fields=fields, time=time, line=line.rstrip("\n"), number=number
            )
        except _ParseError as err:
            end = _line_end(text, at)
            yield BadLine(line=text[at:end], number=number, reason=str(err))
            at = end + 1


class _Reader:
    """A position in the text that only moves forward."""

    def __init__(self, text: str, at: int, grammar: Grammar) -> None:
        self.text = text
        self.at = at
        self.grammar = grammar

    def margin(self) -> None:
        self._match(_SPACES)

    def series(self) -> Series:
        start = self.at
        measurement = self._take(_MEASUREMENT, "missing measurement")[0]
        tags: dict[str, str] = {}
        while self._skip(","):
            key = _plain(self._take(_NAME, "missing tag key")[0])
            if not self._skip("="):
                raise _ParseError("missing tag value")
            if key in tags:
                raise _ParseError("duplicate tags")
            tags[key] = _plain(self._take(_NAME, "missing tag value")[0])
        for key in tags:
            if key in self.grammar.reserved_tags:
                raise _ParseError(f'cannot use reserved tag key "{key}"')
        if (length := len(self.text[start : self.at].encode())) > _KEY_MAX:
            raise _ParseError(f"max key length exceeded: {length} > {_KEY_MAX}")
        self._take(_SPACES, "missing fields")
        return _plain(measurement), tuple(sorted(tags.items()))

    def fields(self) -> dict[str, Value]:
        fields: dict[str, Value] = {}
        while not fields or self._skip(","):
            key = _plain(self._take(_NAME, "missing fields")[0])
            if not self._skip("="):
                raise _ParseError("missing field value")
            fields[key] = self._value()
        return fields

    def time(self, now: int, unit: int) -> int:
        time = int(match[1]) * unit if (match := self._match(_TIME)) else now
        if abs(time) > _TIME_MAX:
            raise _ParseError("time outside range")
        if not _END.match(self.text, self.at):
            raise _ParseError("bad timestamp")
        return time

    def end(self) -> int:
        return self._take(_END, "bad timestamp").end()

    def _value(self) -> Value:
        if match := self._match(_STRING):
            return _UNQUOTE.sub(r"\1", match[1])
        if match := self._match(_BOOLEAN):
            return match[1] is not None
        digits, kind = self._take(_NUMBER, "invalid number").groups()
        if not kind:
            if isinf(number := float(digits)):
                raise _ParseError("invalid float")
            return number
        try:
            value = int(digits)
        except ValueError:
            raise _ParseError("invalid number") from None
        if kind == "u" and not self.grammar.takes_unsigned:
            raise _ParseError("invalid number")
        if abs(value) > _INT_MAX:
            raise _ParseError("value out of range")
        return value

    def _skip(self, char: str) -> bool:
        found = self.text.startswith(char, self.at)
        self.at += found
        return found

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        if match := pattern.match(self.text, self.at):
            self.at = match.end()
        return match

    def _take(self, pattern: re.Pattern[str], otherwise: str) -> re.Match[str]:
        if match := self._match(pattern):
            return match
        raise _ParseError(otherwise)


def _line_end(text: str, at: int) -> int:
    """Find where a line ends that cannot be read: behind the quotes, when it opens some."""
    are_fields = is_quoted = False
    # Of a text field the equals sign makes one more than there are commas.
    behind = 0
    while at < len(text) and (is_quoted or text[at] != "\n"):
        char = text[at]
        are_fields = are_fields or char == " "
        if are_fields and char == '"' and behind > 0:
            is_quoted = not is_quoted
        elif are_fields and not is_quoted:
            behind += (char == "=") - (char == ",")
        at += 2 if char == "\\" else 1
    return min(at, len(text))


def _plain(name: str) -> str:
    return _UNESCAPE.sub(r"\1", name)
