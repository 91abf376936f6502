"""Whether the database takes our points."""

from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HaIngestorConfigEntry
from .entity import IngestorEntity

PARALLEL_UPDATES = 0

CONNECTED = BinarySensorEntityDescription(
    key="database_connected",
    translation_key="database_connected",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HaIngestorConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the connection of one destination."""
    async_add_entities([DatabaseConnected(entry.runtime_data.coordinator, CONNECTED)])


class DatabaseConnected(IngestorEntity, BinarySensorEntity):
    """Unknown until the first write was answered."""

    @property
    @override
    def is_on(self) -> bool | None:
        return self.coordinator.data.export.connected
