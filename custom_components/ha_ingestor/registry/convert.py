"""Entries of the registries, of this home or of another one, as rows of the model."""

from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers import label_registry as lr

from ..clients.homeassistant.entries import (
    AreaEntry,
    DeviceEntry,
    EntityEntry,
    FloorEntry,
    LabelEntry,
)
from ..enrich.describe import Placed, effective_area_id
from .model import Area, Device, Entity, Floor, Label
from .values import plain_json, text, texts, without_secrets

type AnyDevice = dr.AnyDeviceEntry | DeviceEntry
type Hardware = dr.DeviceEntry | DeviceEntry


def device(
    entry: AnyDevice,
    hardware: Hardware | None,
    *,
    whole: Placed | None,
    parent_device_id: str | None,
    via_device_id: str | None,
    config_entry: tuple[str, str] | None,
) -> Device:
    """Describe a device; a part of one has no `hardware`, and `whole` is what has it.

    `config_entry` are the domain and the title of the one that it belongs to.
    """
    domain, title = config_entry or (None, None)
    by_user, model = text(entry.name_by_user), text(hardware and hardware.model)
    return Device(
        device_id=entry.id,
        name=by_user or text(entry.name) or model or text(title) or entry.id,
        name_by_user=by_user,
        manufacturer=text(hardware and hardware.manufacturer),
        model=model,
        model_id=text(hardware and hardware.model_id),
        sw_version=text(hardware and hardware.sw_version),
        hw_version=text(hardware and hardware.hw_version),
        serial_number=text(hardware and hardware.serial_number),
        area_id=text(entry.area_id),
        effective_area_id=text(effective_area_id(entry, whole)),
        integration=text(domain),
        entry_type=text(hardware and hardware.entry_type),
        configuration_url=text(without_secrets(hardware and hardware.configuration_url)),
        labels=texts(sorted(entry.labels)),
        config_entry_id=text(entry.config_entry_id),
        via_device_id=via_device_id,
        parent_device_id=parent_device_id,
        disabled_by=text(entry.disabled_by),
    )


def entity(
    entry: er.RegistryEntry | EntityEntry,
    of: AnyDevice | None,
    *,
    whole: Placed | None,
    unit_of_measurement: str | None,
    supported_features: int,
) -> Entity:
    """Describe an entity of a device, or of none; `whole` is what that device is a part of."""
    return Entity(
        entity_id=entry.entity_id,
        registry_id=entry.id,
        platform=text(entry.platform) or "unknown",
        unique_id=text(entry.unique_id),
        device_id=of.id if of else None,
        area_id=text(entry.area_id),
        effective_area_id=text(effective_area_id(entry, of, whole)),
        disabled_by=text(entry.disabled_by),
        hidden_by=text(entry.hidden_by),
        name=text(entry.name),
        original_name=text(entry.original_name),
        icon=text(entry.icon),
        original_icon=text(entry.original_icon),
        # The mark for "its computed name" is no text.
        aliases=texts(alias for alias in entry.aliases if isinstance(alias, str)),
        labels=texts(sorted(entry.labels)),
        options=plain_json(without_secrets(entry.options)),
        config_entry_id=text(entry.config_entry_id),
        entity_category=text(entry.entity_category),
        device_class=text(entry.device_class) or text(entry.original_device_class),
        unit_of_measurement=text(unit_of_measurement),
        supported_features=supported_features,
        capabilities=None if entry.capabilities is None else plain_json(entry.capabilities),
        translation_key=text(entry.translation_key),
    )


def area(entry: ar.AreaEntry | AreaEntry) -> Area:
    """Describe an area."""
    return Area(
        area_id=entry.id,
        name=text(entry.name) or entry.id,
        floor_id=text(entry.floor_id),
        icon=text(entry.icon),
        aliases=texts(sorted(entry.aliases)),
        labels=texts(sorted(entry.labels)),
    )


def floor(entry: fr.FloorEntry | FloorEntry) -> Floor:
    """Describe a floor."""
    return Floor(
        floor_id=entry.floor_id,
        name=text(entry.name) or entry.floor_id,
        level=entry.level,
        icon=text(entry.icon),
        aliases=texts(sorted(entry.aliases)),
    )


def label(entry: lr.LabelEntry | LabelEntry) -> Label:
    """Describe a label."""
    return Label(
        label_id=entry.label_id,
        name=text(entry.name) or entry.label_id,
        description=text(entry.description),
        color=text(entry.color),
        icon=text(entry.icon),
    )
