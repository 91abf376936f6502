"""Lists the registries of another Home Assistant, whole or in part."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import batched
from typing import Any, Final

from . import entries
from .connection import Connection
from .entries import (
    AreaEntry,
    ConfigEntry,
    DeviceEntry,
    EntityEntry,
    FloorEntry,
    JsonObject,
    LabelEntry,
)
from .errors import CommandError

# How many entities are asked for at a time.
_MANY: Final = 500


class Registry(StrEnum):
    """The registries; each value is the type of the event that tells of a change."""

    ENTITIES = "entity_registry_updated"
    DEVICES = "device_registry_updated"
    AREAS = "area_registry_updated"
    FLOORS = "floor_registry_updated"
    LABELS = "label_registry_updated"


@dataclass(slots=True, kw_only=True)
class Registries:
    """What the registries say, by the ids of the rows; entities by their entity id."""

    entities: dict[str, EntityEntry] = field(default_factory=dict)
    devices: dict[str, DeviceEntry] = field(default_factory=dict)
    areas: dict[str, AreaEntry] = field(default_factory=dict)
    floors: dict[str, FloorEntry] = field(default_factory=dict)
    labels: dict[str, LabelEntry] = field(default_factory=dict)
    config_entries: dict[str, ConfigEntry] = field(default_factory=dict)

    def put(self, entity_id: str, entry: EntityEntry | None) -> None:
        """Set an entity of the registry, or take it out."""
        if entry:
            self.entities[entity_id] = entry
        else:
            self.entities.pop(entity_id, None)


async def list_registries(connection: Connection) -> Registries:
    """List everything; raises HomeAssistantError."""
    found = Registries()
    for registry in Registry:
        await relist(connection, found, registry)
    try:
        rows = await connection.command("config_entries/get")
    except CommandError:  # other versions may keep it for administrators
        rows = []
    found.config_entries = await _by_id(rows, entries.config_entry, lambda entry: entry.entry_id)
    return found


async def relist(connection: Connection, into: Registries, registry: Registry) -> None:
    """List one registry again; raises HomeAssistantError."""
    match registry:
        case Registry.ENTITIES:
            rows = await _rows(connection, "entity")
            into.entities = await _by_id(rows, entries.entity_entry, lambda entry: entry.entity_id)
            with suppress(CommandError):  # an older version knows no such command
                await refresh_entities(connection, into, tuple(into.entities))
        case Registry.DEVICES:
            rows = await _rows(connection, "device")
            into.devices = await _by_id(rows, entries.device_entry, lambda entry: entry.id)
        case Registry.AREAS:
            rows = await _rows(connection, "area")
            into.areas = await _by_id(rows, entries.area_entry, lambda entry: entry.id)
        case Registry.FLOORS:
            rows = await _rows(connection, "floor")
            into.floors = await _by_id(rows, entries.floor_entry, lambda entry: entry.floor_id)
        case Registry.LABELS:
            rows = await _rows(connection, "label")
            into.labels = await _by_id(rows, entries.label_entry, lambda entry: entry.label_id)


async def refresh_entities(
    connection: Connection, into: Registries, entity_ids: Iterable[str]
) -> None:
    """Read some entities of the registry with all that is known of them, the rest stays.

    Only so the device class is told; one that is not there any more is dropped.
    """
    for some in batched(entity_ids, _MANY, strict=False):
        found = await connection.command(
            "config/entity_registry/get_entries", entity_ids=list(some)
        )
        rows = {name: row for name, row in found.items() if row} if found else {}
        fresh = await _by_id(rows.values(), entries.entity_entry, lambda entry: entry.entity_id)
        for entity_id in some:
            if entity_id in fresh:
                into.entities[entity_id] = fresh[entity_id]
            else:
                into.entities.pop(entity_id, None)


async def _rows(connection: Connection, name: str) -> Any:
    return await connection.command(f"config/{name}_registry/list")


async def _by_id[T](
    rows: Any, read: Callable[[JsonObject], T], key: Callable[[T], str]
) -> dict[str, T]:
    """Read rows in a thread; one that cannot be read is left out."""

    def read_all() -> dict[str, T]:
        found: dict[str, T] = {}
        for row in rows if isinstance(rows, Iterable) else ():
            if isinstance(row, Mapping):
                try:
                    entry = read(row)
                except KeyError:
                    continue
                found[key(entry)] = entry
        return found

    return await asyncio.to_thread(read_all)
