"""Changes of the filter that other pages and repairs make."""

from collections.abc import Mapping
from typing import Any, Final

from .criteria import CONF_ENTITIES, CONF_GLOBS
from .filter import CONF_INCLUDE, FILTER, PAGE, entity_filter

__all__ = ["FILTER", "PAGE", "excluding", "excluding_all", "including_all"]

_ALL: Final = "*"


def excluding(options: Mapping[str, Any], entity_id: str) -> dict[str, Any]:
    """Return options that leave out one more entity.

    It is taken from the included ones. When it was all that is included, nothing is captured any
    more: without that, an empty list would include everything.
    """
    page = PAGE.read(options)
    include = {
        name: left
        for name, values in page[CONF_INCLUDE].items()
        if (left := [value for value in values if name != CONF_ENTITIES or value != entity_id])
    }
    more = {CONF_ENTITIES: [entity_id]}
    if not (include or entity_filter(options).captures_others):
        more[CONF_GLOBS] = [_ALL]
    return excluding_all(PAGE.changed(options, {CONF_INCLUDE: include}), more)


def excluding_all(options: Mapping[str, Any], lists: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return options that also exclude these lists."""
    return PAGE.changed(options, _joined(PAGE.read(options), lists))


def including_all(options: Mapping[str, Any], lists: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return options that also include these lists."""
    include = PAGE.read(options)[CONF_INCLUDE]
    return PAGE.changed(options, {CONF_INCLUDE: {**include, **_joined(include, lists)}})


def _joined(stored: Mapping[str, Any], lists: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {
        name: list(dict.fromkeys([*stored.get(name, ()), *values]))
        for name, values in lists.items()
    }
