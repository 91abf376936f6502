"""The registries as one dictionary: entity id → what its points say of it."""

from collections.abc import Callable
from typing import Final

from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    HomeAssistant,
    callback,
    split_entity_id,
)
from homeassistant.helpers import (
    area_registry as ar,
)
from homeassistant.helpers import (
    device_registry as dr,
)
from homeassistant.helpers import (
    entity_registry as er,
)

from .const import DOMAIN
from .pipeline.model import EntityContext

OWN_ENTITY: Final = "own_entity"


class Catalog(dict[str, EntityContext]):
    """Built on the first look at an entity, and again when a registry changes what it says.

    The registries fire their events before anything else can happen, so what is looked up during a
    state change is true as of that change. A removed or renamed entity keeps its description for
    its last event; `forget` it then.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Start empty."""
        super().__init__()
        self._hass = hass
        self._entities = er.async_get(hass)
        self._devices = dr.async_get(hass)
        self._areas = ar.async_get(hass)

    @callback
    def async_listen(self) -> CALLBACK_TYPE:
        """Follow the registries until the returned function is called."""
        listen = self._hass.bus.async_listen
        stops = [
            listen(er.EVENT_ENTITY_REGISTRY_UPDATED, self._entity_changed),
            listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, self._device_changed),
            listen(ar.EVENT_AREA_REGISTRY_UPDATED, self._area_changed),
        ]

        @callback
        def async_stop() -> None:
            for stop in stops:
                stop()

        return async_stop

    @callback
    def forget(self, entity_id: str) -> None:
        """Look at the registries again before the next event of this entity."""
        self.pop(entity_id, None)

    def __missing__(self, entity_id: str) -> EntityContext:
        context = self[entity_id] = self._describe(entity_id)
        return context

    def _describe(self, entity_id: str) -> EntityContext:
        domain = split_entity_id(entity_id)[0]
        entry = self._entities.async_get(entity_id)
        if entry is None:
            return EntityContext(entity_id=entity_id, domain=domain)
        if entry.platform == DOMAIN:
            return EntityContext(entity_id=entity_id, domain=domain, filtered=OWN_ENTITY)
        device = self._hardware(entry.device_id)
        area_id = er.async_get_effective_area_id(self._hass, entry) or ""
        area = self._areas.async_get_area(area_id)
        return EntityContext(
            entity_id=entity_id,
            domain=domain,
            integration=entry.platform,
            device_id=entry.device_id or "",
            area_id=area_id,
            area=area.name if area else "",
            manufacturer=_text(device and device.manufacturer),
            model=_text(device and device.model),
            sw_version=_text(device and device.sw_version),
        )

    def _hardware(self, device_id: str | None) -> dr.DeviceEntry | None:
        """Find the device that has a manufacturer; a child device is a part of its parent."""
        device = self._devices.async_get(device_id) if device_id else None
        if isinstance(device, dr.ChildDeviceEntry):
            device = self._devices.async_get(device.parent_device_id)
        return device if isinstance(device, dr.DeviceEntry) else None

    @callback
    def _entity_changed(self, event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        entity_id = event.data["entity_id"]
        if event.data["action"] != "remove" and entity_id in self:
            self[entity_id] = self._describe(entity_id)

    @callback
    def _device_changed(self, event: Event[dr.EventDeviceRegistryUpdatedData]) -> None:
        if event.data["action"] == "remove":
            return  # its entities go after it, and their last event still belongs to it
        device_id = event.data["device_id"]
        parts = {device_id} | {
            child.id for child in self._devices.child_devices if child.parent_device_id == device_id
        }
        self._describe_again(lambda context: context.device_id in parts)

    @callback
    def _area_changed(self, event: Event[ar.EventAreaRegistryUpdatedData]) -> None:
        area_id = event.data["area_id"]
        self._describe_again(lambda context: context.area_id == area_id)

    def _describe_again(self, concerned: Callable[[EntityContext], bool]) -> None:
        for entity_id in [key for key, context in self.items() if concerned(context)]:
            self[entity_id] = self._describe(entity_id)


def _text(value: object) -> str:
    """Registries promise text, integrations put numbers there."""
    return "" if value is None else str(value)
