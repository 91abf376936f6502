"""The service devices of an entry: its database, its data-api, its remote homes, its messages."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_URL
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ..connection import PRODUCTS, destination
from ..const import DOMAIN
from ..coordinator import HaIngestorConfigEntry
from ..health.issues.issues import panel_url
from ..health.server import MANUFACTURERS


class ServiceKind(Enum):
    """What kind of service it is, which decides what entities there are."""

    DESTINATION = auto()
    DATA_API = auto()
    REMOTE = auto()
    MQTT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service device, and where the data of its entities come from. The identifier is stored.

    `pages` is the address of what there is to look at: the panel, or what the server shows to
    people, without credentials.
    """

    kind: ServiceKind
    coordinator: DataUpdateCoordinator[Any]
    identifier: str
    subentry_id: str | None
    name: str
    manufacturer: str
    model: str
    pages: str

    @property
    def device(self) -> DeviceInfo:
        """The device in the device registry."""
        return DeviceInfo(
            identifiers={(DOMAIN, self.identifier)},
            entry_type=DeviceEntryType.SERVICE,
            name=self.name,
            manufacturer=self.manufacturer,
            model=self.model,
            configuration_url=self.pages,
        )


def services_of(entry: HaIngestorConfigEntry) -> Iterator[Service]:
    """Describe what there is for an entry that is set up."""
    runtime = entry.runtime_data
    dialect = destination(entry.data).dialect
    yield Service(
        kind=ServiceKind.DESTINATION,
        coordinator=runtime.coordinator,
        identifier=entry.entry_id,
        subentry_id=None,
        name=runtime.coordinator.title,
        manufacturer=MANUFACTURERS[dialect],
        model=PRODUCTS[dialect],
        pages=_panel("flow", entry),
    )
    if registries := runtime.registries:
        yield _of_subentry(
            registries.subentry,
            ServiceKind.DATA_API,
            registries,
            manufacturer="HomeIQ",
            model="data-api",
            # Its pages describe its API.
            pages=f"{registries.subentry.data[CONF_URL].rstrip('/')}/docs",
        )
    for remote in runtime.remotes.all:
        yield _of_subentry(
            remote.subentry,
            ServiceKind.REMOTE,
            remote.coordinator,
            model="Remote Home Assistant",
            pages=remote.subentry.data[CONF_URL],
        )
    if mqtt := runtime.mqtt.mqtt:
        yield _of_subentry(
            mqtt.subentry,
            ServiceKind.MQTT,
            mqtt.coordinator,
            model="MQTT",
            pages=_panel("sources", entry),
        )


def _panel(view: str, entry: HaIngestorConfigEntry) -> str:
    # Home Assistant has this scheme for pages of its own.
    return f"homeassistant:/{panel_url(view, entry.entry_id)}"


def _of_subentry(
    subentry: ConfigSubentry,
    kind: ServiceKind,
    coordinator: DataUpdateCoordinator[Any],
    *,
    manufacturer: str = "Home Assistant",
    model: str,
    pages: str,
) -> Service:
    return Service(
        kind=kind,
        coordinator=coordinator,
        identifier=subentry.subentry_id,
        subentry_id=subentry.subentry_id,
        name=subentry.title,
        manufacturer=manufacturer,
        model=model,
        pages=pages,
    )
