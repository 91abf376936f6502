"""The base of all entities: a value of a coordinator's data, on a service device."""

from typing import Any, override

from homeassistant.helpers.update_coordinator import CoordinatorEntity, DataUpdateCoordinator

from .entities.base import (
    IngestorBinarySensorDescription,
    IngestorSensorDescription,
    Service,
    device_of,
)


class IngestorEntity[T](CoordinatorEntity[DataUpdateCoordinator[T]]):
    """A value, as its description reads it."""

    _attr_has_entity_name = True
    # Counters that change all day, and lists, are shown but not recorded.
    _unrecorded_attributes = frozenset(
        {
            *("attempts", "misdated", "next_retry", "pending", "reasons", "received"),
            *("replayed", "rows", "since", "waiting"),
        }
    )
    entity_description: IngestorSensorDescription[T] | IngestorBinarySensorDescription[T]

    def __init__(
        self,
        coordinator: DataUpdateCoordinator[T],
        service: Service,
        description: IngestorSensorDescription[T] | IngestorBinarySensorDescription[T],
    ) -> None:
        """Attach to the device of the service."""
        super().__init__(coordinator)
        self.entity_description = description
        self._attr_unique_id = f"{service.identifier}_{description.key}"
        self._attr_device_info = device_of(service)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        return dict(self.entity_description.attributes_fn(self.coordinator.data))
