"""The rows of the registries of another Home Assistant.

The attributes are called as those of Home Assistant's own entries, so that the same rules read
both. What a version does not send, or sends as something else, is empty.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityEntry:
    """An entity of the registry."""

    entity_id: str
    id: str
    platform: str
    unique_id: str | None = None
    config_entry_id: str | None = None
    device_id: str | None = None
    area_id: str | None = None
    labels: frozenset[str] = frozenset()
    disabled_by: str | None = None
    hidden_by: str | None = None
    entity_category: str | None = None
    device_class: str | None = None
    original_device_class: str | None = None
    name: str | None = None
    original_name: str | None = None
    icon: str | None = None
    original_icon: str | None = None
    translation_key: str | None = None
    aliases: tuple[str, ...] = ()
    capabilities: Mapping[str, Any] | None = field(default=None, hash=False)
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEntry:
    """A device, or a part of one: that has a `parent_device_id` and no hardware of its own."""

    id: str
    config_entry_id: str | None = None
    area_id: str | None = None
    labels: frozenset[str] = frozenset()
    name: str | None = None
    name_by_user: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    model_id: str | None = None
    sw_version: str | None = None
    hw_version: str | None = None
    serial_number: str | None = None
    entry_type: str | None = None
    configuration_url: str | None = None
    via_device_id: str | None = None
    parent_device_id: str | None = None
    disabled_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaEntry:
    """An area."""

    id: str
    name: str
    floor_id: str | None = None
    icon: str | None = None
    aliases: tuple[str, ...] = ()
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorEntry:
    """A floor."""

    floor_id: str
    name: str
    level: int | None = None
    icon: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelEntry:
    """A label."""

    label_id: str
    name: str
    description: str | None = None
    color: str | None = None
    icon: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigEntry:
    """A config entry, as far as everybody may see it."""

    entry_id: str
    domain: str
    title: str
    created_at: float = 0.0


type JsonObject = Mapping[str, Any]


def _text(row: JsonObject, name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) and value else None


def _texts(row: JsonObject, name: str) -> tuple[str, ...]:
    values = row.get(name)
    if not isinstance(values, list):
        return ()
    return tuple(value for value in values if isinstance(value, str))


def _object(row: JsonObject, name: str) -> Mapping[str, Any] | None:
    value = row.get(name)
    return value if isinstance(value, dict) else None


_ENTITY_TEXTS: Final = (
    *("unique_id", "config_entry_id", "device_id", "area_id", "disabled_by", "hidden_by"),
    *("entity_category", "device_class", "original_device_class", "name", "original_name"),
    *("icon", "original_icon", "translation_key"),
)
_DEVICE_TEXTS: Final = (
    *("config_entry_id", "area_id", "name", "name_by_user", "manufacturer", "model", "model_id"),
    *("sw_version", "hw_version", "serial_number", "entry_type", "configuration_url"),
    *("via_device_id", "parent_device_id", "disabled_by"),
)


def entity_entry(row: JsonObject) -> EntityEntry:
    """Read a row of the entity registry."""
    return EntityEntry(
        entity_id=str(row["entity_id"]),
        id=str(row["id"]),
        platform=str(row["platform"]),
        labels=frozenset(_texts(row, "labels")),
        aliases=_texts(row, "aliases"),
        capabilities=_object(row, "capabilities"),
        options=_object(row, "options") or {},
        **{name: _text(row, name) for name in _ENTITY_TEXTS},
    )


def device_entry(row: JsonObject) -> DeviceEntry:
    """Read a row of the device registry; before 2026.8 a device had several config entries."""
    texts = {name: _text(row, name) for name in _DEVICE_TEXTS}
    texts["config_entry_id"] = texts["config_entry_id"] or _text(row, "primary_config_entry")
    return DeviceEntry(
        id=str(row["id"]),
        labels=frozenset(_texts(row, "labels")),
        **texts,
    )


def area_entry(row: JsonObject) -> AreaEntry:
    """Read a row of the area registry."""
    return AreaEntry(
        id=str(row["area_id"]),
        name=str(row["name"]),
        floor_id=_text(row, "floor_id"),
        icon=_text(row, "icon"),
        aliases=_texts(row, "aliases"),
        labels=frozenset(_texts(row, "labels")),
    )


def floor_entry(row: JsonObject) -> FloorEntry:
    """Read a row of the floor registry."""
    level = row.get("level")
    return FloorEntry(
        floor_id=str(row["floor_id"]),
        name=str(row["name"]),
        level=level if isinstance(level, int) else None,
        icon=_text(row, "icon"),
        aliases=_texts(row, "aliases"),
    )


def label_entry(row: JsonObject) -> LabelEntry:
    """Read a row of the label registry."""
    return LabelEntry(
        label_id=str(row["label_id"]),
        name=str(row["name"]),
        description=_text(row, "description"),
        color=_text(row, "color"),
        icon=_text(row, "icon"),
    )


def config_entry(row: JsonObject) -> ConfigEntry:
    """Read a config entry."""
    created = row.get("created_at")
    return ConfigEntry(
        entry_id=str(row["entry_id"]),
        domain=str(row["domain"]),
        title=str(row.get("title", "")),
        created_at=float(created) if isinstance(created, (int, float)) else 0.0,
    )
