"""The profile that the options of a destination choose."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.helpers.json import json_dumps

from ..enrich.attribution import Attribution
from ..enrich.units import metric_units, normal_units
from ..pipeline.encode.encoder import Profile
from ..pipeline.encode.profiles.base import Availability
from ..pipeline.encode.profiles.core import Core
from ..pipeline.encode.profiles.homeiq import HomeIQ
from ..pipeline.encode.profiles.tidy import Tidy
from .attributes import attributes_policy
from .core import CORE, core_settings
from .points import (
    CONF_AVAILABILITY,
    CONF_CONVERT,
    HOMEIQ,
    TIDY,
    chosen_tags,
    profile_name,
    profile_page,
    state_names,
)

_PROFILES: Final[Mapping[str, type[HomeIQ | Tidy]]] = {HOMEIQ: HomeIQ, TIDY: Tidy}


def profile_of(
    options: Mapping[str, Any],
    *,
    location: str,
    numbers_only: bool,
    attribution: Attribution,
    has_instances: bool = False,
    of_messages: frozenset[str] = frozenset(),
) -> Profile:
    """Build the profile; `of_messages` are the measurements of messages of MQTT topics."""
    name = profile_name(options)
    if name == CORE:
        return Core(
            settings=core_settings(options),
            numbers_only=numbers_only,
            has_instances=has_instances,
            of_messages=of_messages,
        )
    page, profile = profile_page(options), _PROFILES[name]
    plain_names, aliases = state_names(options)
    return profile(
        dumps=json_dumps,
        location=location,
        numbers_only=numbers_only,
        tags=chosen_tags(options),
        attributes=attributes_policy(options, profile(dumps=json_dumps).attributes),
        availability=Availability(page[CONF_AVAILABILITY]),
        plain_names=plain_names,
        aliases=aliases,
        units=metric_units if page[CONF_CONVERT] else normal_units,
        causes=attribution.causes,
        users=attribution.users,
        of_messages=of_messages,
    )
