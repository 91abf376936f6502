"""Changes of the filter that other pages and repairs make."""

from collections.abc import Iterable, Mapping
from typing import Any

from ..enrich.selection import Traits
from .criteria import CONF_ENTITIES, CONF_GLOBS
from .filter import ALL_OTHERS, CONF_INCLUDE, PAGE, entity_filter


def excluding(options: Mapping[str, Any], *entity_ids: str) -> dict[str, Any]:
    """Return options that leave out some more entities.

    They are taken from the included ones. When they were all that is included, nothing is captured
    any more: without that, an empty list would include everything.
    """
    page, chosen = PAGE.read(options), set(entity_ids)
    include = {
        name: left
        for name, values in page[CONF_INCLUDE].items()
        if (left := [value for value in values if name != CONF_ENTITIES or value not in chosen])
    }
    more = {CONF_ENTITIES: list(entity_ids)}
    if not (include or entity_filter(options).captures_others):
        more[CONF_GLOBS] = [ALL_OTHERS]
    return excluding_all(PAGE.changed(options, {CONF_INCLUDE: include}), more)


def including(options: Mapping[str, Any], entities: Iterable[Traits]) -> dict[str, Any]:
    """Return options that capture these entities, and of all others the same as before.

    One that is captured without it is not listed: with a single one listed, nothing else would be.
    """
    chosen, page = {entity.entity_id: entity for entity in entities}, PAGE.read(options)
    left = [entity_id for entity_id in page[CONF_ENTITIES] if entity_id not in chosen]
    allowed = PAGE.changed(options, {CONF_ENTITIES: left})
    captures = entity_filter(allowed).captures
    missing = [entity_id for entity_id, entity in chosen.items() if not captures(entity)]
    if not missing:
        return allowed
    if not page[CONF_INCLUDE]:
        # Once something is included, all others are left out without it.
        patterns = [glob for glob in page[CONF_GLOBS] if glob != ALL_OTHERS]
        allowed = PAGE.changed(allowed, {CONF_GLOBS: patterns})
    return including_all(allowed, {CONF_ENTITIES: missing})


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
