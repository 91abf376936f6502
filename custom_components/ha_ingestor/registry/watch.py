"""One snapshot of all registries after each burst of changes, for all subscribers."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from homeassistant.const import EVENT_SERVICE_REGISTERED, EVENT_SERVICE_REMOVED
from homeassistant.core import CALLBACK_TYPE, Event, HassJob, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers import label_registry as lr
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.start import async_at_started
from homeassistant.util.event_type import EventType
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, LOGGER
from ..tasks.shielded import async_shielded
from .model import Home, Services
from .schedule import Intervals, Schedule
from .snapshot import async_snapshot

# Their data does not matter: each of them means that everything is read again.
EVENTS: Final[tuple[EventType[Any] | str, ...]] = (
    dr.EVENT_DEVICE_REGISTRY_UPDATED,
    er.EVENT_ENTITY_REGISTRY_UPDATED,
    ar.EVENT_AREA_REGISTRY_UPDATED,
    fr.EVENT_FLOOR_REGISTRY_UPDATED,
    lr.EVENT_LABEL_REGISTRY_UPDATED,
    EVENT_SERVICE_REGISTERED,
    EVENT_SERVICE_REMOVED,
)

# Whatever cannot be read today is a defect of some integration, and does not pass within seconds.
RETRY_SECONDS: Final = 60.0

# By what the events of devices and entities name them.
_NAMES: Final = ("device_id", "entity_id", "old_entity_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySnapshot:
    """A home, and when the events that led to it fired, in seconds since 1970.

    `moments` are by the id of the device or entity that an event was about, `latest` is that of the
    last one of all; without any event it is the time of the snapshot.
    """

    home: Home
    latest: float
    moments: Mapping[str, float]


type Subscriber = Callable[[RegistrySnapshot], Awaitable[None]]


class RegistryWatch:
    """Takes snapshots while there are subscribers.

    The kind of change does not matter: each snapshot reads everything, so none is missed. It holds
    the names of the actions.
    """

    def __init__(self, hass: HomeAssistant, intervals: Intervals = Intervals()) -> None:  # noqa: B008  frozen
        """Prepare."""
        self._hass = hass
        self._schedule = Schedule(intervals=intervals)
        self._subscribers: list[Subscriber] = []
        self._stops: list[CALLBACK_TYPE] = []
        self._timer: CALLBACK_TYPE | None = None
        self._job = HassJob(self._async_due, "ha_ingestor registries", cancel_on_shutdown=True)
        self._lock = asyncio.Lock()
        self._moments: dict[str, float] = {}
        self._latest: float | None = None
        self._has_failed = False

    @callback
    def async_subscribe(self, subscriber: Subscriber, *, at_once: bool = False) -> CALLBACK_TYPE:
        """Send every snapshot to a subscriber, one soon or at once; returns its unsubscribe."""
        if not self._subscribers:
            # Without subscribers nothing stays due.
            self._schedule = Schedule(intervals=self._schedule.intervals)
            listen = self._hass.bus.async_listen
            self._stops = [
                *(listen(kind, self._async_changed) for kind in EVENTS),
                async_at_started(self._hass, self.async_request),
            ]
        self._subscribers.append(subscriber)
        if at_once:
            self._schedule = self._schedule.asked(time.monotonic())
        self.async_request()

        @callback
        def async_end() -> None:
            self._subscribers.remove(subscriber)
            if not self._subscribers:
                self._async_rest()

        return async_end

    @callback
    def async_request(self, _cause: object = None) -> None:
        """Request a snapshot soon."""
        if not self._subscribers:
            return
        self._schedule = self._schedule.changed(time.monotonic())
        self._async_wait()

    async def async_catch_up(self) -> None:
        """Wait for a running snapshot, and take another one if there are changes.

        Raises what reading the registries raises.
        """
        async with self._lock:
            is_new = self._schedule.has_changes
        if self._subscribers and is_new:
            await self._async_snapshot()

    @callback
    def _async_changed(self, event: Event[Any]) -> None:
        self._latest = event.time_fired_timestamp
        for name in _NAMES:
            if key := event.data.get(name):
                self._moments[key] = self._latest
        self.async_request()

    @callback
    def _async_wait(self) -> None:
        if self._timer:
            self._timer()
        wait = max(0.0, self._schedule.due - time.monotonic())
        self._timer = async_call_later(self._hass, wait, self._job)

    @callback
    def _async_rest(self) -> None:
        while self._stops:
            self._stops.pop()()
        if self._timer:
            self._timer()
            self._timer = None
        self._latest = None
        self._moments = {}

    async def _async_due(self, _now: object) -> None:
        self._timer = None
        try:
            await self._async_snapshot()
        except Exception:  # noqa: BLE001  integrations leave anything in a registry
            if not self._has_failed:
                LOGGER.exception("The registries cannot be read; retrying")
            self._has_failed = True
            self._schedule = self._schedule.failed(time.monotonic(), RETRY_SECONDS)
            if self._subscribers:
                self._async_wait()
        else:
            self._has_failed = False

    async def _async_snapshot(self) -> None:
        # There are other subscribers: a cancelled caller must not cancel their snapshot.
        await async_shielded(self._hass, self._async_push(), "ha_ingestor registries")

    async def _async_push(self) -> None:
        async with self._lock:
            # Nothing waits before the registries are held, so these events are what they show.
            self._schedule = self._schedule.snapshot_taken()
            moments, self._moments = self._moments, {}
            latest, self._latest = self._latest, None
            names = self._hass.services.async_services()
            try:
                home = await async_snapshot(self._hass)
            except Exception:
                self._async_put_back(moments, latest)
                raise
            services: Services = {domain: {name: {} for name in names[domain]} for domain in names}
            home = replace(home, services=services)
            self._schedule = self._schedule.succeeded(time.monotonic())
            if self._subscribers:
                self._async_wait()
            snapshot = RegistrySnapshot(home=home, moments=moments, latest=latest or time.time())
            told = [subscriber(snapshot) for subscriber in self._subscribers]
            for outcome in await asyncio.gather(*told, return_exceptions=True):
                if isinstance(outcome, Exception):
                    LOGGER.error("A registry subscriber failed", exc_info=outcome)

    @callback
    def _async_put_back(self, moments: dict[str, float], latest: float | None) -> None:
        self._moments = moments | self._moments
        self._latest = self._latest or latest


WATCH: HassKey[RegistryWatch] = HassKey(f"{DOMAIN}_registries")


@callback
def async_watch(hass: HomeAssistant) -> RegistryWatch:
    """Return the one of this Home Assistant."""
    if WATCH not in hass.data:
        hass.data[WATCH] = RegistryWatch(hass)
    return hass.data[WATCH]
