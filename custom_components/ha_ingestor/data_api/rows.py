"""The rows that a data-api stores: each has a key, and a digest to detect changes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Any

import orjson

from ..clients.data_api.rows import DeviceRow, EntityRow
from ..clients.encoding import encode
from ..registry.model import Device, Entity, Home


class Table(StrEnum):
    """In the order of sending: an entity is stored with the actions and the device there are."""

    SERVICES = "services"
    DEVICES = "devices"
    ENTITIES = "entities"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of any table; the actions of one domain are one."""

    key: str
    content: Any = field(hash=False)
    digest: bytes
    # The device without which it is incomplete.
    depends_on: str | None = None


type Rows = Mapping[Table, Sequence[Row]]


def device_row(device: Device) -> DeviceRow:
    """Describe a device; a child device has its parent as `via` and in its area."""
    return DeviceRow(
        device_id=device.device_id,
        name=device.name,
        name_by_user=device.name_by_user,
        manufacturer=device.manufacturer,
        model=device.model,
        model_id=device.model_id,
        sw_version=device.sw_version,
        serial_number=device.serial_number,
        area_id=device.effective_area_id,
        integration=device.integration,
        entry_type=device.entry_type,
        configuration_url=device.configuration_url,
        labels=device.labels,
        config_entry_id=device.config_entry_id,
        via_device_id=device.via_device_id or device.parent_device_id,
    )


def entity_row(entity: Entity) -> EntityRow:
    """Describe an entity; the server looks no further than its row for its area."""
    return EntityRow(
        entity_id=entity.entity_id,
        device_id=entity.device_id,
        platform=entity.platform,
        unique_id=entity.unique_id,
        area_id=entity.effective_area_id,
        disabled_by=entity.disabled_by,
        name=entity.name,
        original_name=entity.original_name,
        icon=entity.icon,
        original_icon=entity.original_icon,
        aliases=entity.aliases,
        labels=entity.labels,
        options=entity.options,
        config_entry_id=entity.config_entry_id,
    )


def rows_of(home: Home) -> Rows:
    """Make the rows of every table, each after those it depends on."""
    return {
        Table.DEVICES: _rows(
            (row["device_id"], row, row["via_device_id"]) for row in map(device_row, home.devices)
        ),
        Table.ENTITIES: _rows(
            (row["entity_id"], row, row["device_id"]) for row in map(entity_row, home.entities)
        ),
        Table.SERVICES: _rows((domain, actions, None) for domain, actions in home.services.items()),
    }


def _rows(items: Iterable[tuple[str, Any, str | None]]) -> tuple[Row, ...]:
    return tuple(
        Row(key=key, content=content, digest=_digest(content), depends_on=depends_on)
        for key, content, depends_on in items
    )


def _digest(content: Any) -> bytes:
    return blake2b(encode(content, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()
