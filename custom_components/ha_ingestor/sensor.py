"""The numbers and moments of a destination's health, and of its data-api's."""

from typing import override

from homeassistant.components.sensor import SensorEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HaIngestorConfigEntry
from .entities.base import (
    IngestorSensorDescription,
    Reading,
    data_api_service,
    destination_service,
)
from .entities.data_api import DATA_API_SENSORS
from .entities.descriptions import SENSORS
from .entities.mqtt import MQTT_SENSORS, mqtt_service
from .entities.remote import REMOTE_SENSORS, remote_service
from .entity import IngestorEntity

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HaIngestorConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of one destination, and those of its data-api if it has one."""
    runtime = entry.runtime_data
    database = destination_service(entry)
    async_add_entities(IngestorSensor(runtime.coordinator, database, each) for each in SENSORS)
    if registries := runtime.registries:
        data_api = data_api_service(registries.subentry)
        async_add_entities(
            [IngestorSensor(registries, data_api, each) for each in DATA_API_SENSORS],
            config_subentry_id=registries.subentry.subentry_id,
        )
    for remote in runtime.remotes.all:
        home = remote_service(remote.subentry)
        async_add_entities(
            [IngestorSensor(remote.coordinator, home, each) for each in REMOTE_SENSORS],
            config_subentry_id=remote.subentry.subentry_id,
        )
    if mqtt := runtime.mqtt.mqtt:
        messages = mqtt_service(mqtt.subentry)
        async_add_entities(
            [IngestorSensor(mqtt.coordinator, messages, each) for each in MQTT_SENSORS],
            config_subentry_id=mqtt.subentry.subentry_id,
        )


class IngestorSensor[T](IngestorEntity[T], SensorEntity):
    """A sensor."""

    entity_description: IngestorSensorDescription[T]

    @property
    @override
    def native_value(self) -> Reading:
        return self.entity_description.value_fn(self.coordinator.data)
