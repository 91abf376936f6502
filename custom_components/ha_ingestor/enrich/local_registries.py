"""The registries of this Home Assistant, as the rules read them."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers import label_registry as lr

from ..const import DOMAIN
from .describe import DeviceLike
from .device_parts import whole_of


class LocalRegistries:
    """Looks everything up where it is."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Find the registries."""
        self._states = hass.states
        self._entities = er.async_get(hass)
        self.entity = self._entities.async_get
        self._devices = dr.async_get(hass)
        self.device = self._devices.async_get
        self.area = ar.async_get(hass).async_get_area
        self.floor = fr.async_get(hass).async_get_floor
        self.label = lr.async_get(hass).async_get_label
        self._were_ours: frozenset[str] = frozenset()
        self._deleted = 0

    def hardware(self, device: DeviceLike) -> dr.DeviceEntry | None:
        """Find the device that this is a part of, or itself."""
        if isinstance(device, (dr.DeviceEntry, dr.ChildDeviceEntry)):
            return whole_of(device, self._devices.async_get)
        return None

    def device_class(self, entity_id: str) -> str:
        """Ask the state, where the registry says nothing."""
        state = self._states.get(entity_id)
        device_class = state.attributes.get("device_class") if state else None
        return device_class if isinstance(device_class, str) else ""

    def was_ours(self, entity_id: str) -> bool:
        """Whether it was an entity of a destination that is gone, and nobody took its name."""
        if self._states.get(entity_id):
            return False
        deleted = self._entities.deleted_entities
        # There may be thousands, and each entity of the recorder is looked for.
        if len(deleted) != self._deleted:
            self._deleted = len(deleted)
            self._were_ours = frozenset(
                each.entity_id for each in deleted.values() if each.platform == DOMAIN
            )
        return entity_id in self._were_ours
