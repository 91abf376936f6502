"""Adds the dashboard of all destinations to Home Assistant, or brings it up to date."""

import inspect
from collections.abc import Mapping
from typing import Final

from homeassistant.components import websocket_api
from homeassistant.components.lovelace.const import (
    CONF_ICON,
    CONF_REQUIRE_ADMIN,
    CONF_TITLE,
    CONF_URL_PATH,
    LOVELACE_DATA,
    ConfigNotFound,
)
from homeassistant.components.lovelace.dashboard import DashboardsCollection, LovelaceStorage
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er

from ..const import DOMAIN
from ..coordinator import HaIngestorConfigEntry
from ..options.spool import spool_settings
from .dashboard import Config, View, view_config
from .readings import async_why_none
from .texts.place import distinct_title
from .texts.words import async_common_words

URL_PATH: Final = "ha-ingestor-health"
ICON: Final = "mdi:database-export"
# What the views of destinations begin with; all other views are the user's own.
_PATH_PREFIX: Final = "destination-"


async def async_add_dashboard(call: ServiceCall) -> ServiceResponse:
    """Add the dashboard; where it exists, make its views of destinations anew."""
    hass = call.hass
    entries = hass.config_entries.async_entries(DOMAIN, include_disabled=False)
    if not entries:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key=async_why_none(hass)
        )
    words = await async_common_words(hass)
    views = [view_config(_view(hass, entry, words)) for entry in entries]
    store = await _async_store(hass, words["dashboard_title"])
    try:
        config = await store.async_load(force=False)
    except ConfigNotFound:
        config = {}
    await store.async_save(config | {"views": _merged(config.get("views", []), views)})
    return {"url": f"/{URL_PATH}", "views": len(views)}


def _merged(present: list[Config], ours: list[Config]) -> list[Config]:
    """Put our views where they were, and keep those of the user."""
    by_path = {view["path"]: view for view in ours}
    kept = [
        by_path.pop(view.get("path"), view)
        for view in present
        if view.get("path") in by_path or not str(view.get("path")).startswith(_PATH_PREFIX)
    ]
    return [*kept, *by_path.values()]


@callback
def _view(hass: HomeAssistant, entry: HaIngestorConfigEntry, words: Mapping[str, str]) -> View:
    """Find the entities of a destination and of its data-api, whatever they are called now."""
    owners = (entry.entry_id, *entry.subentries)
    registered = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return View(
        title=distinct_title(hass, entry),
        path=f"{_PATH_PREFIX}{entry.entry_id.lower()}",
        entities={
            entity.unique_id.removeprefix(f"{owner}_"): entity.entity_id
            for entity in registered
            for owner in owners
            if entity.disabled_by is None and entity.unique_id.startswith(f"{owner}_")
        },
        words=words,
        spool_mib=spool_settings(entry.options).max_bytes // 2**20,
    )


async def _async_store(hass: HomeAssistant, title: str) -> LovelaceStorage:
    """Return where the views are stored, of a dashboard that is there afterwards."""
    collection = _collection(hass)
    dashboards = hass.data[LOVELACE_DATA].dashboards
    if URL_PATH not in dashboards:
        await collection.async_create_item(
            {
                CONF_URL_PATH: URL_PATH,
                CONF_TITLE: title,
                CONF_ICON: ICON,
                CONF_REQUIRE_ADMIN: True,
            }
        )
    store = dashboards[URL_PATH]
    if not isinstance(store, LovelaceStorage):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="dashboard_in_yaml",
            translation_placeholders={"path": URL_PATH},
        )
    return store


@callback
def _collection(hass: HomeAssistant) -> DashboardsCollection:
    """Return Home Assistant's list of dashboards.

    It is known only to the WebSocket command that the frontend creates dashboards with. A second
    list on the same file would overwrite what the first one has in memory.
    """
    handler, _ = hass.data.get(websocket_api.DOMAIN, {}).get(
        "lovelace/dashboards/create", (None, None)
    )
    owner = getattr(inspect.unwrap(handler), "__self__", None) if handler else None
    collection = getattr(owner, "storage_collection", None)
    if not isinstance(collection, DashboardsCollection):
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="no_dashboards")
    return collection
