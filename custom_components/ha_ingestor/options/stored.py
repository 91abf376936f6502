"""What is stored of a page, as far as it can be used.

A later version, a backup or an editor may have stored anything. What a field cannot have is its
default, and so is nothing; of a list, what can be used stays.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import voluptuous as vol
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import ObjectSelector, SelectSelector, TextSelector

from .number import Number

_TEXT: Final = ""
_TEXTS: Final[list[str]] = []


class Usable(NamedTuple):
    """The part of a page that can be used, and the names of the fields that lost something."""

    page: dict[str, Any]
    lost: tuple[str, ...]


class _Found(NamedTuple):
    value: Any
    is_whole: bool


_NOTHING: Final = object()
_UNUSABLE: Final = _Found(_NOTHING, is_whole=False)


def usable(schema: vol.Schema, stored: Any, defaults: Mapping[str, Any]) -> Usable:
    """Return what can be used of a page; a field without a default is whatever it is."""
    if not isinstance(stored, Mapping):
        return Usable({}, tuple(defaults))
    selectors = {str(marker): selector for marker, selector in schema.schema.items()}
    found = {
        name: _fitting(value, defaults[name], selectors.get(name))
        if name in defaults
        else _Found(value, is_whole=True)
        for name, value in stored.items()
    }
    return Usable(
        {name: each.value for name, each in found.items() if each.value is not _NOTHING},
        tuple(name for name, each in found.items() if not each.is_whole),
    )


def _fitting(value: Any, default: Any, selector: Any) -> _Found:
    """Take what a field can have; its default says of which type that is."""
    is_choice = isinstance(selector, SelectSelector) and not selector.config.get("multiple")
    if value is None and not is_choice:
        return _Found(None if default is None else _NOTHING, is_whole=True)
    if isinstance(selector, Number):
        is_number = selector.bounded(value, None) is not None
        return _Found(value, is_whole=True) if is_number else _UNUSABLE
    if is_choice:
        return _Found(value, is_whole=True) if _is_choice(selector, value) else _UNUSABLE
    if isinstance(default, list):
        return _rows(value, selector) if isinstance(selector, ObjectSelector) else _texts(value)
    if isinstance(selector, section):
        return _lists(value)
    kind = str if default is None else Mapping if isinstance(default, dict) else type(default)
    return _Found(value, is_whole=True) if isinstance(value, kind) else _UNUSABLE


def _is_choice(selector: SelectSelector, value: Any) -> bool:
    try:
        selector(value)
    except vol.Invalid, TypeError, ValueError:
        return False
    return True


def _texts(value: Any) -> _Found:
    if isinstance(value, str):
        return _Found([value], is_whole=True)
    if not isinstance(value, (list, tuple)):
        return _UNUSABLE
    kept = [each for each in value if isinstance(each, str)]
    return _Found(kept, is_whole=len(kept) == len(value))


def _lists(value: Any) -> _Found:
    if not isinstance(value, Mapping):
        return _UNUSABLE
    found = {name: _texts(each) for name, each in value.items()}
    return _Found(
        {name: each.value for name, each in found.items() if each.value is not _NOTHING},
        is_whole=all(each.is_whole for each in found.values()),
    )


def _rows(value: Any, selector: ObjectSelector) -> _Found:
    """Take the rows of which every field can be used."""
    if not isinstance(value, (list, tuple)):
        return _UNUSABLE
    fields = {name: field["selector"] for name, field in selector.config.get("fields", {}).items()}
    kept = [
        row
        for row in value
        if isinstance(row, Mapping)
        and all(
            _fitting(each, _kind(fields[name]), fields[name]).is_whole
            for name, each in row.items()
            if name in fields
        )
    ]
    return _Found(kept, is_whole=len(kept) == len(value))


def _kind(selector: Any) -> Any:
    is_text = isinstance(selector, TextSelector) and not selector.config.get("multiple")
    return _TEXT if is_text else _TEXTS
