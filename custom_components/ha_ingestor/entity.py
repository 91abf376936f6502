"""The bases of all entities, which are on the device of a service."""

from typing import Any, override

from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity, DataUpdateCoordinator

from .entities.base import IngestorBinarySensorDescription, IngestorSensorDescription
from .entities.services import Service


class ServiceEntity(CoordinatorEntity[DataUpdateCoordinator[Any]]):
    """An entity on the device of a service."""

    _attr_has_entity_name = True

    def __init__(self, service: Service, description: EntityDescription) -> None:
        """Attach to the device."""
        super().__init__(service.coordinator)
        self.entity_description = description
        self._attr_translation_key = description.key
        self._attr_unique_id = f"{service.identifier}_{description.key}"
        self._attr_device_info = service.device


class IngestorEntity(ServiceEntity):
    """A value of a coordinator's data, as its description reads it."""

    # Counters that change all day, and lists, are shown but not recorded.
    _unrecorded_attributes = frozenset(
        {
            *("attempts", "misdated", "next_retry", "pending", "reasons", "received"),
            *("replayed", "rows", "since", "waiting"),
        }
    )
    entity_description: IngestorSensorDescription[Any] | IngestorBinarySensorDescription[Any]

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        return dict(self.entity_description.attributes_fn(self.coordinator.data))
