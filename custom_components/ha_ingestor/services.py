"""The actions: deliver now, what to do with points in quarantine, send the registries again."""

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_get_config_entry

from .const import DOMAIN
from .coordinator import IngestorRuntimeData

if TYPE_CHECKING:
    import probatio as vol  # what Home Assistant's signatures name, and what vol is at run time
else:
    import voluptuous as vol

ATTR_CONFIG_ENTRY: Final = "config_entry"

type Action = Callable[[IngestorRuntimeData], Coroutine[Any, Any, ServiceResponse]]


async def _flush(runtime: IngestorRuntimeData) -> ServiceResponse:
    await runtime.pipeline.flush()
    return None


async def _export(runtime: IngestorRuntimeData) -> ServiceResponse:
    records: list[Any] = await runtime.pipeline.quarantined()
    return {"points": records}


async def _replay(runtime: IngestorRuntimeData) -> ServiceResponse:
    return {"replayed": await runtime.pipeline.replay_quarantine()}


async def _purge(runtime: IngestorRuntimeData) -> ServiceResponse:
    return {"purged": await runtime.pipeline.purge_quarantine()}


async def _resync(runtime: IngestorRuntimeData) -> ServiceResponse:
    if runtime.registries is None:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_data_api")
    runtime.registries.sync.async_resync()
    return None


async def _chatty(runtime: IngestorRuntimeData) -> ServiceResponse:
    return (await runtime.pipeline.chatter()).as_dict()


ACTIONS: Final[Mapping[str, tuple[Action, SupportsResponse]]] = {
    "flush": (_flush, SupportsResponse.NONE),
    "export_quarantine": (_export, SupportsResponse.ONLY),
    "replay_quarantine": (_replay, SupportsResponse.OPTIONAL),
    "purge_quarantine": (_purge, SupportsResponse.OPTIONAL),
    "chatty_entities": (_chatty, SupportsResponse.ONLY),
    "resync_registries": (_resync, SupportsResponse.NONE),
}

SCHEMA: Final = vol.Schema({vol.Optional(ATTR_CONFIG_ENTRY): cv.string})


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    for name, (action, supports_response) in ACTIONS.items():
        hass.services.async_register(
            DOMAIN, name, _handler(action), schema=SCHEMA, supports_response=supports_response
        )


def _handler(action: Action) -> Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]:
    async def handle(call: ServiceCall) -> ServiceResponse:
        entry = async_get_config_entry(call.hass, DOMAIN, call.data.get(ATTR_CONFIG_ENTRY))
        try:
            return await action(entry.runtime_data)
        except OSError as err:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="spool_error",
                translation_placeholders={"detail": err.strerror or type(err).__name__},
            ) from err

    return handle
