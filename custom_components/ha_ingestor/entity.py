"""What the entities of a destination have in common."""

from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .connection import destination
from .const import DOMAIN, NAME
from .coordinator import HealthCoordinator
from .flow_forms import PRODUCTS


class IngestorEntity(CoordinatorEntity[HealthCoordinator]):
    """One reading of a destination's health, on its service device."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: HealthCoordinator, description: EntityDescription) -> None:
        """Attach to the destination's device."""
        super().__init__(coordinator)
        entry = coordinator.config_entry
        self.entity_description = description
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, entry.entry_id)},
            entry_type=DeviceEntryType.SERVICE,
            name=entry.title,
            manufacturer=NAME,
            model=PRODUCTS[destination(entry.data).dialect],
        )
