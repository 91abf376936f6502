"""Reads the registries of a remote home, and follows their events."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from ...clients.homeassistant.connection import SUBSCRIBE_EVENTS, Connection, Event
from ...clients.homeassistant.entries import EntityEntry
from ...clients.homeassistant.registries import (
    Registry,
    list_registries,
    refresh_entities,
    relist,
)
from .as_of import rows_as_of
from .catalog import RemoteHome

# Registries change in bursts: what comes within this time is read together.
QUIET_SECONDS: Final = 0.5
# With so many events waiting nothing is awaited before the registries are read.
BUSY: Final = 10_000
# More entities than that are read as a whole registry.
MANY_ENTITIES: Final = 500
# Read again what no event told of.
REFRESH_SECONDS: Final = 1800.0


class RegistryReader:
    """Lives as long as one connection; what it reads is kept with the home."""

    def __init__(self, connection: Connection, home: RemoteHome) -> None:
        """Prepare; nothing is read before it is asked for."""
        # When all is to be listed again, by the clock of the event loop.
        self.list_again_at = 0.0
        self._connection = connection
        self._home = home
        self._subscriptions: dict[int, Registry] = {}
        # Up to which event each registry is known: what came later is not in it yet.
        self._known_to: dict[Registry, int] = {}
        # What the rows of entities are after each event that was read together with others.
        self._rows: Mapping[int, EntityEntry | None] = {}

    async def async_begin(self) -> None:
        """Subscribe to the events, and list everything; raises HomeAssistantError."""
        for registry in Registry:
            number = await self._connection.subscribe(SUBSCRIBE_EVENTS, event_type=registry.value)
            self._subscriptions[number] = registry
        await self.async_list()

    async def async_list(self) -> None:
        """List everything; raises HomeAssistantError."""
        now, home = self._connection.received, self._home
        registries = await list_registries(self._connection)
        before = home.registries.config_entries.keys()
        if before and before.isdisjoint(registries.config_entries):
            # It is another home at the same place.
            new = RemoteHome()
            home.states, home.entities, home.newest = new.states, new.entities, None
            home.removals.clear()
            for gap in home.gaps:
                gap.queries.clear()
        home.registries, self._rows = registries, {}
        self._known_to = dict.fromkeys(Registry, now)
        self.list_again_at = asyncio.get_running_loop().time() + REFRESH_SECONDS

    def registry_of(self, event: Event) -> Registry | None:
        """Return the registry that an event is of."""
        return self._subscriptions.get(event.subscription)

    async def async_refresh(self, registry: Registry, event: Event) -> None:
        """Read what changed, unless that is known; raises HomeAssistantError.

        The events behind this one wait, so that they are described right.
        """
        connection = self._connection
        if event.number <= self._known_to.get(registry, 0):
            return
        if connection.error:
            raise connection.error
        if connection.waiting < BUSY:
            await asyncio.sleep(QUIET_SECONDS)
        now = connection.received
        behind = [event, *connection.waiting_for(self._subscriptions)]
        of_entities = [each for each in behind if self.registry_of(each) is Registry.ENTITIES]
        changed = {self._subscriptions[each.subscription] for each in behind}
        for each in Registry:
            if each not in changed:
                continue
            ids = _entity_ids(of_entities) if each is Registry.ENTITIES else None
            if ids and len(ids) <= MANY_ENTITIES:
                await refresh_entities(connection, self._home.registries, ids)
            else:
                await relist(connection, self._home.registries, each)
            self._known_to[each] = now
        if of_entities:
            read = [each for each in of_entities if each.number <= now]
            rows = rows_as_of(read, self._home.registries.entities)
            self._rows = rows.after
            for entity_id, row in rows.before.items():
                self._home.registries.put(entity_id, row)

    def apply(self, event: Event) -> tuple[str, str]:
        """Set an entity as it was after an event; return the id before and the id after it."""
        data: Mapping[str, Any] = event.content.get("data") or {}
        entity_id = str(data.get("entity_id", ""))
        was_called = str(data.get("old_entity_id") or entity_id)
        if event.number in self._rows:
            self._home.registries.put(entity_id, self._rows[event.number])
        if was_called != entity_id:
            self._home.registries.put(was_called, None)
        return was_called, entity_id


def _entity_ids(events: list[Event]) -> list[str]:
    """Name the entities that events of their registry are about."""
    found: dict[str, None] = {}
    for each in events:
        if isinstance(each.content, dict):
            data = each.content.get("data") or {}
            for name in ("entity_id", "old_entity_id"):
                if isinstance(data.get(name), str):
                    found[data[name]] = None
    return list(found)
