"""The page of the weather."""

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol
from homeassistant.const import Platform, UnitOfTime
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
)

from ..enrich.weather import MAX_AGE
from .number import Number
from .page import OptionError, Page

WEATHER: Final = "weather"

CONF_ENTITY: Final = "entity"
CONF_MAX_AGE: Final = "max_age"

_HOUR: Final = 3600
# Less often than that, some services report.
_MIN_HOURS: Final = 0.25
_MAX_HOURS: Final = 365 * 24
# No entity is None, because a form cannot suggest an empty one.
_DEFAULTS: Final[Mapping[str, Any]] = {CONF_ENTITY: None, CONF_MAX_AGE: MAX_AGE / _HOUR}


def _accepted(entered: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to store of a filled-in page; raises OptionError."""
    entity_id = entered[CONF_ENTITY]
    if entity_id and not entity_id.startswith(f"{Platform.WEATHER}."):
        raise OptionError(CONF_ENTITY, "not_weather")
    return dict(entered)


PAGE: Final = Page(
    key=WEATHER,
    schema=vol.Schema(
        {
            vol.Optional(CONF_ENTITY): EntitySelector(
                EntitySelectorConfig(domain=Platform.WEATHER)
            ),
            vol.Required(CONF_MAX_AGE): Number(
                _MIN_HOURS, _MAX_HOURS, unit=UnitOfTime.HOURS, too_small="weather_too_short"
            ),
        }
    ),
    defaults=_DEFAULTS,
    validate=_accepted,
    placeholders={"min_hours": str(_MIN_HOURS)},
)


def weather_entity(options: Mapping[str, Any]) -> str:
    """Read the weather entity; empty without any."""
    return PAGE.read(options)[CONF_ENTITY] or ""


def weather_max_age(options: Mapping[str, Any]) -> float:
    """Read for how many seconds a report is the weather."""
    return float(PAGE.read(options)[CONF_MAX_AGE]) * _HOUR
