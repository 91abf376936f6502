"""What a removed destination leaves behind: nothing."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from ..const import DOMAIN
from ..coordinator import HaIngestorConfigEntry
from ..health.issues.deletion import async_tell_deleted
from ..health.issues.issues import async_forget
from ..metadata_store.metadata_sync import metadata_directory
from ..metadata_store.store import delete_store
from ..sources.mqtt.source import async_forget_mqtt
from ..sources.reload_handover import RELOAD_HANDOVERS
from ..sources.remote.remotes import async_forget_remotes
from .final_write import async_stop
from .spool_folder import delete, spool_folder


async def async_remove(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    """Delete the spool; with the last destination, also the metadata."""
    if entry.state is ConfigEntryState.FAILED_UNLOAD:
        await async_stop(hass, entry)  # it still runs
    async_forget(hass, entry.entry_id)
    await async_forget_remotes(hass, entry)
    async_forget_mqtt(hass, entry.entry_id)
    if before := hass.data.get(RELOAD_HANDOVERS, {}).pop(entry.entry_id, None):
        before.async_drop()
    if not hass.config_entries.async_entries(DOMAIN):
        await hass.async_add_executor_job(delete_store, metadata_directory(hass))
    waiting, quarantined = await hass.async_add_executor_job(delete, spool_folder(hass, entry))
    if waiting or quarantined:
        async_tell_deleted(hass, entry, waiting=waiting, quarantined=quarantined)
