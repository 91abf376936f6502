"""What was chosen and fits nothing in the home, for the user to confirm."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from homeassistant.core import HomeAssistant

from ..health.filter_preview import unfit
from ..health.home_entities import async_home_entities, name_of
from ..options.attributes import ATTRIBUTES, CONF_DROP, CONF_ONLY
from ..options.noise import NOISE, named_rules
from ..options.selectors import ATTRIBUTES as NAMES
from .home_offers import async_offers
from .series_changes import Consequence
from .shown import listed

FITS_NOTHING: Final = "fits_nothing"


async def async_fits_nothing(
    hass: HomeAssistant, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[Consequence]:
    """Look at the pages that have changed; a typing error has no other effect that is seen."""
    changed = {key for key, page in after.items() if page != before.get(key)}
    found: list[str] = []
    if ATTRIBUTES in changed:
        page = after[ATTRIBUTES]
        found += await _async_attributes(hass, [*page[CONF_ONLY], *page[CONF_DROP]])
    if NOISE in changed:
        home = await async_home_entities(hass)
        for rule, match in named_rules(after):
            missing = await hass.async_add_executor_job(unfit, match, home)
            found += (f"{rule}: {name_of(hass, each)}" for each in missing)
    if not found:
        return []
    return [Consequence(step=FITS_NOTHING, placeholders={"unfit": listed(found)})]


async def _async_attributes(hass: HomeAssistant, wanted: Iterable[str]) -> list[str]:
    there = (await async_offers(hass))[NAMES]
    return [glob for glob in wanted if not any(fnmatchcase(name, glob) for name in there)]
