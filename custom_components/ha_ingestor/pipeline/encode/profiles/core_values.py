"""How the `core` profile reads what Home Assistant puts into states and attributes."""

import re
from datetime import datetime
from enum import Enum
from functools import lru_cache
from math import isfinite
from string import ascii_letters
from types import NoneType
from typing import Any, Final

from ...text import text_of
from ..line_protocol import quote

type Encoded = tuple[str | None, str]

# What float() takes begins with one of the other characters: "inf", "nan", " 7", "\u0663". An
# exception costs more than all the rest of an attribute.
_NEVER_A_NUMBER: Final = frozenset(ascii_letters) - frozenset("iInN")

_TWO_DIGITS: Final = re.compile(r"\d\d")
_DIGIT_DOT_DIGIT: Final = re.compile(r"\d\.\d")
_NO_DIGITS: Final = re.compile(r"[^\d.]+")

# What float() always refuses.
_NO_NUMBERS: Final = frozenset({NoneType, datetime, dict, list, set, tuple})
_FIXED: Final = frozenset({str, int, float, bool, NoneType, datetime})

# How many texts are remembered, and how long the longest.
_REMEMBERED: Final = 4096
_REMEMBERED_MAX: Final = 256


def read(value: Any) -> Encoded:
    """Encode a value as number, empty when no server stores it, and as text, empty when it is one.

    Texts are remembered: most are the same at the next change.
    """
    kind = type(value)
    if kind is str:
        return _read_text(value) if len(value) <= _REMEMBERED_MAX else _read_text.__wrapped__(value)
    if kind not in _NO_NUMBERS and (number := float_in(value)) is not None:
        return _number_text(number), ""
    text = text_of(value)
    return _read_words(text) if len(text) <= _REMEMBERED_MAX else _read_words.__wrapped__(text)


@lru_cache(maxsize=_REMEMBERED)
def _read_text(text: str) -> Encoded:
    number = float_in(text)
    return _read_words.__wrapped__(text) if number is None else (_number_text(number), "")


@lru_cache(maxsize=_REMEMBERED)
def _read_words(text: str) -> Encoded:
    """Encode a text, and the digits of one that has at least two of them, around its only dot."""
    text = single_line(text)
    dots = text.count(".")
    if dots > 1 or not (_DIGIT_DOT_DIGIT if dots else _TWO_DIGITS).search(text):
        return None, quote(text)
    return _number_text(float(_NO_DIGITS.sub("", text))), quote(text)


def _number_text(number: float) -> str:
    return repr(number) if isfinite(number) else ""


def float_in(value: Any) -> float | None:
    """Read whatever float() takes."""
    if isinstance(value, str) and value[:1] in _NEVER_A_NUMBER:
        return None
    try:
        return float(value)
    except BaseException:  # noqa: BLE001  foreign objects may raise anything
        return None


def is_immutable(value: Any) -> bool:
    """Tell whether the value's text is the same for ever."""
    kind = type(value)
    if kind in _FIXED:
        return True
    if kind is tuple:
        return all(map(is_immutable, value))
    return isinstance(value, (str, int, float, Enum))


def single_line(text: str) -> str:
    """Put a space for each line break, of all kinds that there are; the last one goes."""
    return text if text.isprintable() else " ".join(text.splitlines())
