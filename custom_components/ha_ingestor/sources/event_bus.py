"""Listening to the bus of this Home Assistant, whatever the event."""

import time
from collections.abc import Callable
from typing import Any

from homeassistant.const import EVENT_STATE_REPORTED
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.util.event_type import EventType
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..pipeline.clock import ClockWatch

# All destinations share one clock offset, also over a reload.
_CLOCK: HassKey[ClockWatch] = HassKey(f"{DOMAIN}_clock")


@callback
def async_listen(
    hass: HomeAssistant, event_type: EventType[Any] | str, listener: Callable[[Event[Any]], None]
) -> CALLBACK_TYPE:
    """Listen until the returned function is called."""
    wanted = _async_every if event_type == EVENT_STATE_REPORTED else None
    return hass.bus.async_listen(event_type, listener, event_filter=wanted)


@callback
def async_clock(hass: HomeAssistant) -> ClockWatch:
    """Return the clock watch, which starts with the first destination."""
    if _CLOCK not in hass.data:
        hass.data[_CLOCK] = ClockWatch(monotonic=lambda: time.monotonic(), wall=lambda: time.time())  # noqa: PLW0108  tests set them
    return hass.data[_CLOCK]


@callback
def _async_every(_data: Any) -> bool:
    """Filter nothing: so many are reported that Home Assistant insists on a filter."""
    return True
