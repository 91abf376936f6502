"""A custom integration that makes a Home Assistant busy, and tells what that cost the process.

The action `start` changes states at a steady rate, watching the event loop or not; `report` says
how far it is. Costs count from the first change until the process has come to rest. `observe`
begins to look at the process from within, and `observed` ends that and tells what was seen.
"""

from collections.abc import Callable
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import (
    Event,
    EventStateChangedData,
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)

from .load import Load
from .loop_blocks import LoopBlocks
from .profiler import Profiler
from .wake_ups import WakeUps
from .workload import burst, furnish

DOMAIN: Final = "bench_load"

type Observer = LoopBlocks | Profiler | WakeUps

_OBSERVERS: Final[dict[str, Callable[[], Observer]]] = {
    "blocks": LoopBlocks,
    "profile": Profiler,
    "wake_ups": WakeUps,
}


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Offer the actions."""
    furnish(hass, entry)
    load = Load(hass)
    observers: list[Observer] = []

    @callback
    def somebody_else(_event: Event[EventStateChangedData]) -> None:
        """Listen to states, as some integration does in every home."""

    async def start(call: ServiceCall) -> None:
        load.start(int(call.data["events"]), float(call.data["rate"]), watch=call.data["watch"])

    async def report(_call: ServiceCall) -> ServiceResponse:
        return load.report()

    async def observe(call: ServiceCall) -> None:
        observer = _OBSERVERS[call.data["kind"]]()
        observers.append(observer)
        observer.start()

    async def observed(_call: ServiceCall) -> ServiceResponse:
        return observers.pop().stop()

    async def add_entities(call: ServiceCall) -> None:
        burst(hass, entry, int(call.data["entities"]))

    register = hass.services.async_register
    register(DOMAIN, "start", start)
    register(DOMAIN, "report", report, supports_response=SupportsResponse.ONLY)
    register(DOMAIN, "observe", observe)
    register(DOMAIN, "observed", observed, supports_response=SupportsResponse.ONLY)
    register(DOMAIN, "add_entities", add_entities)
    entry.async_on_unload(hass.bus.async_listen(EVENT_STATE_CHANGED, somebody_else))
    entry.async_on_unload(load.stop)
    return True
