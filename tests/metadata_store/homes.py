"""Homes to store, and what the store says of them."""

import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from custom_components.ha_ingestor.metadata_store.listings import DEVICES, ENTITIES
from custom_components.ha_ingestor.metadata_store.queries import parse
from custom_components.ha_ingestor.metadata_store.store import FILE, MetadataStore
from custom_components.ha_ingestor.registry.model import Area, Device, Entity, Home

NOON: Final = datetime(2026, 11, 21, 12, tzinfo=UTC)
LAMP: Final = Device(device_id="d1", name="Lamp", manufacturer="Signify", area_id="kitchen")


def minute(number: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=number)


def entity(entity_id: str, registry_id: str = "", **more: Any) -> Entity:
    """An entity with as few words as possible."""
    return Entity(
        entity_id=entity_id, registry_id=registry_id or entity_id, **{"platform": "hue"} | more
    )


def burst(count: int, mark: str = "") -> Home:
    """A home of many entities, which all have the same mark."""
    return Home(
        devices=tuple(Device(device_id=f"d{n}", name=f"Device {n}{mark}") for n in range(count)),
        entities=tuple(
            entity(f"sensor.n{n}{mark}", f"r{n}", device_id=f"d{n}", labels=(mark,) if mark else ())
            for n in range(count)
        ),
        areas=(Area(area_id="kitchen", name=f"Kitchen{mark}"),),
        services={"sensor": {"look": {}}},
    )


def entities(
    store: MetadataStore, *parameters: tuple[str, str], now: datetime = NOON
) -> list[dict[str, Any]]:
    """Ask for entities, as many as there are."""
    query = parse(ENTITIES, [("limit", "10000"), *parameters])
    found: list[dict[str, Any]] = json.loads(store.answer(query, now))["entities"]
    return found


def devices(
    store: MetadataStore, *parameters: tuple[str, str], now: datetime = NOON
) -> list[dict[str, Any]]:
    """Ask for devices, as many as there are."""
    query = parse(DEVICES, [("limit", "1000"), *parameters])
    found: list[dict[str, Any]] = json.loads(store.answer(query, now))["devices"]
    return found


def ids(rows: Iterable[dict[str, Any]]) -> list[str]:
    """The ids of rows, in their order."""
    return [row.get("entity_id") or row["device_id"] for row in rows]


def look(directory: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Read the file as anybody may."""
    db = sqlite3.connect(directory / FILE)
    try:
        return db.execute(sql, values).fetchall()
    finally:
        db.close()
