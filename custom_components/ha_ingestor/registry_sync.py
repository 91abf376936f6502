"""Follows the registries of Home Assistant and keeps one data-api like them."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import replace

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.start import async_at_started

from .const import LOGGER
from .metadata import Home, Services
from .registries.schedule import Intervals, Schedule
from .registries.sync import Sync, SyncState
from .registries.transfer import Client, Transfer
from .registry_snapshot import async_services
from .registry_watch import Look, async_watch


class RegistrySync:
    """Begins with everything once Home Assistant has started: until then registries only fill."""

    def __init__(
        self,
        hass: HomeAssistant,
        client: Client,
        *,
        on_change: Callable[[], None],
        intervals: Intervals,
    ) -> None:
        """Prepare."""
        self._hass = hass
        self._watch = async_watch(hass)
        self._sync = Sync(
            transfer=Transfer(client=client, clock=time.monotonic),
            snapshot=self._async_home,
            schedule=Schedule(intervals=intervals),
            clock=time.monotonic,
            jitter=random.random,
            on_change=on_change,
        )
        self._services: Services = {}
        self._stops: list[CALLBACK_TYPE] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def state(self) -> SyncState:
        """How it is going at this moment."""
        return self._sync.state

    @callback
    def async_start(self) -> None:
        """Begin as soon as Home Assistant has started."""
        self._stops.append(async_at_started(self._hass, self._async_begin))

    @callback
    def async_resync(self) -> None:
        """Send everything again."""
        self._sync.resync()

    async def async_stop(self) -> None:
        """End at once: what is not sent today is sent after the next start."""
        for stop in self._stops:
            stop()
        self._stops.clear()
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    @callback
    def _async_begin(self, _hass: HomeAssistant) -> None:
        self._stops = [self._watch.async_follow(self._async_changed)]
        self._sync.resync()
        self._task = self._hass.async_create_background_task(
            self._sync.run_forever(), "ha_ingestor registries"
        )

    async def _async_changed(self, _look: Look) -> None:
        self._sync.changed()

    async def _async_home(self) -> Home:
        home = await self._watch.async_home()
        try:
            self._services = await async_services(self._hass)
        except Exception as err:  # noqa: BLE001  it imports every integration's own files
            LOGGER.debug("The actions cannot be described: %s", err)
        return replace(home, services=self._services)
