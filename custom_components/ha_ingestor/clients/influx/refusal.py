"""Reads the message of a rejection: which lines are wrong, or how old is too old."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from ...pipeline.export.result import AgeLimit
from .dialect import Dialect
from .retention import DURATION, seconds_of

_RETENTION: Final = re.compile(f"retention policy of duration {DURATION}")
# A limit that somebody set in the database beside its retention.
_WINDOW: Final = "write window"

_UNPARSED: Final = re.compile(r"unable to parse '(.*?)': ", re.DOTALL)
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


def _quoted(
    pattern: re.Pattern[str], unescape: Callable[[str], str] = str
) -> Callable[[str, Sequence[bytes]], Iterator[bytes]]:
    def read(body: str, _lines: Sequence[bytes]) -> Iterator[bytes]:
        message = _json(body).get("message") or _json(body).get("error") or body
        for match in pattern.finditer(str(message)):
            yield unescape(match[1]).encode("utf-8", "replace")

    return read


def _numbered(body: str, lines: Sequence[bytes]) -> Iterator[bytes]:
    data = _json(body).get("data")
    for item in data if isinstance(data, list) else [data]:
        number = item.get("line_number") if isinstance(item, dict) else None
        if isinstance(number, int) and 0 < number <= len(lines):
            yield lines[number - 1]


def _json(body: str) -> Mapping[str, object]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


_READERS: Final[Mapping[Dialect, Callable[[str, Sequence[bytes]], Iterator[bytes]]]] = {
    Dialect.V1: _quoted(_UNPARSED),
    Dialect.V2: _quoted(_UNPARSED),
    Dialect.V3: _numbered,
    Dialect.VICTORIAMETRICS: _quoted(_INCORRECT, lambda text: _GO_ESCAPE.sub(r"\1", text)),
}
