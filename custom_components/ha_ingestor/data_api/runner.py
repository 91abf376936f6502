"""Follows the registries of this home and of remote ones, and keeps one data-api like them."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.start import async_at_started

from ..const import LOGGER
from ..registry.model import Home, Services
from ..registry.remote_homes import async_remote_homes
from ..registry.snapshot import async_services
from ..registry.watch import RegistrySnapshot, async_watch
from .instances import merged, prefix_of, prefixes
from .requests import Client, Requests
from .schedule import SendSchedule
from .sync import Sync, SyncState
from .transfer import Transfer

# The first time Home Assistant reads a file of each integration. It waits for ever for one that it
# failed to import before.
DESCRIBE_SECONDS: Final = 30.0
REASON_MAX: Final = 200


class RegistrySync:
    """Begins with everything once Home Assistant has started: until then registries only fill."""

    def __init__(
        self,
        hass: HomeAssistant,
        client: Client,
        *,
        on_change: Callable[[], None],
        refresh: float,
        entry_id: str = "",
        instances: Iterable[str] = (),
    ) -> None:
        """Prepare; `refresh` are the seconds after which everything is sent again.

        `instances` are the remote homes of the destination.
        """
        self._hass = hass
        self._entry_id = entry_id
        self._prefixes = prefixes(instances)
        self._remotes = async_remote_homes(hass)
        self._watch = async_watch(hass)
        self._sync = Sync(
            transfer=Transfer(
                requests=Requests(client=client, clock=time.monotonic),
                is_awaited=self._is_awaited,
            ),
            complete=self._async_complete,
            schedule=SendSchedule(refresh=refresh),
            clock=time.monotonic,
            jitter=random.random,
            on_change=on_change,
        )
        # What is wrong with the descriptions of the actions, if anything is.
        self.undescribed = ""
        self._services: Services = {}
        self._describing: asyncio.Task[Services] | None = None
        self._stops: list[CALLBACK_TYPE] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def state(self) -> SyncState:
        """The present state."""
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
        """Stop at once; unsent rows are sent after the next start."""
        for stop in self._stops:
            stop()
        self._stops.clear()
        tasks = [task for task in (self._task, self._describing) if task]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._task = self._describing = None

    @callback
    def _async_begin(self, _hass: HomeAssistant) -> None:
        self._stops = [
            self._watch.async_subscribe(self._async_take, at_once=True),
            self._remotes.async_subscribe(self._sync.changed),
        ]
        self._sync.resync()
        self._task = self._hass.async_create_background_task(
            self._sync.run_forever(), "ha_ingestor registries"
        )

    async def _async_take(self, snapshot: RegistrySnapshot) -> None:
        self._sync.push(snapshot.home)

    def _is_awaited(self, key: str) -> bool:
        """Whether a row is of a remote home that was not connected since the start."""
        awaited = self._prefixes.keys() - self._others().keys()
        return prefix_of(key) in {self._prefixes[instance] for instance in awaited}

    def _others(self) -> Mapping[str, Home]:
        homes = self._remotes.of(self._entry_id)
        return {name: homes[name] for name in self._prefixes if name in homes}

    async def _async_complete(self, home: Home) -> Home:
        """Add remote homes, and the descriptions of the actions."""
        home = await self._async_with_actions(home)
        if others := self._others():
            return await self._hass.async_add_executor_job(merged, home, others, self._prefixes)
        return home

    async def _async_with_actions(self, home: Home) -> Home:
        """Add the descriptions of the actions, which the registries do not have."""
        await self._async_describe()
        # Actions without a description are sent by name, which most readers need only.
        services: Services = {
            domain: {
                name: self._services.get(domain, {}).get(name, {"fields": {}}) for name in names
            }
            for domain, names in home.services.items()
        }
        return replace(home, services=services)

    async def _async_describe(self) -> None:
        """Read the descriptions, with a timeout."""
        if self._describing is None:
            self._describing = self._hass.async_create_background_task(
                async_services(self._hass), "ha_ingestor descriptions of actions"
            )
            self._describing.add_done_callback(self._async_described)
            await asyncio.wait([self._describing], timeout=DESCRIBE_SECONDS)
        if self._describing is not None:
            self._say_undescribed("Home Assistant is still reading them")

    @callback
    def _async_described(self, task: asyncio.Task[Services]) -> None:
        self._describing = None
        if task.cancelled():
            return
        if err := task.exception():
            self._say_undescribed(f"{type(err).__name__}: {err}"[:REASON_MAX])
            return
        self._services = task.result()
        if self.undescribed:
            self.undescribed = ""
            self._sync.changed()

    @callback
    def _say_undescribed(self, why: str) -> None:
        if not self.undescribed:
            LOGGER.warning(
                "The descriptions of actions cannot be read (%s); they are sent by name", why
            )
        self.undescribed = why
