"""What the entities of a destination have in common."""

from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .connection import PRODUCTS, destination
from .const import DOMAIN, NAME
from .coordinator import HealthCoordinator


def service_device(identifier: str, name: str, model: str) -> DeviceInfo:
    """Describe what is no thing in the house: a destination, or a data-api."""
    return DeviceInfo(
        identifiers={(DOMAIN, identifier)},
        entry_type=DeviceEntryType.SERVICE,
        name=name,
        manufacturer=NAME,
        model=model,
    )


class IngestorEntity(CoordinatorEntity[HealthCoordinator]):
    """One reading of a destination's health, on its service device."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: HealthCoordinator, description: EntityDescription) -> None:
        """Attach to the destination's device."""
        super().__init__(coordinator)
        entry = coordinator.config_entry
        self.entity_description = description
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        model = PRODUCTS[destination(entry.data).dialect]
        self._attr_device_info = service_device(entry.entry_id, entry.title, model)
