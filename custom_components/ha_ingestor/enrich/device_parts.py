"""What a device is a part of."""

from collections.abc import Callable

from homeassistant.helpers import device_registry as dr


def whole_of(
    device: dr.AnyDeviceEntry | None, device_of: Callable[[str], dr.AnyDeviceEntry | None]
) -> dr.DeviceEntry | None:
    """Find the device that has a manufacturer; a child device is a part of its parent."""
    if isinstance(device, dr.ChildDeviceEntry):
        device = device_of(device.parent_device_id)
    return device if isinstance(device, dr.DeviceEntry) else None
