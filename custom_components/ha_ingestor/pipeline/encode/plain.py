"""Converts values of integrations to those of JSON and line protocol."""

from collections.abc import Callable, Mapping
from datetime import datetime
from math import isfinite, isinf
from types import NoneType
from typing import Any, Final

from ..text import text_of

_NO_NUMBERS: Final = frozenset({str, NoneType, list, dict, tuple, set, datetime})
_DEPTH_MAX: Final = 8


def as_number(value: object) -> float | None:
    """Read what is a number of any type, yes and no too; None for a text, and for what is none.

    None also for what no float comes near. A float that is not finite is a number. Never raises.
    """
    if type(value) in _NO_NUMBERS:
        return None
    try:
        if isinstance(value, (str, bytes, bytearray)) or not hasattr(value, "__float__"):
            return None
        # An array is no number, although float() takes one of a single number.
        if not isinstance(value, int) and _is_array(value):
            return None
        number = float(value)
    except BaseException:  # noqa: BLE001  foreign objects may raise anything
        return None
    return None if isinf(number) and not isinstance(value, float) else number


def _is_array(value: object) -> bool:
    # Numbers of numpy have no size, but their class does.
    return hasattr(type(value), "__len__") and getattr(value, "shape", None) != ()


def as_finite_number(value: object) -> float | None:
    """Read a number that a server can store; None for anything else."""
    number = as_number(value)
    return number if number is not None and isfinite(number) else None


def as_json(
    value: Any, depth: int = _DEPTH_MAX, *, as_text: Callable[[object], str] = text_of
) -> Any:
    """Reduce a value to what JSON has, in an order that depends on the content only.

    What is unknown, or lies deeper than `depth`, becomes its text.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if (number := as_number(value)) is not None:
        return number if isfinite(number) else None
    if depth and isinstance(value, Mapping):
        return {
            as_text(key): as_json(item, depth - 1, as_text=as_text)
            for key, item in list(value.items())
        }
    if depth and isinstance(value, (list, tuple, set, frozenset)):
        is_ordered = isinstance(value, (list, tuple))
        items = list(value) if is_ordered else sorted(value, key=text_of)
        return [as_json(item, depth - 1, as_text=as_text) for item in items]
    return as_text(value)
