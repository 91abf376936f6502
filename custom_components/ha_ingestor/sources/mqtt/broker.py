"""Home Assistant's own MQTT integration, which may not be there.

Its package needs a client library that is installed with it: it is imported once it is loaded.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

if TYPE_CHECKING:
    from homeassistant.components.mqtt import ReceiveMessage

MQTT: Final = "mqtt"


@callback
def async_is_set_up(hass: HomeAssistant) -> bool:
    """Whether there is a broker to subscribe at, connected or not."""
    return MQTT in hass.config.components and hass.config_entries.async_has_entries(
        MQTT, include_disabled=False, include_ignore=False
    )


@callback
def async_is_loaded(hass: HomeAssistant) -> bool:
    """Whether it takes subscriptions: what is subscribed while it is set up would be forgotten."""
    return MQTT in hass.config.components and any(hass.config_entries.async_loaded_entries(MQTT))


@callback
def async_is_connected(hass: HomeAssistant) -> bool:
    """Whether the broker is connected."""
    if not async_is_loaded(hass):
        return False
    from homeassistant.components import mqtt  # noqa: PLC0415

    return mqtt.is_connected(hass)


async def async_subscribe(
    hass: HomeAssistant, topic_filter: str, receive: Callable[[ReceiveMessage], None]
) -> CALLBACK_TYPE | None:
    """Subscribe, also while the broker is away; None without one.

    Payloads come as they are: Home Assistant would drop what is no UTF-8, and count nothing.
    """
    if not async_is_loaded(hass):
        return None
    from homeassistant.components import mqtt  # noqa: PLC0415

    return await mqtt.async_subscribe(hass, topic_filter, receive, qos=1, encoding=None)


@callback
def async_on_change(hass: HomeAssistant, changed: Callable[[], None]) -> CALLBACK_TYPE:
    """Call whenever the integration or its connection may be in another state."""

    @callback
    def async_entry_changed(_change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain == MQTT:
            changed()

    @callback
    def async_connection_changed(_is_connected: bool) -> None:  # noqa: FBT001  their signature
        changed()

    stops = [async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, async_entry_changed)]
    # The name of the signal is all that is needed, also before the integration is loaded.
    stops.append(async_dispatcher_connect(hass, "mqtt_connection_state", async_connection_changed))

    @callback
    def async_stop() -> None:
        for stop in stops:
            stop()

    return async_stop
