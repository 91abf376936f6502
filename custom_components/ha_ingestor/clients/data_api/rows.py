"""The rows of HomeIQ's data-api, with the names and types that its bulk_upsert takes."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class DeviceRow(TypedDict):
    """A device as the server stores it: complete, since what is null or missing is overwritten."""

    device_id: str
    name: str
    name_by_user: str | None
    manufacturer: str | None
    model: str | None
    model_id: str | None
    sw_version: str | None
    serial_number: str | None
    area_id: str | None
    integration: str | None
    entry_type: str | None
    configuration_url: str | None
    labels: Sequence[str]
    config_entry_id: str | None
    via_device_id: str | None


class EntityRow(TypedDict):
    """An entity as the server stores it."""

    entity_id: str
    device_id: str | None
    platform: str
    unique_id: str | None
    area_id: str | None
    disabled_by: str | None
    name: str | None
    original_name: str | None
    icon: str | None
    original_icon: str | None
    aliases: Sequence[str]
    labels: Sequence[str]
    options: Mapping[str, Any]
    config_entry_id: str | None
