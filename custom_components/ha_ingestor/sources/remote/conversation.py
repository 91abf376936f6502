"""Follows a remote home over one connection: its registries, its states and other events."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from ...clients.homeassistant.connection import SUBSCRIBE_EVENTS, Connection, Event
from ...clients.homeassistant.errors import CommandError, HomeAssistantError
from ...clients.homeassistant.registries import Registry
from ...clients.homeassistant.states import SUBSCRIBE, removed_in
from ...const import LOGGER
from ...enrich.attribution import RUNS
from ...health.texts.server_text import plain
from ...tasks.slices import SLICE_SECONDS
from .capture import Captures, RemoteCapture
from .catalog import RemoteHome
from .event_fields import context_of, fired_at
from .health import RemoteHealth
from .interruption import async_capture_first_states
from .recovery import RemoteRecovery
from .registry_reader import RegistryReader

# Until Home Assistant runs, its entities come and go.
RUNNING: Final = "RUNNING"
START_POLL_SECONDS: Final = 2.0


class Conversation:
    """Registries first, then the states: from then on everything comes in order."""

    def __init__(
        self,
        connection: Connection,
        home: RemoteHome,
        health: RemoteHealth,
        captures: Captures,
        registries_read: Callable[[], None],
    ) -> None:
        """Prepare; `captures` returns where the events go, and waits for it during a reload."""
        self._connection = connection
        self._home = home
        self._health = health
        self._captures = captures
        self._registries_read = registries_read
        self._described_for: RemoteCapture | None = None
        self._reader = RegistryReader(connection, home)
        self._others: dict[int, str] = {}
        self._asked_for: tuple[str, ...] = ()
        self._is_admin = False
        self._states = 0
        self._has_snapshot = False
        # Up to which event the removals were noted.
        self._noted_to = 0
        self._describing = asyncio.Lock()
        self._recovery = RemoteRecovery(connection, home, health, self._captured_for)

    async def async_begin(self) -> None:
        """Wait until the home runs, list its registries and follow its states."""
        connection = self._connection
        while (config := await connection.mapping("get_config")).get("state") != RUNNING:
            self._health.start_awaited()
            await asyncio.sleep(START_POLL_SECONDS)
        self._home.location = str(config.get("location_name") or "")
        self._is_admin = bool((await connection.mapping("auth/current_user")).get("is_admin"))
        await self._reader.async_begin()
        await self._captured_for()
        self._states = await connection.subscribe(SUBSCRIBE)

    async def async_follow(self) -> None:
        """Capture everything that comes, until the connection is lost, which raises."""
        try:
            await self._follow()
        finally:
            await self._recovery.async_stop()

    async def _follow(self) -> None:
        began = time.perf_counter()
        while True:
            try:
                async with asyncio.timeout_at(self._reader.list_again_at):
                    event = await self._connection.take()
            except TimeoutError:
                await self._list_again()
                continue
            await self._handle(event)
            if time.perf_counter() - began > SLICE_SECONDS:
                await asyncio.sleep(0)
                began = time.perf_counter()

    async def _captured_for(self) -> RemoteCapture:
        """Return where the events go; a new one is first told what there is."""
        capture = await self._captures()
        if capture is self._described_for:
            return capture
        async with self._describing:
            if capture is not self._described_for:
                await capture.async_describe(self._home, self._health)
                self._described_for = capture
                with suppress(HomeAssistantError):  # raised again once everything is captured
                    await self._subscribe_others(capture)
        return capture

    async def _subscribe_others(self, capture: RemoteCapture) -> None:
        """Subscribe to the other events that are wanted, as far as the token allows."""
        wanted = capture.event_types
        if self._is_admin:
            # They tell what caused a change. Others may not ask for them.
            wanted = tuple(dict.fromkeys((*wanted, *RUNS)))
        if wanted == self._asked_for:
            return
        self._asked_for = wanted
        for number in list(self._others):
            del self._others[number]
            await self._connection.command("unsubscribe_events", subscription=number)
        for event_type in wanted:
            try:
                number = await self._connection.subscribe(SUBSCRIBE_EVENTS, event_type=event_type)
            except CommandError as err:
                LOGGER.warning(
                    "Events %s of another home are not sent: %s", event_type, plain(err.code)
                )
                continue
            self._others[number] = event_type

    async def _handle(self, event: Event) -> None:
        number, content = event.subscription, event.content
        if number == self._states:
            if self._has_snapshot:
                await self._changes(event)
            else:
                await self._snapshot(content)
        elif registry := self._reader.registry_of(event):
            await self._registry_changed(registry, event)
        elif event_type := self._others.get(number):
            (await self._captured_for()).fired(event_type, content)

    async def _changes(self, event: Event) -> None:
        if event.number > self._noted_to and removed_in(event.content):
            await self._note_removals(event)
        capture, heard = await self._captured_for(), self._heard(event)
        for change in self._home.states.apply(event.content):
            self._home.entities.note(change)
            capture.changed(change, heard)
        self._health.entities_counted(len(self._home.states.states))

    async def _note_removals(self, event: Event) -> None:
        """Store when the removals were heard that came so far: often they are many."""
        capture, removals = await self._captured_for(), self._home.removals
        for each in (event, *self._connection.waiting_for((self._states,))):
            self._noted_to = each.number
            for entity_id in removed_in(each.content):
                if not capture.leaves_out(entity_id):
                    removals.note(entity_id, self._heard(each))
        await removals.store()

    def _heard(self, event: Event) -> float:
        """Return what time it was there when an event came."""
        return event.heard + self._health.now.clock_ahead

    async def _snapshot(self, content: Any) -> None:
        await async_capture_first_states(content, self._home, self._health, self._captured_for)
        # What ends a gap is in memory only until it is filled.
        await self._home.store_new()
        self._has_snapshot = True
        self._recovery.async_start()
        self._health.entities_counted(len(self._home.states.states))
        self._registries_read()

    async def _registry_changed(self, registry: Registry, event: Event) -> None:
        # Without a connection the events that wait are captured with what is known.
        with suppress(HomeAssistantError):
            await self._reader.async_refresh(registry, event)
        self._registries_read()
        capture = await self._captured_for()
        if capture.catalog is None or not isinstance(event.content, dict):
            return
        fired, context = fired_at(event.content), context_of(event.content)
        if registry is not Registry.ENTITIES:
            async for pair in capture.catalog.async_sweep():
                capture.mark(*pair, fired, context)
            return
        names = self._reader.apply(event)
        is_removal = (event.content.get("data") or {}).get("action") == "remove"
        if not is_removal and (renewed := capture.catalog.describe_again(*names)):
            capture.mark(*renewed, fired, context)

    async def _list_again(self) -> None:
        with suppress(HomeAssistantError):
            await self._reader.async_list()
            self._described_for = None
            self._registries_read()
            await self._captured_for()
