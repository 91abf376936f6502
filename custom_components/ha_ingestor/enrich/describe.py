"""What the registries say of an entity, of whichever home they are."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ..const import DOMAIN
from ..pipeline.model import HERE, EntityContext, Instance
from .selection import EVERYTHING, EntityFilter, RuleTable, Traits, rules_for

OWN_ENTITY: Final = "own_entity"
EXCLUDED: Final = "excluded"


class Placed(Protocol):
    """Something that may have an area of its own."""

    @property
    def area_id(self) -> str | None: ...


class EntityLike(Placed, Protocol):
    """An entity of a registry; Home Assistant's entry is one."""

    @property
    def id(self) -> str: ...
    @property
    def platform(self) -> str: ...
    @property
    def device_id(self) -> str | None: ...
    @property
    def labels(self) -> AbstractSet[str]: ...
    @property
    def entity_category(self) -> str | None: ...
    @property
    def device_class(self) -> str | None: ...
    @property
    def original_device_class(self) -> str | None: ...


class DeviceLike(Placed, Protocol):
    """A device, or a part of one."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def name_by_user(self) -> str | None: ...
    @property
    def labels(self) -> AbstractSet[str]: ...


class HardwareLike(Placed, Protocol):
    """A device that is no part of another: it has a manufacturer."""

    @property
    def id(self) -> str: ...
    @property
    def manufacturer(self) -> str | None: ...
    @property
    def model(self) -> str | None: ...
    @property
    def sw_version(self) -> str | None: ...


class AreaLike(Protocol):
    """An area."""

    @property
    def name(self) -> str: ...
    @property
    def floor_id(self) -> str | None: ...


class Named(Protocol):
    """A floor or a label."""

    @property
    def name(self) -> str: ...


class RegistryView(Protocol):
    """The registries of one home as they are now; None for what is not in them."""

    def entity(self, entity_id: str) -> EntityLike | None: ...
    def device(self, device_id: str) -> DeviceLike | None: ...
    def hardware(self, device: DeviceLike) -> HardwareLike | None: ...
    def area(self, area_id: str) -> AreaLike | None: ...
    def floor(self, floor_id: str) -> Named | None: ...
    def label(self, label_id: str) -> Named | None: ...
    def device_class(self, entity_id: str) -> str: ...
    def was_ours(self, entity_id: str) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Describer:
    """Applies a filter and rules to what the registries of one home say."""

    registries: RegistryView
    entity_filter: EntityFilter = EVERYTHING
    rules: RuleTable = ()
    instance: Instance = HERE

    def describe(self, entity_id: str) -> EntityContext:
        """Describe an entity as it is now."""
        registries = self.registries
        traits, entry = self.traits(entity_id), registries.entity(entity_id)
        known: dict[str, Any] = {
            "entity_id": entity_id,
            "domain": traits.domain,
            "instance": self.instance,
        }
        if entry.platform == DOMAIN if entry else registries.was_ours(entity_id):
            return EntityContext(**known, filtered=OWN_ENTITY)
        known |= {
            "filtered": "" if self.entity_filter.captures(traits) else EXCLUDED,
            "rules": rules_for(traits, self.rules),
        }
        if entry is None:
            return EntityContext(**known)
        device, hardware = self._device_of(entry)
        area = registries.area(traits.area_id) if traits.area_id else None
        floor = registries.floor(traits.floor_id) if traits.floor_id else None
        return EntityContext(
            **known,
            registry_id=entry.id,
            entity_category=traits.category,
            integration=entry.platform,
            labels=self._names(traits.labels),
            area_id=traits.area_id,
            area=area.name if area else "",
            floor=floor.name if floor else "",
            device_id=entry.device_id or "",
            device=_text(device and (device.name_by_user or device.name)),
            manufacturer=_text(hardware and hardware.manufacturer),
            model=_text(hardware and hardware.model),
            sw_version=_text(hardware and hardware.sw_version),
        )

    def traits(self, entity_id: str) -> Traits:
        """Read what the entity can be chosen by."""
        registries, domain = self.registries, entity_id.partition(".")[0]
        entry = registries.entity(entity_id)
        if entry is None:
            return Traits(
                entity_id=entity_id, domain=domain, device_class=registries.device_class(entity_id)
            )
        device, hardware = self._device_of(entry)
        area_id = effective_area_id(entry, device, hardware)
        area = registries.area(area_id) if area_id else None
        return Traits(
            entity_id=entity_id,
            domain=domain,
            device_class=(
                entry.device_class
                or entry.original_device_class
                or registries.device_class(entity_id)
            ),
            integration=entry.platform,
            category=_text(entry.entity_category),
            area_id=area_id,
            floor_id=_text(area and area.floor_id),
            devices=frozenset(each.id for each in (device, hardware) if each),
            labels=frozenset(entry.labels | device.labels if device else entry.labels),
        )

    def _device_of(self, entry: EntityLike) -> tuple[DeviceLike | None, HardwareLike | None]:
        """Find the device of an entity, and the one with a manufacturer that it is a part of."""
        device = self.registries.device(entry.device_id) if entry.device_id else None
        return device, self.registries.hardware(device) if device else None

    def _names(self, labels: Iterable[str]) -> tuple[str, ...]:
        entries = (self.registries.label(label_id) for label_id in labels)
        return tuple(sorted(entry.name for entry in entries if entry))


def effective_area_id(*nearest_first: Placed | None) -> str:
    """Return the area of the first that has one: an entity, its device, the whole of that."""
    for entry in nearest_first:
        if entry and entry.area_id:
            return entry.area_id
    return ""


def _text(value: object) -> str:
    """Registries promise text, integrations put numbers there."""
    return "" if value is None else str(value)
