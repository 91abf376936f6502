"""All registries of Home Assistant at one moment, as a Home."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers import label_registry as lr
from homeassistant.helpers.service import async_get_all_descriptions

from ..enrich.device_parts import whole_of
from . import convert
from .model import Device, Entity, Home, Services
from .order import topological_order
from .values import plain_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Registries:
    """The entries as they are now; they are immutable, so any thread may read them later."""

    devices: tuple[dr.DeviceEntry, ...]
    parts: tuple[dr.ChildDeviceEntry, ...]
    entities: tuple[er.RegistryEntry, ...]
    areas: tuple[ar.AreaEntry, ...]
    floors: tuple[fr.FloorEntry, ...]
    labels: tuple[lr.LabelEntry, ...]
    # Domain and title by id.
    config_entries: Mapping[str, tuple[str, str]]

    @classmethod
    @callback
    def async_read(cls, hass: HomeAssistant) -> Self:
        """Take hold of every entry."""
        devices = dr.async_get(hass)
        return cls(
            devices=tuple(devices.devices),
            parts=tuple(devices.child_devices),
            entities=tuple(er.async_get(hass).entities.values()),
            areas=tuple(ar.async_get(hass).async_list_areas()),
            floors=tuple(fr.async_get(hass).async_list_floors()),
            labels=tuple(lr.async_get(hass).async_list_labels()),
            config_entries={
                entry.entry_id: (entry.domain, entry.title)
                for entry in hass.config_entries.async_entries()
            },
        )


async def async_snapshot(hass: HomeAssistant) -> Home:
    """Describe the home as it is now; the event loop only collects what a thread then reads."""
    return await hass.async_add_executor_job(describe, Registries.async_read(hass))


async def async_services(hass: HomeAssistant) -> Services:
    """Describe the actions; the first time Home Assistant reads many files for it."""
    descriptions = await async_get_all_descriptions(hass)
    services: Services = await hass.async_add_executor_job(plain_json, descriptions)
    return services


def describe(registries: Registries) -> Home:
    """Read entries into plain values."""
    devices: dict[str, dr.AnyDeviceEntry] = {entry.id: entry for entry in registries.devices}
    devices.update((entry.id, entry) for entry in registries.parts)
    successors = _successors(registries.devices)
    return Home(
        devices=topological_order(
            _device(entry, devices, successors, registries.config_entries)
            for entry in devices.values()
        ),
        entities=tuple(
            _entity(entry, devices, successors)
            for entry in sorted(registries.entities, key=lambda entry: entry.entity_id)
        ),
        areas=tuple(map(convert.area, sorted(registries.areas, key=lambda area: area.id))),
        floors=tuple(
            map(convert.floor, sorted(registries.floors, key=lambda floor: floor.floor_id))
        ),
        labels=tuple(
            map(convert.label, sorted(registries.labels, key=lambda label: label.label_id))
        ),
    )


def _successors(devices: Iterable[dr.DeviceEntry]) -> dict[str, dict[str | None, str]]:
    """Map the id of a device that was split to its parts by config entry, and None to the first.

    Until 2026.8 several integrations shared a device; its id may still be named somewhere.
    """
    found: dict[str, dict[str | None, str]] = {}
    for device in devices:
        if device.composite_device_id is not None:
            parts = found.setdefault(device.composite_device_id, {None: device.id})
            parts[device.config_entry_id] = device.id
            if device.config_entry_id == device.composite_primary_config_entry:
                parts[None] = device.id
    return found


def _resolve(
    device_id: str | None,
    config_entry_id: str | None,
    successors: Mapping[str, Mapping[str | None, str]],
) -> str | None:
    if device_id is None or device_id not in successors:
        return device_id
    parts = successors[device_id]
    return parts.get(config_entry_id, parts[None])


def _device(
    entry: dr.AnyDeviceEntry,
    devices: Mapping[str, dr.AnyDeviceEntry],
    successors: Mapping[str, Mapping[str | None, str]],
    config_entries: Mapping[str, tuple[str, str]],
) -> Device:
    # A child device has nothing else, and Home Assistant logs a warning when it is asked.
    hardware = entry if isinstance(entry, dr.DeviceEntry) else None
    return convert.device(
        entry,
        hardware,
        whole=whole_of(entry, devices.get),
        parent_device_id=(
            entry.parent_device_id if isinstance(entry, dr.ChildDeviceEntry) else None
        ),
        via_device_id=(
            _resolve(hardware.via_device_id, hardware.config_entry_id, successors)
            if hardware
            else None
        ),
        config_entry=config_entries.get(entry.config_entry_id),
    )


def _entity(
    entry: er.RegistryEntry,
    devices: Mapping[str, dr.AnyDeviceEntry],
    successors: Mapping[str, Mapping[str | None, str]],
) -> Entity:
    device = devices.get(_resolve(entry.device_id, entry.config_entry_id, successors) or "")
    return convert.entity(
        entry,
        device,
        whole=whole_of(device, devices.get),
        unit_of_measurement=entry.unit_of_measurement,
        supported_features=int(entry.supported_features or 0),
    )
