"""Service devices, and the descriptions of entities on them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from homeassistant.components.binary_sensor import BinarySensorEntityDescription
from homeassistant.components.sensor import SensorEntityDescription
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_URL, EntityCategory
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo

from ..connection import PRODUCTS, destination
from ..const import DOMAIN
from ..coordinator import HaIngestorConfigEntry
from ..health.server import MANUFACTURERS, pages_of

type Reading = datetime | float | str | None
type Attributes = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service device: a destination, or a data-api. The identifier is stored.

    `pages` is the address of what the server shows to people, without credentials.
    """

    identifier: str
    name: str
    manufacturer: str
    model: str
    pages: str | None


def destination_service(entry: HaIngestorConfigEntry) -> Service:
    """Describe the database of an entry."""
    dialect = destination(entry.data).dialect
    return Service(
        identifier=entry.entry_id,
        name=entry.runtime_data.coordinator.title,
        manufacturer=MANUFACTURERS[dialect],
        model=PRODUCTS[dialect],
        pages=pages_of(entry.data),
    )


def data_api_service(subentry: ConfigSubentry) -> Service:
    """Describe the data-api of a subentry, whose pages describe its API."""
    return Service(
        identifier=subentry.subentry_id,
        name=subentry.title,
        manufacturer="HomeIQ",
        model="data-api",
        pages=f"{subentry.data[CONF_URL].rstrip('/')}/docs",
    )


def device_of(service: Service) -> DeviceInfo:
    """Describe the device of a service."""
    return DeviceInfo(
        identifiers={(DOMAIN, service.identifier)},
        entry_type=DeviceEntryType.SERVICE,
        name=service.name,
        manufacturer=service.manufacturer,
        model=service.model,
        configuration_url=service.pages,
    )


@dataclass(frozen=True, kw_only=True)
class IngestorSensorDescription[T](SensorEntityDescription):
    """The description of a sensor of this data."""

    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC
    value_fn: Callable[[T], Reading]
    attributes_fn: Callable[[T], Attributes] = lambda _data: {}


@dataclass(frozen=True, kw_only=True)
class IngestorBinarySensorDescription[T](BinarySensorEntityDescription):
    """The description of a binary sensor of this data."""

    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC
    value_fn: Callable[[T], bool | None]
    attributes_fn: Callable[[T], Attributes] = lambda _data: {}
