"""The pages of what a point looks like: the profile, and one page for the choices it leaves."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import voluptuous as vol
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectSelector,
    SelectSelectorConfig,
)

from ..pipeline.encode.columns import HOMEIQ as HOMEIQ_COLUMNS
from ..pipeline.encode.line_protocol import TAGS_MAX
from ..pipeline.encode.profiles import homeiq, tidy
from ..pipeline.encode.profiles.base import Availability
from ..pipeline.encode.profiles.fields import TAGS
from . import core
from .core import CORE
from .page import OptionError, Page
from .selectors import choice

POINTS: Final = "points"

CONF_PROFILE: Final = "profile"
CONF_TAGS: Final = "tags"
CONF_AVAILABILITY: Final = "availability"
CONF_ALIASES: Final = "aliases"
CONF_CONVERT: Final = "convert_units"

HOMEIQ: Final = "homeiq"
TIDY: Final = "tidy"

# Which names the state as text has: its own, those that HomeIQ writes, or both. The first two are
# stored as they were when there was only a switch for the second pair.
BOTH: Final = "both"
PLAIN: Final = "state"
ALIASES: Final = "state_value"
_STORED: Final[Mapping[str, bool | str]] = {BOTH: True, PLAIN: False, ALIASES: ALIASES}
_SHOWN: Final = {stored: name for name, stored in _STORED.items()}

# What a profile always has of the tags that can be chosen.
OWN_TAGS: Final[Mapping[str, Collection[str]]] = {HOMEIQ: homeiq.OWN_TAGS, TIDY: tidy.OWN_TAGS}
# Tags that depend on more than the entity. A point has room for so many, and what is too much would
# be cut.
_FURTHER_TAGS: Final = len(HOMEIQ_COLUMNS.tags)

_DEFAULTS: Final[Mapping[str, Any]] = {
    CONF_TAGS: [],
    CONF_AVAILABILITY: Availability.MARKER.value,
    CONF_CONVERT: False,
}


class _NamesSelector(SelectSelector):
    """Also takes the switch that this was."""

    def __call__(self, data: Any) -> str | bool:
        """Validate what was chosen."""
        return data if isinstance(data, bool) else str(super().__call__(data))


_NAMES: Final = _NamesSelector(
    SelectSelectorConfig(options=list(_STORED), translation_key=CONF_ALIASES)
)


def _profile_page(profile: str, more: Mapping[str, Any]) -> Page:
    """Build the page of one profile; `more` are the defaults of the choices that only it has."""
    own = OWN_TAGS[profile]
    room = TAGS_MAX - len(own) - _FURTHER_TAGS

    def accept(entered: Mapping[str, Any]) -> dict[str, Any]:
        if len(entered[CONF_TAGS]) > room:
            raise OptionError(CONF_TAGS, "too_many_tags")
        return _translated(entered, _STORED)

    def shown(page: Mapping[str, Any]) -> dict[str, Any]:
        return _translated(page, _SHOWN)

    return Page(
        key=profile,
        schema=vol.Schema(
            {
                vol.Optional(CONF_TAGS): choice(
                    CONF_TAGS,
                    (name for name in TAGS if name not in own),
                    multiple=True,
                    as_list=True,
                ),
                vol.Required(CONF_AVAILABILITY): choice(CONF_AVAILABILITY, Availability),
                vol.Required(CONF_CONVERT): BooleanSelector(),
                **{vol.Required(name): _NAMES for name in more},
            }
        ),
        defaults={**_DEFAULTS, **more},
        validate=accept,
        shown=shown,
        placeholders={"room": str(room)},
    )


def _translated(page: Mapping[str, Any], words: Mapping[Any, Any]) -> dict[str, Any]:
    """Convert the option for the state's names, between stored and shown form."""
    if CONF_ALIASES not in page:
        return dict(page)
    chosen = page[CONF_ALIASES]
    return {**page, CONF_ALIASES: words.get(chosen, chosen)}


PROFILE_PAGES: Final[Mapping[str, Page]] = {
    HOMEIQ: _profile_page(HOMEIQ, {CONF_ALIASES: True}),
    TIDY: _profile_page(TIDY, {}),
    CORE: core.PAGE,
}

PAGE: Final = Page(
    key=POINTS,
    schema=vol.Schema(
        {vol.Required(CONF_PROFILE): choice(CONF_PROFILE, PROFILE_PAGES, as_list=True)}
    ),
    defaults={CONF_PROFILE: HOMEIQ},
    next_page=lambda page: str(page[CONF_PROFILE]),
)


def profile_name(options: Mapping[str, Any]) -> str:
    """Read which profile was chosen."""
    return str(PAGE.read(options)[CONF_PROFILE])


def profile_page(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read what was chosen for the profile, with keys of its own."""
    return PROFILE_PAGES[profile_name(options)].read(options)


def chosen_tags(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Read which tags of entities were added to those of the profile, if it takes any."""
    return tuple(profile_page(options)[CONF_TAGS]) if profile_name(options) in OWN_TAGS else ()


def state_names(options: Mapping[str, Any]) -> tuple[bool, bool]:
    """Read whether the state has its own names, and whether it has those that HomeIQ writes."""
    chosen = profile_page(options).get(CONF_ALIASES, False)
    return chosen != ALIASES, bool(chosen)


def converts_units(options: Mapping[str, Any]) -> bool:
    """Read whether numbers are stored in metric units."""
    return bool(profile_page(options).get(CONF_CONVERT))


def skips_unavailable(options: Mapping[str, Any]) -> bool:
    """Read whether unavailable states are dropped."""
    return profile_page(options).get(CONF_AVAILABILITY) == Availability.SKIP
