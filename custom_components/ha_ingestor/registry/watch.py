"""One look at all registries after each crowd of changes, for everybody who follows them."""

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
from ..tasks.whole import async_whole
from .model import Home, Services
from .schedule import Intervals, Schedule
from .snapshot import async_snapshot

# What they say does not matter: any of them means that everything is read again.
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
class Look:
    """What was seen, and when the events that led to it fired, in seconds since 1970.

    `moments` are by the id of the device or entity that an event was about, `latest` is that of the
    last one of all; without any event it is the time of the look.
    """

    home: Home
    latest: float
    moments: Mapping[str, float]


type Follower = Callable[[Look], Awaitable[None]]


class RegistryWatch:
    """Looks while anybody follows.

    Which change it was does not matter: each look reads everything, so none can be missed. Of the
    actions it sees the names.
    """

    def __init__(self, hass: HomeAssistant, intervals: Intervals = Intervals()) -> None:  # noqa: B008  frozen
        """Prepare."""
        self._hass = hass
        self._schedule = Schedule(intervals=intervals)
        self._followers: list[Follower] = []
        self._stops: list[CALLBACK_TYPE] = []
        self._timer: CALLBACK_TYPE | None = None
        self._job = HassJob(self._async_due, "ha_ingestor registries", cancel_on_shutdown=True)
        self._lock = asyncio.Lock()
        self._moments: dict[str, float] = {}
        self._latest: float | None = None
        self._is_in_trouble = False

    @callback
    def async_follow(self, follower: Follower, *, at_once: bool = False) -> CALLBACK_TYPE:
        """Push every look from now on, and one soon or at once; returns what ends it."""
        if not self._followers:
            # What was due before nobody followed any more is due no longer.
            self._schedule = Schedule(intervals=self._schedule.intervals)
            listen = self._hass.bus.async_listen
            self._stops = [
                *(listen(kind, self._async_changed) for kind in EVENTS),
                async_at_started(self._hass, self.async_request),
            ]
        self._followers.append(follower)
        if at_once:
            self._schedule = self._schedule.asked(time.monotonic())
        self.async_request()

        @callback
        def async_end() -> None:
            self._followers.remove(follower)
            if not self._followers:
                self._async_rest()

        return async_end

    @callback
    def async_request(self, _cause: object = None) -> None:
        """Look soon."""
        if not self._followers:
            return
        self._schedule = self._schedule.changed(time.monotonic())
        self._async_wait()

    async def async_catch_up(self) -> None:
        """Let a look that is under way end, and look once more if there is something new.

        Raises what reading the registries raises.
        """
        async with self._lock:
            is_new = self._schedule.has_changes
        if self._followers and is_new:
            await self._async_look()

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
            await self._async_look()
        except Exception:  # noqa: BLE001  integrations leave anything in a registry
            if not self._is_in_trouble:
                LOGGER.exception("The registries cannot be read, and are tried again")
            self._is_in_trouble = True
            self._schedule = self._schedule.failed(time.monotonic(), RETRY_SECONDS)
            if self._followers:
                self._async_wait()
        else:
            self._is_in_trouble = False

    async def _async_look(self) -> None:
        # Others follow too: who is cancelled must not take the look from them.
        await async_whole(self._hass, self._async_push(), "ha_ingestor look")

    async def _async_push(self) -> None:
        async with self._lock:
            # Nothing waits before the registries are held, so these events are what they show.
            self._schedule = self._schedule.looked()
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
            if self._followers:
                self._async_wait()
            look = Look(home=home, moments=moments, latest=latest or time.time())
            told = [follower(look) for follower in self._followers]
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
