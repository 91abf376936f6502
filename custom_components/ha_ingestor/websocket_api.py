"""The WebSocket API, for administrators: health, points as they are captured, previews."""

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any, Final

import voluptuous as vol
from homeassistant.components import websocket_api
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv

from .const import DOMAIN
from .coordinator import HaIngestorConfigEntry
from .health.home_entities import async_preview_filter
from .health.parts import store_of
from .health.readings import UnknownDestinationError, async_destinations, async_readings
from .health.texts.own_reasons import async_said
from .health.websocket.entity_changes import EntityChange, async_change, async_preview_change
from .health.websocket.live import Live, LiveHealth, LivePoints
from .health.websocket.recorded import async_recorded
from .health.websocket.report import reports
from .health.websocket.sample import Sample
from .options.noise import EFFECTS
from .options.page import OptionError

ATTR_CONFIG_ENTRY_ID: Final = "config_entry_id"
ATTR_ENTITY_ID: Final = "entity_id"
ATTR_FILTER: Final = "filter"
ATTR_RECORDED: Final = "recorded"
ATTR_RULES: Final = "rules"
ATTR_TEXT: Final = "text"

ENTITIES_MAX: Final = 100
TEXT_MAX: Final = 255
# More would make lists that nobody reads; patterns and groups are for that.
CHANGED_MAX: Final = 1000

_NOT_FOUND: Final = f"No destination has this {ATTR_CONFIG_ENTRY_ID}"

type Connection = websocket_api.ActiveConnection
type Message = dict[str, Any]
type Schema = dict[str | vol.Marker, Any]
type Answer = Callable[[HomeAssistant, Message], Awaitable[Message]]
type Command = Callable[[HomeAssistant, Connection, Message], None]

_ENTRY: Final[Schema] = {vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string}
_ONE_ENTRY: Final[Schema] = {vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string}
_CHANGE: Final[Schema] = {
    vol.Required(ATTR_ENTITY_ID): vol.All(
        cv.ensure_list, vol.Length(min=1, max=CHANGED_MAX), [cv.entity_id]
    ),
    vol.Optional(ATTR_RECORDED): bool,
    vol.Optional(ATTR_RULES): {vol.Optional(name): vol.Coerce(float) for name in EFFECTS},
}


@callback
def async_setup_commands(hass: HomeAssistant) -> None:
    """Register the commands."""
    for command in COMMANDS:
        websocket_api.async_register_command(hass, command)


def _answering(schema: Schema) -> Callable[[Answer], Command]:
    """Make a command of a function whose result is the answer."""

    def command(answer: Answer) -> Command:
        @wraps(answer)
        async def answered(hass: HomeAssistant, connection: Connection, msg: Message) -> None:
            try:
                found = await answer(hass, msg)
            except UnknownDestinationError:
                connection.send_error(msg["id"], websocket_api.ERR_NOT_FOUND, _NOT_FOUND)
            except OptionError as err:
                connection.send_error(
                    msg["id"],
                    websocket_api.ERR_INVALID_FORMAT,
                    f"{err.field}: {err.reason}",
                    translation_key=err.reason,
                    translation_domain=DOMAIN,
                    translation_placeholders={"invalid_value": err.invalid_value, **err.more},
                )
            else:
                connection.send_result(msg["id"], found)

        described = websocket_api.websocket_command(schema)
        return websocket_api.require_admin(described(websocket_api.async_response(answered)))

    return command


@_answering({vol.Required("type"): f"{DOMAIN}/health", **_ENTRY})
async def async_health(hass: HomeAssistant, msg: Message) -> Message:
    """Answer what is known of all destinations, or of one."""
    readings = await async_readings(hass, msg.get(ATTR_CONFIG_ENTRY_ID))
    return reports(readings, store_of(hass), partial(async_said, hass))


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/subscribe", **_ENTRY})
@callback
def async_subscribe(hass: HomeAssistant, connection: Connection, msg: Message) -> None:
    """Send the health now, and whenever it changes."""
    _follow(connection, msg, LiveHealth(**_live(hass, connection, msg)))


@websocket_api.require_admin
@websocket_api.websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/subscribe_points",
        **_ENTRY,
        vol.Optional(ATTR_ENTITY_ID): vol.All(
            cv.ensure_list, vol.Length(max=ENTITIES_MAX), [cv.entity_id]
        ),
        vol.Optional(ATTR_TEXT): vol.All(str, vol.Length(max=TEXT_MAX)),
    }
)
@callback
def async_subscribe_points(hass: HomeAssistant, connection: Connection, msg: Message) -> None:
    """Send a sample of the points that are captured from now on."""

    def new_sample() -> Sample:
        return Sample(entity_ids=msg.get(ATTR_ENTITY_ID, ()), text=msg.get(ATTR_TEXT, ""))

    _follow(connection, msg, LivePoints(**_live(hass, connection, msg), new_sample=new_sample))


@_answering(
    {
        vol.Required("type"): f"{DOMAIN}/preview_filter",
        **_ONE_ENTRY,
        vol.Required(ATTR_FILTER): dict,
    }
)
async def async_preview(hass: HomeAssistant, msg: Message) -> Message:
    """Answer what a destination would record with another filter."""
    return await async_preview_filter(hass, _entry(hass, msg), msg[ATTR_FILTER])


@_answering({vol.Required("type"): f"{DOMAIN}/entities", **_ONE_ENTRY})
async def async_entities(hass: HomeAssistant, msg: Message) -> Message:
    """Answer of every entity whether a destination records it, and what it costs."""
    return await async_recorded(hass, _entry(hass, msg))


@_answering({vol.Required("type"): f"{DOMAIN}/preview_entities", **_ONE_ENTRY, **_CHANGE})
async def async_preview_entities(hass: HomeAssistant, msg: Message) -> Message:
    """Answer what a change of some entities would do."""
    return await async_preview_change(hass, _entry(hass, msg), _change(msg))


@_answering({vol.Required("type"): f"{DOMAIN}/change_entities", **_ONE_ENTRY, **_CHANGE})
async def async_change_entities(hass: HomeAssistant, msg: Message) -> Message:
    """Change the options for some entities, and answer whether that is a change."""
    return async_change(hass, _entry(hass, msg), _change(msg))


@_answering({vol.Required("type"): f"{DOMAIN}/last_hour", **_ENTRY})
async def async_last_hour(hass: HomeAssistant, msg: Message) -> Message:
    """Answer what the last hour was like."""
    found = [
        {
            ATTR_CONFIG_ENTRY_ID: entry.entry_id,
            "samples": entry.runtime_data.coordinator.remembered.last_hour.as_dict()
            if entry.state is ConfigEntryState.LOADED
            else None,
        }
        for entry in async_destinations(hass, msg.get(ATTR_CONFIG_ENTRY_ID))
    ]
    return {"destinations": found}


def _entry(hass: HomeAssistant, msg: Message) -> HaIngestorConfigEntry:
    (entry,) = async_destinations(hass, msg[ATTR_CONFIG_ENTRY_ID])
    return entry


def _change(msg: Message) -> EntityChange:
    return EntityChange(
        entity_ids=tuple(dict.fromkeys(msg[ATTR_ENTITY_ID])),
        recorded=msg.get(ATTR_RECORDED),
        rules=msg.get(ATTR_RULES),
    )


def _live(hass: HomeAssistant, connection: Connection, msg: Message) -> dict[str, Any]:
    def send(content: dict[str, Any]) -> None:
        connection.send_event(msg["id"], content)

    return {"hass": hass, "entry_id": msg.get(ATTR_CONFIG_ENTRY_ID), "send": send}


def _follow(connection: Connection, msg: Message, live: Live) -> None:
    try:
        async_destinations(live.hass, live.entry_id)
    except UnknownDestinationError:
        connection.send_error(msg["id"], websocket_api.ERR_NOT_FOUND, _NOT_FOUND)
        return
    connection.subscriptions[msg["id"]] = live.async_stop
    connection.send_result(msg["id"])
    live.async_start()


COMMANDS: Final = (
    *(async_health, async_subscribe, async_subscribe_points, async_preview),
    *(async_entities, async_preview_entities, async_change_entities, async_last_hour),
)
