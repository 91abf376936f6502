"""The buttons of a destination and of its data-api, for administrators."""

from collections.abc import Mapping, Sequence
from typing import Final, override

from homeassistant.components.button import ButtonEntity
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .actions.errors import disk_errors
from .coordinator import HaIngestorConfigEntry
from .entities.buttons import BUTTONS, DATA_API_BUTTONS, IngestorButtonDescription
from .entities.services import Service, ServiceKind, services_of
from .entity import ServiceEntity
from .tasks.shielded import async_shielded

PARALLEL_UPDATES = 0

_BUTTONS: Final[Mapping[ServiceKind, Sequence[IngestorButtonDescription]]] = {
    ServiceKind.DESTINATION: BUTTONS,
    ServiceKind.DATA_API: DATA_API_BUTTONS,
}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HaIngestorConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the buttons of each service."""
    for service in services_of(entry):
        async_add_entities(
            [IngestorButton(entry, service, each) for each in _BUTTONS.get(service.kind, ())],
            config_subentry_id=service.subentry_id,
        )


class IngestorButton(ServiceEntity, ButtonEntity):
    """Does what an action does, for those who may call the action."""

    entity_description: IngestorButtonDescription

    def __init__(
        self,
        entry: HaIngestorConfigEntry,
        service: Service,
        description: IngestorButtonDescription,
    ) -> None:
        """Attach to the device of the service."""
        super().__init__(service, description)
        self._entry = entry

    @property
    @override
    def available(self) -> bool:
        # Also while the health cannot be read: then it may be needed most.
        return self.entity_description.available_fn(self._entry)

    @override
    async def async_press(self) -> None:
        await self._async_check_user()
        with disk_errors(self.hass, self._entry.title):
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
