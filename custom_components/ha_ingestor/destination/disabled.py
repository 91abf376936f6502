"""A destination that is disabled after an unload has kept its events for the next setup."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from ..coordinator import HaIngestorConfigEntry
from ..sources.reload_handover import RELOAD_HANDOVERS, ReloadHandover


@callback
def async_store_when_disabled(
    hass: HomeAssistant, entry: HaIngestorConfigEntry, kept: ReloadHandover
) -> None:
    """Bring what is kept to the disk once the destination is disabled: no setup takes it then."""

    @callback
    def async_changed() -> None:
        if entry.state is ConfigEntryState.NOT_LOADED and entry.disabled_by:
            hass.async_create_task(_async_store(hass, entry, kept), "ha_ingestor disabled")

    kept.when_taken = entry.async_on_state_change(async_changed)


async def _async_store(
    hass: HomeAssistant, entry: HaIngestorConfigEntry, kept: ReloadHandover
) -> None:
    # With the lock, as a setup takes it over.
    async with entry.setup_lock:
        handovers = hass.data[RELOAD_HANDOVERS]
        if entry.disabled_by and handovers.get(entry.entry_id) is kept:
            del handovers[entry.entry_id]
            await kept.async_store()
