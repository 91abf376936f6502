"""The page of what is recorded: which entities are included, and which are excluded."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import voluptuous as vol
from homeassistant.data_entry_flow import section

from ..enrich.selection import EntityFilter
from .criteria import CONF_ENTITIES, CONF_GLOBS, CRITERIA, accepted_criteria, match_of
from .page import OptionError, Page

FILTER: Final = "filter"

CONF_INCLUDE: Final = "include"
CONF_EXCLUDE: Final = "exclude"

# What is excluded is stored as it was when there was nothing else.
_DEFAULTS: Final[Mapping[str, Any]] = {**{name: [] for name in CRITERIA}, CONF_INCLUDE: {}}

# What is stored when the last entity that was included is left out, beside its ID.
ALL_OTHERS: Final = "*"
# Each part of an entity ID is anything.
_EVERYTHING: Final = re.compile(r"\?*\*[*?]*(?:\.\?*\*[*?]*)?")


def _accepted(entered: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to store of a filled-in page; raises OptionError."""
    include, exclude = (_lists(entered, name) for name in (CONF_INCLUDE, CONF_EXCLUDE))
    leaves_out_all = not include and CONF_ENTITIES in exclude
    for part, lists in ((CONF_INCLUDE, include), (CONF_EXCLUDE, exclude)):
        for glob in lists.get(CONF_GLOBS, ()):
            if _EVERYTHING.fullmatch(glob) and not (leaves_out_all and glob == ALL_OTHERS):
                raise OptionError(part, "fits_everything", glob)
    for name, values in include.items():
        for value in values:
            if value in exclude.get(name, ()):
                raise OptionError(CONF_EXCLUDE, "in_both_lists", value)
    return {**_DEFAULTS, **exclude, CONF_INCLUDE: include}


def _lists(entered: Mapping[str, Any], part: str) -> dict[str, list[str]]:
    """Read one of the two parts; a refusal names the part, which the form shows it at."""
    try:
        return accepted_criteria(entered.get(part, {}))
    except OptionError as err:
        raise OptionError(part, err.reason, err.invalid_value, err.more) from err


def _shown(stored: Mapping[str, Any]) -> dict[str, Any]:
    exclude = {name: stored[name] for name in CRITERIA if name in stored}
    return {CONF_INCLUDE: stored.get(CONF_INCLUDE, {}), CONF_EXCLUDE: exclude}


_LISTS: Final = vol.Schema({vol.Optional(name): selector for name, selector in CRITERIA.items()})

PAGE: Final = Page(
    key=FILTER,
    schema=vol.Schema(
        {vol.Optional(name): section(_LISTS) for name in (CONF_INCLUDE, CONF_EXCLUDE)}
    ),
    defaults=_DEFAULTS,
    validate=_accepted,
    shown=_shown,
)


def entity_filter(options: Mapping[str, Any]) -> EntityFilter:
    """Read which entities are captured; a domain in both lists is included."""
    page = PAGE.read(options)
    include, exclude = match_of(page[CONF_INCLUDE]), match_of(page)
    return EntityFilter(
        include=include, exclude=replace(exclude, domains=exclude.domains - include.domains)
    )
