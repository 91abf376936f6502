"""Reads the message of a rejection: which lines are wrong, or how old is too old."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from ...pipeline.export.result import AgeLimit
from ..encoding import decode_object
from .dialect import Dialect
from .retention import DURATION, seconds_of

_RETENTION: Final = re.compile(f"retention policy of duration {DURATION}")
# A limit that somebody set in the database beside its retention.
_WINDOW: Final = "write window"

# What stands before a line that could not be parsed, and behind it.
_BEFORE_LINE: Final = "unable to parse '"
_BEHIND_LINE: Final = "': "
# Quoted as in Go, with all the lines after it: up to the quote, the first line break or a cut body.
_INCORRECT: Final = re.compile(r'incorrect influx line "((?:\\[^n]|[^"\\\n])*)')
_GO_ESCAPE: Final = re.compile(r"\\(.)")


def age_limit(body: str, clock_ahead: float | None) -> AgeLimit:
    """Read why points are too old; `clock_ahead` is by how much the server's clock is ahead."""
    found = _RETENTION.search(body)
    return AgeLimit(
        retention=seconds_of(found) if found else 0.0,
        is_write_window=_WINDOW in body.lower(),
        clock_ahead=clock_ahead,
    )


def rejected_lines(body: str, dialect: Dialect, lines: Sequence[bytes]) -> frozenset[int]:
    """Find the lines that a reply names as wrong, by their indexes among those that were sent."""
    named = set(_READERS[dialect](body, lines))
    return frozenset(index for index, line in enumerate(lines) if line in named)


def _unparsed(body: str, _lines: Sequence[bytes]) -> Iterator[bytes]:
    text, end = _message(body), 0
    # Searched in one pass: a pattern would read the rest again for each quote that is not closed.
    while (start := text.find(_BEFORE_LINE, end)) >= 0:
        start += len(_BEFORE_LINE)
        if (end := text.find(_BEHIND_LINE, start)) < 0:
            return
        yield text[start:end].encode("utf-8", "replace")


def _incorrect(body: str, _lines: Sequence[bytes]) -> Iterator[bytes]:
    for match in _INCORRECT.finditer(_message(body)):
        yield _GO_ESCAPE.sub(r"\1", match[1]).encode("utf-8", "replace")


def _message(body: str) -> str:
    content = decode_object(body)
    return str(content.get("message") or content.get("error") or body)


def _numbered(body: str, lines: Sequence[bytes]) -> Iterator[bytes]:
    data = decode_object(body).get("data")
    for item in data if isinstance(data, list) else [data]:
        number = item.get("line_number") if isinstance(item, dict) else None
        if isinstance(number, int) and 0 < number <= len(lines):
            yield lines[number - 1]


_READERS: Final[Mapping[Dialect, Callable[[str, Sequence[bytes]], Iterator[bytes]]]] = {
    Dialect.V1: _unparsed,
    Dialect.V2: _unparsed,
    Dialect.V3: _numbered,
    Dialect.VICTORIAMETRICS: _incorrect,
}
