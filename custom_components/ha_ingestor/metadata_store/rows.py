"""The rows of the store, named as in HomeIQ's data-api."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, Final

from ..registry.model import Area, Device, Entity, Floor, Home, Label

type StoredRow = dict[str, Any]

# HomeIQ takes these from a database of products that it asks; readers expect the keys.
_OF_PRODUCTS: Final = (
    "device_type",
    "device_category",
    "power_consumption_idle_w",
    "power_consumption_active_w",
    "power_consumption_max_w",
    "setup_instructions_url",
    "troubleshooting_notes",
    "device_features_json",
    "community_rating",
    "last_capability_sync",
)
_UNKNOWN: Final = "Unknown"

_NAMES: Final = {
    kind: tuple(field.name for field in fields(kind))
    for kind in (Device, Entity, Area, Floor, Label)
}


def rows(home: Home) -> dict[str, dict[str, StoredRow]]:
    """Convert a home: table → id → row."""
    return {
        "devices": {device.device_id: _device(device) for device in home.devices},
        "entities": {entity.registry_id: _entity(entity) for entity in home.entities},
        "areas": {area.area_id: _plain(area) for area in home.areas},
        "floors": {floor.floor_id: _plain(floor) for floor in home.floors},
        "labels": {label.label_id: _plain(label) for label in home.labels},
        "services": {domain: _services(domain, has) for domain, has in home.services.items()},
    }


def _device(device: Device) -> StoredRow:
    row = _plain(device)
    row["manufacturer"] = device.manufacturer or _UNKNOWN
    row["model"] = device.model or _UNKNOWN
    row["via_device"] = row.pop("via_device_id")
    return row | dict.fromkeys(_OF_PRODUCTS)


def _entity(entity: Entity) -> StoredRow:
    domain, _, object_id = entity.entity_id.partition(".")
    row = _plain(entity)
    row["domain"] = domain
    row["disabled"] = entity.disabled_by is not None
    row["name_by_user"] = None  # what the user called it is its `name`
    row["friendly_name"] = (
        entity.name or entity.original_name or object_id.replace("_", " ").title()
    )
    row["capabilities"] = None if entity.capabilities is None else sorted(entity.capabilities)
    return row


def _services(domain: str, names: Iterable[str]) -> StoredRow:
    """Only the part that goes into the answer for each entity of the domain."""
    return {"available_services": sorted(f"{domain}.{name}" for name in names)}


def _plain(item: Device | Entity | Area | Floor | Label) -> StoredRow:
    # Not dataclasses.asdict, which copies every value and takes ten times as long.
    return {name: getattr(item, name) for name in _NAMES[type(item)]}
