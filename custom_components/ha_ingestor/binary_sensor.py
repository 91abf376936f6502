"""Whether the database accepts points, and the data-api rows."""

from typing import override

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HaIngestorConfigEntry
from .entities.base import (
    IngestorBinarySensorDescription,
    data_api_service,
    destination_service,
)
from .entities.data_api import DATA_API_BINARY_SENSORS
from .entities.descriptions import BINARY_SENSORS
from .entities.mqtt import MQTT_BINARY_SENSORS, mqtt_service
from .entities.remote import REMOTE_BINARY_SENSORS, remote_service
from .entity import IngestorEntity

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HaIngestorConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the connection of one destination, and that of its data-api if it has one."""
    runtime = entry.runtime_data
    database = destination_service(entry)
    async_add_entities(
        IngestorBinarySensor(runtime.coordinator, database, each) for each in BINARY_SENSORS
    )
    if registries := runtime.registries:
        data_api = data_api_service(registries.subentry)
        async_add_entities(
            [IngestorBinarySensor(registries, data_api, each) for each in DATA_API_BINARY_SENSORS],
            config_subentry_id=registries.subentry.subentry_id,
        )
    for remote in runtime.remotes.all:
        home = remote_service(remote.subentry)
        async_add_entities(
            [
                IngestorBinarySensor(remote.coordinator, home, each)
                for each in REMOTE_BINARY_SENSORS
            ],
            config_subentry_id=remote.subentry.subentry_id,
        )
    if mqtt := runtime.mqtt.mqtt:
        messages = mqtt_service(mqtt.subentry)
        async_add_entities(
            [
                IngestorBinarySensor(mqtt.coordinator, messages, each)
                for each in MQTT_BINARY_SENSORS
            ],
            config_subentry_id=mqtt.subentry.subentry_id,
        )


class IngestorBinarySensor[T](IngestorEntity[T], BinarySensorEntity):
    """A sensor."""

    entity_description: IngestorBinarySensorDescription[T]

    @property
    @override
    def is_on(self) -> bool | None:
        return self.entity_description.value_fn(self.coordinator.data)
