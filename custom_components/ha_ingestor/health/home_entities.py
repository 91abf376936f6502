"""The entities of the home, and what a filter would record of them."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers import label_registry as lr

from ..const import DOMAIN
from ..coordinator import HaIngestorConfigEntry
from ..enrich.catalog import Catalog
from ..options.filter import FILTER, PAGE, entity_filter
from ..pipeline.encode.masked import TEXTS, holds_secret
from ..tasks.slices import async_slices
from .filter_preview import FilterPreview, HomeEntity, Measured, Unfit, preview


async def async_home_entities(hass: HomeAssistant) -> list[HomeEntity]:
    """Describe every entity but our own, those without a state too."""
    catalog = Catalog(hass)
    registered = er.async_get(hass)
    names = dict.fromkeys([*hass.states.async_entity_ids(), *registered.entities])
    home: list[HomeEntity] = []
    async for entity_id in async_slices(names):
        traits, state = catalog.traits(entity_id), hass.states.get(entity_id)
        if traits.integration != DOMAIN:
            found = registered.async_get(entity_id)
            home.append(
                HomeEntity(
                    traits=traits,
                    last_updated=state.last_updated_timestamp if state else None,
                    is_disabled=found is not None and found.disabled,
                    is_secret=state is not None and state.domain in TEXTS and holds_secret(state),
                )
            )
    return home


async def async_preview(
    hass: HomeAssistant, entry: HaIngestorConfigEntry, stored: Mapping[str, Any]
) -> FilterPreview:
    """Compare what a destination records with what it would with another page of the filter."""
    home, measured = await async_home_entities(hass), Measured(points={})
    if entry.state is ConfigEntryState.LOADED:
        seconds, points = await entry.runtime_data.pipeline.reports.points()
        measured = Measured(hours=seconds / 3600, points=points)
    return await hass.async_add_executor_job(
        preview,
        home,
        entity_filter(entry.options),
        entity_filter({FILTER: stored}),
        measured,
        time.time(),
    )


async def async_preview_filter(
    hass: HomeAssistant, entry: HaIngestorConfigEntry, entered: Mapping[str, Any]
) -> dict[str, Any]:
    """Answer the WebSocket command `preview_filter`; raises OptionError and vol.Invalid.

    `entered` is what the form has: `include` and `exclude`, with a list for each criterion.
    """
    chosen = PAGE.accepted(PAGE.schema(entered))
    return (await async_preview(hass, entry, chosen)).as_dict()


def name_of(hass: HomeAssistant, unfit: Unfit) -> str:
    """Return what people call it, or its id where there is no such thing any more."""
    finders: Mapping[str, Callable[[str], Any]] = {
        "areas": ar.async_get(hass).async_get_area,
        "floors": fr.async_get(hass).async_get_floor,
        "labels": lr.async_get(hass).async_get_label,
        "devices": dr.async_get(hass).async_get,
    }
    find = finders.get(unfit.criterion)
    found = find(unfit.value) if find else None
    return getattr(found, "name_by_user", None) or getattr(found, "name", None) or unfit.value
