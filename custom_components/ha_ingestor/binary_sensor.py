"""Whether the database accepts points, the data-api rows, and what is connected."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, override

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HaIngestorConfigEntry
from .entities.base import IngestorBinarySensorDescription
from .entities.data_api import DATA_API_BINARY_SENSORS
from .entities.descriptions import BINARY_SENSORS
from .entities.mqtt import MQTT_BINARY_SENSORS
from .entities.remote import REMOTE_BINARY_SENSORS
from .entities.services import ServiceKind, services_of
from .entity import IngestorEntity

PARALLEL_UPDATES = 0

_BINARY_SENSORS: Final[Mapping[ServiceKind, Sequence[IngestorBinarySensorDescription[Any]]]] = {
    ServiceKind.DESTINATION: BINARY_SENSORS,
    ServiceKind.DATA_API: DATA_API_BINARY_SENSORS,
    ServiceKind.REMOTE: REMOTE_BINARY_SENSORS,
    ServiceKind.MQTT: MQTT_BINARY_SENSORS,
}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HaIngestorConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors of each service."""
    for service in services_of(entry):
        async_add_entities(
            [IngestorBinarySensor(service, each) for each in _BINARY_SENSORS[service.kind]],
            config_subentry_id=service.subentry_id,
        )


class IngestorBinarySensor(IngestorEntity, BinarySensorEntity):
    """A binary sensor."""

    entity_description: IngestorBinarySensorDescription[Any]

    @property
    @override
    def is_on(self) -> bool | None:
        return self.entity_description.value_fn(self.coordinator.data)
