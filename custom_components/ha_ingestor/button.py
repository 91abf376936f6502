"""The buttons of a destination and of its data-api, for administrators."""

from typing import Any, override

from homeassistant.components.button import ButtonEntity
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity, DataUpdateCoordinator

from .actions.errors import disk_errors
from .coordinator import HaIngestorConfigEntry
from .entities.base import Service, data_api_service, destination_service, device_of
from .entities.buttons import BUTTONS, DATA_API_BUTTONS, IngestorButtonDescription
from .tasks.shielded import async_shielded

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HaIngestorConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the buttons of one destination, and that of its data-api if it has one."""
    runtime = entry.runtime_data
    database = destination_service(entry)
    async_add_entities(
        IngestorButton(entry, runtime.coordinator, database, each) for each in BUTTONS
    )
    if registries := runtime.registries:
        data_api = data_api_service(registries.subentry)
        async_add_entities(
            [IngestorButton(entry, registries, data_api, each) for each in DATA_API_BUTTONS],
            config_subentry_id=registries.subentry.subentry_id,
        )


class IngestorButton(CoordinatorEntity[DataUpdateCoordinator[Any]], ButtonEntity):
    """Does what an action does, for those who may call the action."""

    _attr_has_entity_name = True
    entity_description: IngestorButtonDescription

    def __init__(
        self,
        entry: HaIngestorConfigEntry,
        coordinator: DataUpdateCoordinator[Any],
        service: Service,
        description: IngestorButtonDescription,
    ) -> None:
        """Attach to the device of the service."""
        super().__init__(coordinator)
        self.entity_description = description
        self._entry = entry
        self._attr_unique_id = f"{service.identifier}_{description.key}"
        self._attr_device_info = device_of(service)

    @property
    @override
    def available(self) -> bool:
        # Also while the health cannot be read: then it may be needed most.
        return self.entity_description.available_fn(self._entry)

    @override
    async def async_press(self) -> None:
        await self._async_check_user()
        with disk_errors(self._entry.title):
            await async_shielded(
                self.hass,
                self.entity_description.press_fn(self._entry),
                f"ha_ingestor {self.entity_description.key}",
            )

    async def _async_check_user(self) -> None:
        """Refuse all but administrators; Home Assistant lets every user press any button."""
        if (context := self._context) is None or context.user_id is None:
            return  # an automation
        user = await self.hass.auth.async_get_user(context.user_id)
        if user is None:
            raise UnknownUser(context=context, entity_id=self.entity_id)
        if not user.is_admin:
            raise Unauthorized(context=context, entity_id=self.entity_id)
