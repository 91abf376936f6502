"""Whether the database takes our points, and the data-api our registries."""

from typing import Any, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HaIngestorConfigEntry
from .entities.data_api import UNRECORDED, RegistryEntity, add_registry_entities, connection
from .entity import IngestorEntity

PARALLEL_UPDATES = 0

CONNECTED = BinarySensorEntityDescription(
    key="database_connected",
    translation_key="database_connected",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)

DATA_API_CONNECTED = BinarySensorEntityDescription(
    key="data_api_connected",
    translation_key="data_api_connected",
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
    add_registry_entities(entry, async_add_entities, DataApiConnected, [DATA_API_CONNECTED])


class DatabaseConnected(IngestorEntity, BinarySensorEntity):
    """Unknown until the first write was answered."""

    @property
    @override
    def is_on(self) -> bool | None:
        return self.coordinator.data.export.connected


class DataApiConnected(RegistryEntity, BinarySensorEntity):
    """Unknown until the first sync was answered."""

    _unrecorded_attributes = UNRECORDED

    @property
    @override
    def is_on(self) -> bool | None:
        return self.coordinator.data.connected

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        return connection(self.coordinator.data)
