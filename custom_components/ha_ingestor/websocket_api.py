"""The WebSocket API, for administrators: health, points as they are captured, previews."""

from typing import Any, Final

import voluptuous as vol
from homeassistant.components import websocket_api
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv

from .const import DOMAIN
from .health.home_entities import async_preview_filter
from .health.live import Live, LiveHealth, LivePoints
from .health.readings import UnknownDestinationError, async_destinations, async_readings
from .health.recorded import async_recorded
from .health.report import report
from .health.sample import Sample
from .options.page import OptionError

ATTR_CONFIG_ENTRY_ID: Final = "config_entry_id"
ATTR_ENTITY_ID: Final = "entity_id"
ATTR_FILTER: Final = "filter"
ATTR_TEXT: Final = "text"

ENTITIES_MAX: Final = 100
TEXT_MAX: Final = 255

_NOT_FOUND: Final = f"No destination has this {ATTR_CONFIG_ENTRY_ID}"
_ENTRY: Final[dict[str | vol.Marker, Any]] = {vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string}

type Connection = websocket_api.ActiveConnection
type Message = dict[str, Any]


@callback
def async_setup_commands(hass: HomeAssistant) -> None:
    """Register the commands."""
    for command in COMMANDS:
        websocket_api.async_register_command(hass, command)


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/health", **_ENTRY})
@websocket_api.async_response
async def async_health(hass: HomeAssistant, connection: Connection, msg: Message) -> None:
    """Answer what is known of all destinations, or of one."""
    try:
        readings = await async_readings(hass, msg.get(ATTR_CONFIG_ENTRY_ID))
    except UnknownDestinationError:
        connection.send_error(msg["id"], websocket_api.ERR_NOT_FOUND, _NOT_FOUND)
        return
    connection.send_result(msg["id"], {"destinations": [report(each) for each in readings]})


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


@websocket_api.require_admin
@websocket_api.websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/preview_filter",
        vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string,
        vol.Required(ATTR_FILTER): dict,
    }
)
@websocket_api.async_response
async def async_preview(hass: HomeAssistant, connection: Connection, msg: Message) -> None:
    """Answer what a destination would record with another filter."""
    try:
        (entry,) = async_destinations(hass, msg[ATTR_CONFIG_ENTRY_ID])
        found = await async_preview_filter(hass, entry, msg[ATTR_FILTER])
    except UnknownDestinationError:
        connection.send_error(msg["id"], websocket_api.ERR_NOT_FOUND, _NOT_FOUND)
    except OptionError as err:
        message = f"{err.field}: {err.reason}"
        connection.send_error(msg["id"], websocket_api.ERR_INVALID_FORMAT, message)
    else:
        connection.send_result(msg["id"], found)


@websocket_api.require_admin
@websocket_api.websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/entities",
        vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string,
    }
)
@websocket_api.async_response
async def async_entities(hass: HomeAssistant, connection: Connection, msg: Message) -> None:
    """Answer of every entity whether a destination records it, and what it costs."""
    try:
        (entry,) = async_destinations(hass, msg[ATTR_CONFIG_ENTRY_ID])
    except UnknownDestinationError:
        connection.send_error(msg["id"], websocket_api.ERR_NOT_FOUND, _NOT_FOUND)
        return
    connection.send_result(msg["id"], await async_recorded(hass, entry))


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/last_hour", **_ENTRY})
@callback
def async_last_hour(hass: HomeAssistant, connection: Connection, msg: Message) -> None:
    """Answer what the last hour was like."""
    try:
        entries = async_destinations(hass, msg.get(ATTR_CONFIG_ENTRY_ID))
    except UnknownDestinationError:
        connection.send_error(msg["id"], websocket_api.ERR_NOT_FOUND, _NOT_FOUND)
        return
    found = [
        {
            ATTR_CONFIG_ENTRY_ID: entry.entry_id,
            "samples": entry.runtime_data.coordinator.remembered.last_hour.as_dict()
            if entry.state is ConfigEntryState.LOADED
            else None,
        }
        for entry in entries
    ]
    connection.send_result(msg["id"], {"destinations": found})


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
    *(async_entities, async_last_hour),
)
