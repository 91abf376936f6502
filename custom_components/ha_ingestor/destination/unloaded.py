"""What a destination that stays unloaded leaves behind, for example a disabled one."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from ..coordinator import HaIngestorConfigEntry
from ..health.issues.issues import async_forget
from ..health.remembered import async_forget_health


@callback
def async_forget_unloaded(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    """Clear its issues, and forget its health.

    Without the lock of the entry: a reload would have to wait for it, and could be cancelled.
    """
    is_due = False

    @callback
    def async_check_unloaded() -> None:
        stop()
        if entry.state is ConfigEntryState.NOT_LOADED:
            async_forget_health(hass, entry.entry_id)
            async_forget(hass, entry.entry_id)

    @callback
    def async_changed() -> None:
        nonlocal is_due
        # In a reload the next state follows at once; when that fails, this one again.
        if entry.state is ConfigEntryState.NOT_LOADED and not is_due:
            is_due = True
            hass.loop.call_soon(async_check_unloaded)

    stop = entry.async_on_state_change(async_changed)
