"""The actions: deliver now, what to do with points in quarantine, send the registries again."""

import errno
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
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_get_config_entry, async_register_admin_service
from homeassistant.util.json import JsonValueType

from .const import DOMAIN
from .coordinator import HaIngestorConfigEntry, IngestorRuntimeData
from .health.server_text import plain
from .tasks.shielded import async_shielded

ATTR_CONFIG_ENTRY_ID: Final = "config_entry_id"
# The first name of it, which automations may still use.
ATTR_CONFIG_ENTRY: Final = "config_entry"

ATTR_LIMIT: Final = "limit"
# Home Assistant makes JSON of the answer in its event loop.
EXPORT_POINTS: Final = 1_000
EXPORT_POINTS_MAX: Final = 10_000

type Action = Callable[..., Coroutine[Any, Any, ServiceResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One action, given the destination and its `fields`.

    One that is for `every` destination needs none to be named.
    """

    action: Action
    response: SupportsResponse = SupportsResponse.NONE
    every: bool = False
    fields: Mapping[vol.Marker, Any] = field(default_factory=dict)


async def _flush(runtime: IngestorRuntimeData) -> ServiceResponse:
    await runtime.pipeline.flush()
    if error := (await runtime.pipeline.snapshot()).spool_error:
        raise OSError(errno.EIO, error)
    return None


async def _export(runtime: IngestorRuntimeData, limit: int = EXPORT_POINTS) -> ServiceResponse:
    newest: tuple[list[Any], int] = await runtime.pipeline.newest_quarantined(limit)
    records, total = newest
    return {"points": records, "total": total, **_problem(runtime)}


async def _replay(runtime: IngestorRuntimeData) -> ServiceResponse:
    replayed = await runtime.pipeline.replay_quarantine()
    await runtime.coordinator.async_forget_rejection()
    return {"replayed": replayed, **_problem(runtime)}


async def _purge(runtime: IngestorRuntimeData) -> ServiceResponse:
    purged = await runtime.pipeline.purge_quarantine()
    await runtime.coordinator.async_forget_rejection()
    return {"purged": purged, **_problem(runtime)}


def _problem(runtime: IngestorRuntimeData) -> dict[str, JsonValueType]:
    """Return which files could not be read, if any."""
    trouble = runtime.pipeline.quarantine_errors
    return {"problem": plain(trouble)} if trouble else {}


async def _resync(runtime: IngestorRuntimeData) -> ServiceResponse:
    if runtime.registries is None:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_data_api")
    runtime.registries.sync.async_resync()
    return None


async def _top_entities(runtime: IngestorRuntimeData) -> ServiceResponse:
    return (await runtime.pipeline.top_entities()).as_dict()


ACTIONS: Final[Mapping[str, Service]] = {
    "flush": Service(action=_flush, every=True),
    "export_quarantine": Service(
        action=_export,
        response=SupportsResponse.ONLY,
        fields={
            vol.Optional(ATTR_LIMIT): vol.All(
                vol.Coerce(int), vol.Range(min=1, max=EXPORT_POINTS_MAX)
            )
        },
    ),
    "replay_quarantine": Service(action=_replay, response=SupportsResponse.OPTIONAL),
    "purge_quarantine": Service(action=_purge, response=SupportsResponse.OPTIONAL),
    "chatty_entities": Service(action=_top_entities, response=SupportsResponse.ONLY),
    "resync_registries": Service(action=_resync),
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


def _handler(service: Service) -> Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]:
    async def handle(call: ServiceCall) -> ServiceResponse:
        name = f"ha_ingestor {call.service}"
        return await async_shielded(call.hass, carry_out(call), name)

    async def carry_out(call: ServiceCall) -> ServiceResponse:
        response: ServiceResponse = None
        failed: list[HomeAssistantError] = []
        names = {str(name) for name in service.fields}
        data = {name: value for name, value in call.data.items() if name in names}
        for entry in _destinations(call, every=service.every):
            try:
                response = await service.action(entry.runtime_data, **data)
            except OSError as err:
                detail = err.strerror or type(err).__name__
                failed.append(_spool_error(entry.title, detail))
            except HomeAssistantError as err:
                failed.append(err)
        if failed:
            raise failed[0]
        return response

    return handle


def _destinations(call: ServiceCall, *, every: bool) -> list[HaIngestorConfigEntry]:
    """Find the named destination, or the only one, or all; raises where there is none."""
    named = call.data.get(ATTR_CONFIG_ENTRY_ID) or call.data.get(ATTR_CONFIG_ENTRY)
    there = call.hass.config_entries.async_entries(DOMAIN, include_disabled=False)
    loaded = [entry for entry in there if entry.state is ConfigEntryState.LOADED]
    if named is None and every and loaded:
        return loaded
    if named is None and len(there) > 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="several_destinations",
            translation_placeholders={"field": ATTR_CONFIG_ENTRY_ID, "count": str(len(there))},
        )
    return [async_get_config_entry(call.hass, DOMAIN, named)]


def _spool_error(title: str, detail: str) -> HomeAssistantError:
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="spool_error",
        translation_placeholders={"title": plain(title), "detail": plain(detail)},
    )
