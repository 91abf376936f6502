"""What Home Assistant's registries say of a home, in plain values that others can store.

A text is a text or None, never a number and never empty. Labels, aliases and every list of rows are
in an order that depends on their content only, so equal homes compare equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

type Services = Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device, or a part of one: that has a `parent_device_id` and no hardware of its own.

    `name` is what people call it: the name they gave it, or else the best there is.
    `area_id` is its own, `effective_area_id` else that of the device it is a part of.
    """

    device_id: str
    name: str
    name_by_user: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    model_id: str | None = None
    sw_version: str | None = None
    hw_version: str | None = None
    serial_number: str | None = None
    area_id: str | None = None
    effective_area_id: str | None = None
    integration: str | None = None
    entry_type: str | None = None
    configuration_url: str | None = None
    labels: tuple[str, ...] = ()
    config_entry_id: str | None = None
    via_device_id: str | None = None
    parent_device_id: str | None = None
    disabled_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """An entity of the registry; `registry_id` stays when the `entity_id` is changed.

    `area_id` is its own, `effective_area_id` else that of its device or its device's parent.
    `options` and `capabilities` hold only what JSON has.
    """

    entity_id: str
    registry_id: str
    platform: str
    unique_id: str | None = None
    device_id: str | None = None
    area_id: str | None = None
    effective_area_id: str | None = None
    disabled_by: str | None = None
    hidden_by: str | None = None
    name: str | None = None
    original_name: str | None = None
    icon: str | None = None
    original_icon: str | None = None
    aliases: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    config_entry_id: str | None = None
    entity_category: str | None = None
    device_class: str | None = None
    unit_of_measurement: str | None = None
    supported_features: int = 0
    capabilities: Mapping[str, Any] | None = field(default=None, hash=False)
    translation_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """An area."""

    area_id: str
    name: str
    floor_id: str | None = None
    icon: str | None = None
    aliases: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """A floor; `level` counts from the ground, which is 0."""

    floor_id: str
    name: str
    level: int | None = None
    icon: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label."""

    label_id: str
    name: str
    description: str | None = None
    color: str | None = None
    icon: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """All registries at one moment: no id twice, and a device after those it depends on."""

    devices: tuple[Device, ...] = ()
    entities: tuple[Entity, ...] = ()
    areas: tuple[Area, ...] = ()
    floors: tuple[Floor, ...] = ()
    labels: tuple[Label, ...] = ()
    services: Services = field(default_factory=dict, hash=False)
