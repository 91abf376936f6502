"""The actions: which there are, for which destinations, and who may use them."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import voluptuous as vol
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_get_config_entry, async_register_admin_service
from homeassistant.util.json import JsonObjectType

from .actions import backfill
from .actions.delivery import (
    async_flush,
    async_pause,
    async_resume,
    async_resync,
    async_top_entities,
)
from .actions.errors import disk_errors, wrong_input
from .actions.points import FIELDS, async_write_points
from .actions.quarantine import EXPORT_POINTS_MAX, async_export, async_purge, async_replay
from .actions.self_test import async_self_test
from .const import DOMAIN
from .coordinator import HaIngestorConfigEntry
from .health.add_dashboard import async_add_dashboard
from .health.readings import async_why_none
from .tasks.shielded import async_shielded

ATTR_CONFIG_ENTRY_ID: Final = "config_entry_id"
# The first name of it, which automations may still use.
ATTR_CONFIG_ENTRY: Final = "config_entry"

ATTR_LIMIT: Final = "limit"

type Action = Callable[..., Coroutine[Any, Any, JsonObjectType | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One action, given the destination and its `fields`.

    One that is for `every` destination needs none to be named, and lists what each returned.
    """

    action: Action
    response: SupportsResponse = SupportsResponse.OPTIONAL
    every: bool = False
    fields: Mapping[Any, Any] = field(default_factory=dict)


def _whole_number(entered: Any) -> int:
    """Return a whole number; a fraction is not cut."""
    number: float = vol.Coerce(float)(entered)
    if not number.is_integer():
        raise vol.Invalid("expected a whole number")
    return int(number)


ACTIONS: Final[Mapping[str, Service]] = {
    "flush": Service(action=async_flush, every=True),
    "pause": Service(action=async_pause, every=True),
    "resume": Service(action=async_resume, every=True),
    "export_quarantine": Service(
        action=async_export,
        response=SupportsResponse.ONLY,
        fields={
            vol.Optional(ATTR_LIMIT): vol.All(
                _whole_number, vol.Range(min=1, max=EXPORT_POINTS_MAX)
            )
        },
    ),
    "replay_quarantine": Service(action=async_replay),
    "purge_quarantine": Service(action=async_purge),
    "chatty_entities": Service(action=async_top_entities, response=SupportsResponse.ONLY),
    "self_test": Service(action=async_self_test, response=SupportsResponse.ONLY, every=True),
    "write_points": Service(action=async_write_points, fields=FIELDS),
    "backfill": Service(action=backfill.async_backfill, fields=backfill.FIELDS),
    **{
        name: Service(action=action, response=SupportsResponse.NONE)
        for name, action in (
            ("pause_backfill", backfill.async_pause_backfill),
            ("resume_backfill", backfill.async_resume_backfill),
            ("cancel_backfill", backfill.async_cancel_backfill),
        )
    },
    "resync_registries": Service(action=async_resync, response=SupportsResponse.NONE),
}

SCHEMA: Final = vol.Schema(
    {
        vol.Exclusive(ATTR_CONFIG_ENTRY_ID, "destination"): cv.string,
        vol.Exclusive(ATTR_CONFIG_ENTRY, "destination"): cv.string,
    }
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions: each of them changes something or returns private data."""
    for name, service in ACTIONS.items():
        async_register_admin_service(
            hass,
            DOMAIN,
            name,
            _handler(service),
            SCHEMA.extend(dict(service.fields)),
            service.response,
        )
    async_register_admin_service(
        hass,
        DOMAIN,
        "add_dashboard",
        async_add_dashboard,
        vol.Schema({}),
        SupportsResponse.OPTIONAL,
    )


def _handler(service: Service) -> Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]:
    names = {str(name) for name in service.fields}

    async def handle(call: ServiceCall) -> ServiceResponse:
        name = f"ha_ingestor {call.service}"
        return await async_shielded(call.hass, carry_out(call), name)

    async def carry_out(call: ServiceCall) -> ServiceResponse:
        data = {name: value for name, value in call.data.items() if name in names}
        if not service.every:
            return await for_one(_destination(call), data)
        entries = _destinations(call)
        # Each does what it can, also where another one fails.
        found = await asyncio.gather(
            *(for_one(entry, data) for entry in entries), return_exceptions=True
        )
        for each in found:
            if isinstance(each, BaseException):
                raise each
        return {
            "destinations": [
                {ATTR_CONFIG_ENTRY_ID: entry.entry_id, "title": entry.title, **(each or {})}
                for entry, each in zip(entries, found, strict=True)
                if not isinstance(each, BaseException)
            ]
        }

    async def for_one(
        entry: HaIngestorConfigEntry, data: Mapping[str, Any]
    ) -> JsonObjectType | None:
        with disk_errors(entry.runtime_data.coordinator.hass, entry.title):
            return await service.action(entry, **data)

    return handle


def _named(call: ServiceCall) -> str | None:
    # An empty text names none, as a script passes that leaves it open.
    return call.data.get(ATTR_CONFIG_ENTRY_ID) or call.data.get(ATTR_CONFIG_ENTRY) or None


def _destination(call: ServiceCall) -> HaIngestorConfigEntry:
    """Find the named destination, or the only one; raises where there is none or several."""
    named = _named(call)
    there = call.hass.config_entries.async_entries(DOMAIN, include_disabled=False)
    if named is None and not there:
        raise wrong_input(async_why_none(call.hass))
    if named is None and len(there) > 1:
        raise wrong_input("several_destinations", field=ATTR_CONFIG_ENTRY_ID, count=str(len(there)))
    entry: HaIngestorConfigEntry = async_get_config_entry(call.hass, DOMAIN, named)
    return entry


def _destinations(call: ServiceCall) -> list[HaIngestorConfigEntry]:
    """Find the named destination, or all that are loaded; raises where there is none."""
    loaded = [
        entry
        for entry in call.hass.config_entries.async_entries(DOMAIN)
        if entry.state is ConfigEntryState.LOADED
    ]
    return loaded if loaded and _named(call) is None else [_destination(call)]
