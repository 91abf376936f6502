"""Several homes in a data-api, whose tables know one: ids of the others get a prefix, rows a label.

    light.porch of the instance "Cabin"      light.cabin__porch
    the device 5f0c…                         cabin__5f0c…
    areas and config entries                 cabin__attic, cabin__01M8…
    labels                                   as they are, and instance:Cabin

Home Assistant makes no entity ID with two underscores in a row, so no row of this home is called as
one of another home, and the other way around.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Final

from homeassistant.util import slugify

from ..registry.model import Device, Entity, Home

SEPARATOR: Final = "__"
LABEL: Final = "instance:"


def prefixes(instances: Iterable[str]) -> Mapping[str, str]:
    """Give each instance a prefix of its own; the first of those that are spelled alike stays."""
    found: dict[str, str] = {}
    for instance in instances:
        prefix = slugify(instance)
        if prefix in found.values():
            prefix = f"{prefix}_{blake2b(instance.encode(), digest_size=4).hexdigest()}"
        found[instance] = prefix
    return found


def prefix_of(key: str) -> str:
    """Read the prefix of the key of a row; that of a row of this home is empty."""
    _, _, object_id = key.rpartition(".")
    prefix, separator, _ = object_id.partition(SEPARATOR)
    return prefix if separator else ""


def merged(here: Home, others: Mapping[str, Home], prefixes: Mapping[str, str]) -> Home:
    """Add devices and entities of other homes, by their instances; actions are those of here."""
    own = {entity.entity_id for entity in here.entities}
    devices, entities = list(here.devices), list(here.entities)
    for instance, home in others.items():
        prefix, label = f"{prefixes[instance]}{SEPARATOR}", f"{LABEL}{instance}"
        devices += (_device(device, prefix, label) for device in home.devices)
        found = (_entity(entity, prefix, label) for entity in home.entities)
        # Very old registries may have two underscores.
        entities += (entity for entity in found if entity.entity_id not in own)
    return replace(here, devices=tuple(devices), entities=tuple(entities))


def _device(device: Device, prefix: str, label: str) -> Device:
    return replace(
        device,
        device_id=prefix + device.device_id,
        area_id=_key(prefix, device.area_id),
        effective_area_id=_key(prefix, device.effective_area_id),
        config_entry_id=_key(prefix, device.config_entry_id),
        via_device_id=_key(prefix, device.via_device_id),
        parent_device_id=_key(prefix, device.parent_device_id),
        labels=(*device.labels, label),
    )


def _entity(entity: Entity, prefix: str, label: str) -> Entity:
    domain, _, object_id = entity.entity_id.partition(".")
    return replace(
        entity,
        entity_id=f"{domain}.{prefix}{object_id}",
        registry_id=prefix + entity.registry_id,
        device_id=_key(prefix, entity.device_id),
        area_id=_key(prefix, entity.area_id),
        effective_area_id=_key(prefix, entity.effective_area_id),
        config_entry_id=_key(prefix, entity.config_entry_id),
        labels=(*entity.labels, label),
    )


def _key(prefix: str, of: str | None) -> str | None:
    return None if of is None else prefix + of
