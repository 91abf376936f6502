"""The present states of remote homes over HTTP, from memory, for administrators."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web
from homeassistant.components.http import KEY_HASS, HomeAssistantView, require_admin
from homeassistant.const import CONTENT_TYPE_JSON
from homeassistant.core import HomeAssistant, callback

from ...clients.encoding import encode
from ...clients.exchange import HIDDEN
from ...clients.homeassistant.states import State
from ...const import DOMAIN
from ...pipeline.encode.attributes import without_secrets
from ...pipeline.encode.masked import TEXTS, holds_secret
from .health import RemoteState

# More than a large home has.
LIMIT_MAX: Final = 10_000
_FILTERS: Final = ("instance", "domain", "entity_id")
_PAGES: Final = {"limit": LIMIT_MAX, "offset": 0}
_COMPRESS_BYTES: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeStates:
    """The states of a home, and the state of the connection to it."""

    instance: str
    health: RemoteState
    states: tuple[State, ...]


class StatesView(HomeAssistantView):
    """Answers with what each home said last; while it is not connected that is stale."""

    url = f"/api/{DOMAIN}/states"
    name = f"api:{DOMAIN}:states"
    requires_auth = True

    @require_admin
    async def get(self, request: web.Request) -> web.Response:
        """Answer a query, or return what is wrong with it."""
        query = dict(request.query)
        try:
            pages = {name: int(query.pop(name, default)) for name, default in _PAGES.items()}
        except ValueError:
            return self.json_message("limit and offset are numbers", HTTPStatus.BAD_REQUEST)
        if unknown := query.keys() - set(_FILTERS):
            message = f"Unknown parameter: {min(unknown)}"
            return self.json_message(message, HTTPStatus.BAD_REQUEST)
        if not 1 <= pages["limit"] <= LIMIT_MAX or pages["offset"] < 0:
            message = f"limit is 1 to {LIMIT_MAX}, offset 0 or more"
            return self.json_message(message, HTTPStatus.BAD_REQUEST)
        hass = request.app[KEY_HASS]
        body = await hass.async_add_executor_job(
            _answer, async_homes(hass), query, pages["offset"], pages["limit"]
        )
        response = web.Response(body=body, content_type=CONTENT_TYPE_JSON)
        if len(body) > _COMPRESS_BYTES:
            response.enable_compression()
        return response


@callback
def async_homes(hass: HomeAssistant) -> list[HomeStates]:
    """Collect the states of every remote home; one of several destinations is there once."""
    found: dict[str, HomeStates] = {}
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        for remote in entry.runtime_data.remotes.all:
            name, health = remote.link.settings.instance, remote.link.health.state
            if name not in found or health.connected:
                states = tuple(remote.link.home.states.states.values())
                found[name] = HomeStates(instance=name, health=health, states=states)
    return list(found.values())


@callback
def async_connected(hass: HomeAssistant) -> set[str]:
    """Name the remote homes that are connected."""
    return {
        remote.link.settings.instance
        for entry in hass.config_entries.async_loaded_entries(DOMAIN)
        for remote in entry.runtime_data.remotes.all
        if remote.link.health.now.connected
    }


def _answer(
    homes: Iterable[HomeStates], wanted: Mapping[str, str], offset: int, limit: int
) -> bytes:
    chosen = [home for home in homes if wanted.get("instance") in {None, "", home.instance}]
    states = [
        (home, state)
        for home in chosen
        for state in home.states
        if wanted.get("entity_id") in {None, "", state.entity_id}
        and wanted.get("domain") in {None, "", state.entity_id.partition(".")[0]}
    ]
    return encode(
        {
            "instances": [_home(home) for home in chosen],
            "states": [_state(*pair) for pair in states[offset : offset + limit]],
            "count": len(states[offset : offset + limit]),
            "total": len(states),
        }
    )


def _home(home: HomeStates) -> dict[str, Any]:
    health = home.health
    return {
        "instance": home.instance,
        "connected": bool(health.connected),
        "stale": not health.connected,
        "last_connected": health.last_connected.isoformat() if health.last_connected else None,
        "entities": len(home.states),
    }


def _state(home: HomeStates, state: State) -> dict[str, Any]:
    context = state.context
    return {
        "instance": home.instance,
        "entity_id": state.entity_id,
        "state": HIDDEN if _is_secret(state) else state.state,
        "attributes": without_secrets(state.attributes),
        "last_changed": _moment(state.last_changed_timestamp),
        "last_updated": _moment(state.last_updated_timestamp),
        "context": {
            "id": context.id,
            "parent_id": context.parent_id,
            "user_id": context.user_id,
        },
        "stale": not home.health.connected,
    }


def _is_secret(state: State) -> bool:
    return state.entity_id.partition(".")[0] in TEXTS and holds_secret(state)


def _moment(seconds: float) -> str | None:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except ValueError, OverflowError, OSError:
        return None  # another home sends anything
