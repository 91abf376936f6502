"""The numbers and moments of the services of an entry."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, override

from homeassistant.components.sensor import SensorEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HaIngestorConfigEntry
from .entities.base import IngestorSensorDescription, Reading
from .entities.data_api import DATA_API_SENSORS
from .entities.descriptions import SENSORS
from .entities.mqtt import MQTT_SENSORS
from .entities.remote import REMOTE_SENSORS
from .entities.services import ServiceKind, services_of
from .entity import IngestorEntity

PARALLEL_UPDATES = 0

_SENSORS: Final[Mapping[ServiceKind, Sequence[IngestorSensorDescription[Any]]]] = {
    ServiceKind.DESTINATION: SENSORS,
    ServiceKind.DATA_API: DATA_API_SENSORS,
    ServiceKind.REMOTE: REMOTE_SENSORS,
    ServiceKind.MQTT: MQTT_SENSORS,
}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HaIngestorConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of each service."""
    for service in services_of(entry):
        async_add_entities(
            [IngestorSensor(service, each) for each in _SENSORS[service.kind]],
            config_subentry_id=service.subentry_id,
        )


class IngestorSensor(IngestorEntity, SensorEntity):
    """A sensor."""

    entity_description: IngestorSensorDescription[Any]

    @property
    @override
    def native_value(self) -> Reading:
        return self.entity_description.value_fn(self.coordinator.data)
