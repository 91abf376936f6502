"""Hides in a text what is unwanted, by its name or by where it stands in an address."""

import re
from functools import lru_cache
from html import unescape
from types import NoneType
from typing import Any, Final
from urllib.parse import unquote

from .named import SAYS, without_named
from .redaction import (
    KEY_BEGINS,
    without_keys,
    without_networks,
    without_options,
    without_parameters,
    without_paths,
    without_places,
    without_schemes,
    without_users,
)
from .secrets import is_harmless_behind, is_keypad_code
from .unwanted import Unwanted, hides_places
from .words import listed

# What stands in the place of what is left out.
CUT: Final = "..."

SIMPLE: Final = (bool, int, float, NoneType)
SIMPLE_TYPES: Final = frozenset(SIMPLE)
_TIME: Final = re.compile(
    r"(?:\d{4}-\d\d-\d\d[T ]?)?(?:\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?"
)
# What joins a name and its value, of signs that are not ASCII.
_JOINTS: Final = frozenset("\uff1a\uff1d\u2192")
# No key that is known by its form is shorter.
_KEY_MIN: Final = 18
# As many texts as the attributes of a large home have, and as long as names and units are.
_REMEMBERED: Final = 16_384
_REMEMBERED_LENGTH: Final = 48
# Words in front of a code or pin that nobody types in.
_NOT_TYPED: Final = listed("""
    error status response exit return result reason event fault http country language area
    postal zip color colour weather diagnostic trouble failure source gpio input output data reset
""")


def is_plain(value: Any) -> bool:
    """Whether nothing can lie in a value: most are numbers, words, times, or lists of them."""
    kind = type(value)
    if kind is str:
        return _is_known_plain(value) if len(value) <= _REMEMBERED_LENGTH else _is_plain(value)
    if kind is list or kind is tuple:
        for item in value:
            if type(item) not in SIMPLE_TYPES and (type(item) is not str or not is_plain(item)):
                return False
        return True
    return kind in SIMPLE_TYPES


def _is_plain(text: str) -> bool:
    return (
        ":" not in text
        and "=" not in text
        and (text.isascii() or _JOINTS.isdisjoint(text))
        and "/" not in text
        and "[" not in text
        and ("." not in text or "," not in text)
        and "earer " not in text
        and "--" not in text
        and "->" not in text
        and "'," not in text
        and '",' not in text
        and " -" not in text
        and text[:1] != "-"
        and "%3" not in text
        and "&quot;" not in text
        and "eyJ" not in text
        and "AIza" not in text
        and (
            len(text) < _KEY_MIN
            or ("-" not in text and "_" not in text)
            or KEY_BEGINS.search(text) is None
        )
        and (
            (" is" not in text and " es" not in text and " lautet" not in text)
            or SAYS.search(text) is None
        )
    ) or (text[:1].isdigit() and _TIME.fullmatch(text) is not None)


# Names and units come again with each change of a state.
_is_known_plain = lru_cache(maxsize=_REMEMBERED)(_is_plain)


def is_sensitive(name: str, before: str, unwanted: Unwanted) -> bool:
    """Whether what stands behind a name in a text is left out; `before` is the word before it."""
    if before and is_harmless_behind(name, before):
        return False
    if unwanted(name) or (before and unwanted(f"{before} {name}")):
        return True
    return is_keypad_code(name) and before.lower() not in _NOT_TYPED


def without_unwanted(text: str, unwanted: Unwanted) -> str:
    """Hide in a text what is unwanted, also where it is written for an address or a page."""
    text = _without_unwanted(text, unwanted)
    if "%" not in text and "&" not in text:
        return text
    decoded = unescape(unquote(text))
    if decoded == text:
        return text
    found = _without_unwanted(decoded, unwanted)
    return text if found == decoded else found


def _without_unwanted(text: str, unwanted: Unwanted) -> str:
    """Hide in a text what is unwanted."""
    if "/" in text or "=" in text:
        text = without_users(text, CUT)
        text = without_paths(without_parameters(text, unwanted, CUT), CUT)
    if hides_places(unwanted):
        text = without_places(text, CUT)
    text = without_options(text, lambda name: is_sensitive(name, "", unwanted), CUT)
    return without_named(
        without_networks(without_keys(without_schemes(text, CUT), CUT), CUT),
        lambda name, before, _value: is_sensitive(name, before, unwanted),
        CUT,
    )
