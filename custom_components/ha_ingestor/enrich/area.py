"""Where something is: in its own area, or else in that of what it is a part of."""

from collections.abc import Callable

from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er


def effective_area_id(*nearest_first: er.RegistryEntry | dr.AnyDeviceEntry | None) -> str:
    """Return the area of the first that has one: an entity, its device, the whole of that."""
    for entry in nearest_first:
        if entry and entry.area_id:
            return entry.area_id
    return ""


def whole_of(
    device: dr.AnyDeviceEntry | None, device_of: Callable[[str], dr.AnyDeviceEntry | None]
) -> dr.DeviceEntry | None:
    """Find the device that has a manufacturer; a child device is a part of its parent."""
    if isinstance(device, dr.ChildDeviceEntry):
        device = device_of(device.parent_device_id)
    return device if isinstance(device, dr.DeviceEntry) else None
