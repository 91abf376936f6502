"""Devices in an order in which they can be stored: each after those it names."""

from collections.abc import Iterable
from dataclasses import replace

from .model import Device


def topological_order(devices: Iterable[Device]) -> tuple[Device, ...]:
    """Sort devices after their `via` and their parent, and by id as far as that leaves a choice.

    A name that leads nowhere is dropped, and so is one that closes a circle. Of several devices
    with one id the first stays.
    """
    known: dict[str, Device] = {}
    for device in devices:
        known.setdefault(device.device_id, device)
    placed: dict[str, Device] = {}
    for device_id in sorted(known):
        # Walked with a stack, since a chain may be longer than Python's.
        path = [device_id]
        on_path = {device_id}
        while path:
            device = known[path[-1]]
            named = {device.via_device_id, device.parent_device_id} - {None}
            lost = {name for name in named if name not in known or name in on_path}
            waiting = sorted(name for name in named - lost - placed.keys() if name is not None)
            if waiting:
                path.append(waiting[0])
                on_path.add(waiting[0])
                continue
            on_path.discard(path.pop())
            if device.device_id not in placed:
                placed[device.device_id] = _without(device, lost)
    return tuple(placed.values())


def _without(device: Device, lost: set[str | None]) -> Device:
    if not lost:
        return device
    return replace(
        device,
        via_device_id=None if device.via_device_id in lost else device.via_device_id,
        parent_device_id=None if device.parent_device_id in lost else device.parent_device_id,
    )
