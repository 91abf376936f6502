"""Copies nested data without what is unwanted, at any depth.

A value that another member names is left out with it, as in `{"name": "password", "value": …}` and
`[["Authorization", …]]`.
"""

import json
import re
from collections.abc import ItemsView, Mapping, ValuesView
from dataclasses import fields, is_dataclass
from enum import Enum
from itertools import pairwise
from typing import Any, Final

from ...text import exact, text_of
from .location import is_place, is_position
from .redaction import LOGINS
from .secrets import is_keypad_code, tells_nothing
from .texts import CUT, SIMPLE, is_plain, without_unwanted
from .unwanted import Unwanted, hides_places
from .words import NAMED, NAMING, level_of, words_of

# How deep, and how many values in all: more than there is room for in a field.
_DEPTH_MAX: Final = 32
_VALUES_MAX: Final = 20_000
_JSON: Final = frozenset('{["')
_JSON_MAX: Final = 64 * 1024
# Twice as much as a field has room for, so that what is too long stays so.
_TEXT_MAX: Final = 128 * 1024
# It differs after each start, as the order of a set does: what is the same is stored as the same.
_PLACE_IN_MEMORY: Final = re.compile(r" at 0x[0-9A-Fa-f]+")
_SPACE: Final = re.compile("[\\s\ufeff]*")
_DECODER: Final = json.JSONDecoder()


def cleaned(data: Any, unwanted: Unwanted) -> Any:
    """Copy data without the unwanted members. Never raises.

    Endless or too deeply nested data is cut.
    """
    return _Copy(unwanted).of(data, 0)


class _Copy:
    """One copy: how much there was so far, and which containers the current one lies in."""

    def __init__(self, unwanted: Unwanted) -> None:
        self._unwanted = unwanted
        self._hides_coordinates = hides_places(unwanted)
        self._values = 0
        self._around: set[int] = set()

    def of(self, value: Any, depth: int) -> Any:
        """Copy a value."""
        self._values += 1
        try:
            if isinstance(value, SIMPLE):
                return value
            if isinstance(value, str):
                return self._text(exact(value), depth)
            value = _opened(value)
            if isinstance(value, (Mapping, list, tuple, set, frozenset)):
                return self._container(value, depth)
            # It is stored as its text.
            is_bytes = isinstance(value, (bytes, bytearray))
            text = value.decode("utf-8", "replace") if is_bytes else text_of(value)
            copy = self._text(text if is_bytes else _PLACE_IN_MEMORY.sub("", text), depth)
        except BaseException:  # noqa: BLE001  foreign objects may raise anything
            return type(value).__name__
        return value if copy == text else copy

    def _container(self, value: Any, depth: int) -> Any:
        if depth == _DEPTH_MAX or self._values > _VALUES_MAX or id(value) in self._around:
            return CUT
        self._around.add(id(value))
        try:
            if isinstance(value, tuple) and (names := getattr(value, "_fields", None)):
                return [
                    self.of(item, depth + 1)
                    for name, item in zip(names, value, strict=True)
                    if not self._is_unwanted(text_of(name))
                ]
            if not isinstance(value, Mapping):
                is_ordered = isinstance(value, (list, tuple))
                items = list(value) if is_ordered else sorted(value, key=text_of)
                if is_ordered:
                    items = self._without_options(items)
                return [self.of(self._pair(item), depth + 1) for item in items]
            members = list(value.items())
            hidden = self._named_by_others(members)
            copy: dict[Any, Any] = {}
            for key, item in members:
                name = text_of(key)
                if (
                    (not self._is_unwanted(name) or tells_nothing(name, item))
                    and name not in hidden
                    and not (self._hides_coordinates and is_position(name) and is_place(item))
                ):
                    copy[self._free_key(key, copy, depth)] = self.of(item, depth + 1)
            return copy
        finally:
            self._around.discard(id(value))

    def _free_key(self, key: Any, taken: Mapping[Any, Any], depth: int) -> Any:
        """Look into a key as into a text: it may be an address."""
        if not isinstance(key, str):
            return key
        key = exact(key)
        found = self._text(key, depth)
        while found != key and found in taken:
            found += "_"
        return found

    def _is_unwanted(self, name: str) -> bool:
        return self._unwanted(name) or is_keypad_code(name)

    def _pair(self, item: Any) -> Any:
        """Cut what follows in a pair or a longer row whose first names something unwanted."""
        is_row = isinstance(item, (list, tuple)) and len(item) >= len(("name", "value"))
        return [item[0], CUT] if is_row and _is_named_secret(item[0], self._is_unwanted) else item

    def _without_options(self, items: list[Any]) -> list[Any]:
        """Cut what follows the name of an option in a list of arguments, such as `--password`."""
        kept = items[:1]
        for option, item in pairwise(items):
            is_option = isinstance(option, str) and option[:1] == "-" and isinstance(item, str)
            name = option.lstrip("-") if is_option else ""
            is_value = name and item[:1] != "-"
            is_login = name in LOGINS and ":" in item
            kept.append(CUT if is_value and (is_login or self._is_unwanted(name)) else item)
        return kept

    def _named_by_others(self, members: list[tuple[Any, Any]]) -> set[str]:
        """Return the members whose name is the value of another member, and unwanted."""
        if any(
            words_of(text_of(key)) in NAMING and self._names_a_secret(item) for key, item in members
        ):
            return {
                name for name in (text_of(key) for key, _ in members) if words_of(name) in NAMED
            }
        return set()

    def _names_a_secret(self, item: Any) -> bool:
        # Of a topic only one level says what a message is about.
        return isinstance(item, str) and any(map(self._is_unwanted, {item, level_of(item)}))

    def _text(self, text: str, depth: int) -> str:
        """Look into a text: the JSON at its beginning, and whatever else may lie in it."""
        if is_plain(text):
            return text
        text = text[:_TEXT_MAX]
        if text[:1].isalpha():
            return without_unwanted(text, self._unwanted)
        kept: list[str] = []
        start = _space_end(text, 0)
        kept.append(text[:start])
        while len(text) <= _JSON_MAX and depth < _DEPTH_MAX and text[start : start + 1] in _JSON:
            try:
                content, end = _DECODER.raw_decode(text, start)
            except ValueError, RecursionError:
                break
            behind = _space_end(text, end)
            # A name with what it is the name of.
            if text[behind : behind + 1] in {":", "="}:
                break
            copy = self.of(content, depth + 1)
            kept += (text[start:end] if copy == content else json.dumps(copy), text[end:behind])
            start = behind
        return "".join((*kept, without_unwanted(text[start:], self._unwanted)))


def _is_named_secret(name: object, is_unwanted: Unwanted) -> bool:
    return isinstance(name, str) and is_unwanted(name)


def _space_end(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _opened(value: Any) -> Any:
    """Return what `dumps` writes of an object that it knows how to write."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (ItemsView, ValuesView)):
        return list(value)
    return value.as_dict() if hasattr(value, "as_dict") else value
