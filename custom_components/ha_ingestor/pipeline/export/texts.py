"""Leaves texts out of lines that were encoded for a database that stores them.

A database that stores numbers only takes a text too, as a 0. So the lines that wait are looked
through when a destination becomes such a database.
"""

import re
from typing import Final

# Why a line is put aside of which nothing would be left.
TEXT_ONLY: Final = "The database stores numbers only, and this point has none"

_SERIES: Final = re.compile(rb"(?:\\.|[^ \\])+ ", re.DOTALL)
_FIELD: Final = re.compile(
    rb'(?:\\.|[^,= \\])+=(?:(?P<text>"(?:\\.|[^"\\])*")|[^, "]*)(?P<end>,| |\Z)', re.DOTALL
)


def may_have_texts(payload: bytes) -> bool:
    """Whether it is worth to look at each line."""
    return b'="' in payload


def without_texts(payload: bytes) -> tuple[list[bytes], frozenset[int]]:
    """Return the lines without their texts, and the indexes of those that have no number."""
    lines = payload.split(b"\n")
    lines = [_numbers_of(line) if may_have_texts(line) else line for line in lines]
    return lines, frozenset(index for index, line in enumerate(lines) if not line)


def _numbers_of(line: bytes) -> bytes:
    """Return a line without its texts; nothing if there is no other field."""
    series = _SERIES.match(line)
    if series is None:
        return line
    kept: list[bytes] = []
    at, is_last = series.end(), False
    while not is_last:
        field = _FIELD.match(line, at)
        if field is None:
            return line  # it is not as we write it, which the database says better
        if field["text"] is None:
            kept.append(line[at : field.start("end")])
        at, is_last = field.end(), field["end"] != b","
    rest = line[at:]
    return series[0] + b",".join(kept) + (b" " + rest if rest else b"") if kept else b""
