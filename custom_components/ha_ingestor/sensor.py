"""The numbers and moments of a destination's health."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HaIngestorConfigEntry
from .entity import IngestorEntity
from .pipeline.exporter import Status
from .pipeline.pipeline import Snapshot

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class IngestorSensorDescription(SensorEntityDescription):
    """A reading of the snapshot."""

    value_fn: Callable[[Snapshot], datetime | int | str | None]
    attributes_fn: Callable[[Snapshot], dict[str, Any]] | None = None


def _status_attributes(snapshot: Snapshot) -> dict[str, Any]:
    export = snapshot.export
    return {
        "problem": export.problem,
        "attempts": export.attempts,
        "next_retry": export.next_retry,
    }


DESCRIPTIONS: tuple[IngestorSensorDescription, ...] = (
    IngestorSensorDescription(
        key="status",
        translation_key="status",
        device_class=SensorDeviceClass.ENUM,
        options=list(Status),
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda snapshot: snapshot.export.status,
        attributes_fn=_status_attributes,
    ),
    IngestorSensorDescription(
        key="points_written",
        translation_key="points_written",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda snapshot: snapshot.ledger["written"] if snapshot.is_open else None,
        attributes_fn=lambda snapshot: snapshot.ledger if snapshot.is_open else {},
    ),
    IngestorSensorDescription(
        key="backlog",
        translation_key="backlog",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda snapshot: snapshot.backlog if snapshot.is_open else None,
    ),
    IngestorSensorDescription(
        key="last_write",
        translation_key="last_write",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda snapshot: snapshot.export.last_write,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HaIngestorConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of one destination."""
    async_add_entities(
        IngestorSensor(entry.runtime_data.coordinator, description) for description in DESCRIPTIONS
    )


class IngestorSensor(IngestorEntity, SensorEntity):
    """One reading."""

    entity_description: IngestorSensorDescription
    _unrecorded_attributes = frozenset(
        {
            "attempts",
            "captured",
            "deduplicated",
            "filtered",
            "lost",
            "next_retry",
            "received",
        }
    )

    @property
    @override
    def native_value(self) -> datetime | int | str | None:
        return self.entity_description.value_fn(self.coordinator.data)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any] | None:
        attributes_fn = self.entity_description.attributes_fn
        return attributes_fn(self.coordinator.data) if attributes_fn else None
