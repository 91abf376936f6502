"""The page of the filter."""

import re
from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from ..enrich.selection import Match
from .criteria import CONF_ENTITIES, CONF_GLOBS, CRITERIA, accepted_criteria, match_of
from .page import OptionError, Page

FILTER: Final = "filter"

_NOTHING: Final[Mapping[str, list[str]]] = {name: [] for name in CRITERIA}

# Each part of an entity ID is anything.
_EVERYTHING: Final = re.compile(r"\?*\*[*?]*(?:\.\?*\*[*?]*)?")


def _accepted(entered: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to store of a filled-in page; raises OptionError."""
    page = {**_NOTHING, **accepted_criteria(entered)}
    for glob in page[CONF_GLOBS]:
        if _EVERYTHING.fullmatch(glob):
            raise OptionError(CONF_GLOBS, "fits_everything", glob)
    return page


PAGE: Final = Page(
    key=FILTER,
    schema=vol.Schema({vol.Optional(name): selector for name, selector in CRITERIA.items()}),
    defaults=_NOTHING,
    validate=_accepted,
)


def excluded(options: Mapping[str, Any]) -> Match:
    """Read which entities are not captured."""
    return match_of(PAGE.read(options))


def excluding(options: Mapping[str, Any], entity_id: str) -> dict[str, Any]:
    """Return options that leave out one more entity."""
    return excluding_all(options, {CONF_ENTITIES: [entity_id]})


def excluding_all(options: Mapping[str, Any], lists: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return options that also exclude these lists."""
    page = PAGE.read(options)
    more = {name: list(dict.fromkeys([*page[name], *values])) for name, values in lists.items()}
    return PAGE.changed(options, more)
