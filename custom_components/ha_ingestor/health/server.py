"""What is known of the server of a destination: its maker, and its version."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from homeassistant.const import CONF_URL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from ..clients.influx.dialect import Dialect
from ..clients.influx.probe import probe
from ..connection import async_ssl
from ..const import DOMAIN

if TYPE_CHECKING:
    from ..coordinator import HaIngestorConfigEntry

MANUFACTURERS: Final[Mapping[Dialect, str]] = {
    Dialect.V1: "InfluxData",
    Dialect.V2: "InfluxData",
    Dialect.V3: "InfluxData",
    Dialect.VICTORIAMETRICS: "VictoriaMetrics",
}


async def async_note_version(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> str:
    """Ask the server for its version, and show it on the device page."""
    found = await probe(
        async_get_clientsession(hass), entry.data[CONF_URL], ssl=await async_ssl(hass, entry.data)
    )
    if found.version:
        _async_show(hass, entry, found.version)
    return found.version


@callback
def _async_show(hass: HomeAssistant, entry: HaIngestorConfigEntry, version: str) -> None:
    registry = dr.async_get(hass)
    for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
        if (DOMAIN, entry.entry_id) in device.identifiers:
            registry.async_update_device(device.id, sw_version=version)
