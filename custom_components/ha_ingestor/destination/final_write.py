"""The last chance to store what is in memory, when Home Assistant stops."""

from typing import Final

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import CoreState, Event, HomeAssistant, callback

from ..coordinator import HaIngestorConfigEntry
from ..metadata_store.metadata_sync import async_release

_AFTER_FINAL_WRITE: Final = frozenset({CoreState.final_write, CoreState.stopped})


def is_after_final_write(hass: HomeAssistant) -> bool:
    """Whether the event that asks for it has been fired, and comes no more."""
    return hass.state in _AFTER_FINAL_WRITE


@callback
def async_stop_at_final_write(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    """Stop the destination when Home Assistant asks to store everything."""

    async def async_final_write(_event: Event) -> None:
        await async_stop(hass, entry)

    entry.async_on_unload(
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_FINAL_WRITE, async_final_write)
    )


async def async_stop(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    """Stop, with everything captured on disk or delivered."""
    await entry.runtime_data.async_stop()
    await async_release(hass, entry.entry_id)
