"""From one setup of a destination to the next: what asks for it, and what is handed over."""

from functools import partial

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import Event, HomeAssistant, callback

from ..coordinator import HaIngestorConfigEntry
from ..metadata_store.metadata_sync import async_release
from ..sources.reload_handover import RELOAD_HANDOVERS, ReloadHandover
from .disabled import async_store_when_disabled
from .final_write import is_after_final_write


@callback
def async_handover_of(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> ReloadHandover | None:
    """Return what an unload has left, until `async_take_over`."""
    return hass.data.setdefault(RELOAD_HANDOVERS, {}).get(entry.entry_id)


@callback
def async_take_over(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    """Note that what an unload has left belongs to a new setup."""
    if before := hass.data[RELOAD_HANDOVERS].pop(entry.entry_id, None):
        before.async_take()


async def async_pause(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    """Stop, and keep events in memory and following events for the next setup."""
    runtime, is_disabled = entry.runtime_data, entry.disabled_by is not None
    reload_buffer = runtime.source.async_pause(is_disabled=is_disabled)
    stop = partial(runtime.async_stop, hand_over=not is_disabled)
    build = None if is_disabled else runtime.build
    # Before the first await, so that the buffer receives every event from here on.
    reload_handover = ReloadHandover(
        hass,
        reload_buffer,
        stop,
        runtime.attribution,
        build,
        present=None if is_disabled else runtime.recovery.present,
        capture=runtime.mqtt.async_capture_waiting,
    )
    hass.data[RELOAD_HANDOVERS][entry.entry_id] = reload_handover
    if is_disabled:
        runtime.attribution.async_stop()
    else:
        async_store_when_disabled(hass, entry, reload_handover)
    await reload_handover.async_handover()
    await async_release(hass, entry.entry_id)
    if is_after_final_write(hass):
        await reload_handover.async_final_write()


@callback
def async_reload_when_changed(
    hass: HomeAssistant, entry: HaIngestorConfigEntry, location: str
) -> None:
    """Reload with other data or options, or when the home is not called `location` any more."""

    @callback
    def async_config_updated(_event: Event) -> None:
        if hass.config.location_name != location:
            _async_schedule_reload(hass, entry)

    entry.async_on_unload(entry.add_update_listener(_async_reload))
    entry.async_on_unload(hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, async_config_updated))


async def _async_reload(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    _async_schedule_reload(hass, entry)


@callback
def _async_schedule_reload(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    # Home Assistant reloads none whose unload failed, until it starts again.
    if entry.state is not ConfigEntryState.FAILED_UNLOAD:
        hass.config_entries.async_schedule_reload(entry.entry_id)
