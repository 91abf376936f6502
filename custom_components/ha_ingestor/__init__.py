"""HA Ingestor: every state change of Home Assistant, durably in a time series database."""

from contextlib import AsyncExitStack, suppress

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryError, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.typing import ConfigType

from .clients.address import AddressError
from .connection import CertificateError, async_client
from .const import DOMAIN
from .coordinator import HaIngestorConfigEntry
from .destination.build import async_build, prepare
from .destination.final_write import async_stop, async_stop_at_final_write, is_after_final_write
from .destination.reload import (
    async_handover_of,
    async_pause,
    async_reload_when_changed,
    async_take_over,
)
from .destination.removal import async_remove
from .destination.stored_options import async_check
from .destination.unloaded import async_forget_unloaded
from .health.texts.server_text import plain
from .http import async_setup_views
from .metadata_store.metadata_sync import async_keep
from .panel import async_serve, async_show
from .services import async_setup_services
from .tasks.shielded import async_finish
from .websocket_api import async_setup_commands

PLATFORMS = (Platform.BINARY_SENSOR, Platform.BUTTON, Platform.SENSOR)

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    """Register actions, views, commands and the panel, also before there is a destination."""
    async_setup_services(hass)
    async_setup_views(hass)
    async_setup_commands(hass)
    await async_serve(hass)
    await async_show(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> bool:
    """Build and start the pipeline of one destination; undo everything when that fails.

    An unreachable database does not fail the setup: captured events wait on disk. Only what no
    attempt could change does.
    """
    await async_show(hass)
    async_check(hass, entry)
    try:
        return await async_finish(hass, _async_set_up(hass, entry), "ha_ingestor setup")
    except (AddressError, CertificateError) as err:
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="invalid_connection",
            translation_placeholders={"title": plain(entry.title)},
        ) from err


async def _async_set_up(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> bool:
    async with AsyncExitStack() as undo:
        client = await async_client(hass, entry.data)
        before = async_handover_of(hass, entry)
        parts = prepare(hass, entry, client, before)
        if not before:
            undo.callback(parts.attribution.async_stop)
        await parts.attribution.async_start()
        undo.callback(parts.catalog.async_stop)
        await parts.catalog.async_start()
        entry.runtime_data = runtime = await async_build(hass, entry, parts, before)
        undo.push_async_callback(runtime.coordinator.async_end)
        await runtime.coordinator.async_config_entry_first_refresh()
        undo.push_async_callback(_async_unload_platforms, hass, entry)
        await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
        if before and before.is_over:
            raise ConfigEntryNotReady  # Home Assistant stops, and everything is stored
        # From here on this pipeline owns the events in memory; it returns them when the setup
        # fails.
        undo.pop_all()
        undo.push_async_callback(_async_unload_platforms, hass, entry)
        undo.push_async_callback(async_pause, hass, entry)
        async_take_over(hass, entry)
        async_stop_at_final_write(hass, entry)
        # First the pipeline: what is captured from here on is stored.
        runtime.async_start()
        async_keep(hass, entry.entry_id)
        async_reload_when_changed(hass, entry, parts.location)
        # Then the source, once it is known up to when an earlier process captured.
        await runtime.recovery.async_prepare()
        await runtime.source.async_start()
        # Last the past and other homes, which are captured in the background.
        runtime.recovery.async_start()
        await runtime.backfill.async_start()
        await runtime.remotes.async_start()
        await runtime.mqtt.async_start()
        undo.pop_all()
    if is_after_final_write(hass):
        await async_stop(hass, entry)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> bool:
    """Stop, with everything captured on disk or delivered."""
    await async_show(hass)  # not for one that was disabled, if there is no other
    return await async_finish(hass, _async_unload(hass, entry), "ha_ingestor unload")


async def _async_unload(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> bool:
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    await async_pause(hass, entry)
    async_forget_unloaded(hass, entry)
    return True


async def async_remove_entry(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    """Delete the spool of a removed destination; with the last destination, also the metadata."""
    await async_show(hass)
    await async_finish(hass, async_remove(hass, entry), "ha_ingestor removal")


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: HaIngestorConfigEntry, device: DeviceEntry
) -> bool:
    """Allow to delete a device that belongs to nothing that is there."""
    return not device.identifiers & {(DOMAIN, each) for each in (entry.entry_id, *entry.subentries)}


async def _async_unload_platforms(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    """Unload those platforms that were set up before one of them failed."""
    for platform in PLATFORMS:
        with suppress(ValueError):  # it never was
            await hass.config_entries.async_forward_entry_unload(entry, platform)
