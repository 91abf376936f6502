"""The page of other events."""

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol
from homeassistant.const import (
    EVENT_CALL_SERVICE,
    EVENT_HOMEASSISTANT_CLOSE,
    EVENT_HOMEASSISTANT_FINAL_WRITE,
    EVENT_HOMEASSISTANT_START,
    EVENT_HOMEASSISTANT_STARTED,
    EVENT_HOMEASSISTANT_STOP,
    EVENT_LOGBOOK_ENTRY,
    EVENT_STATE_CHANGED,
    EVENT_STATE_REPORTED,
    MATCH_ALL,
    MAX_LENGTH_EVENT_EVENT_TYPE,
)
from homeassistant.helpers.selector import BooleanSelector

from .page import OptionError, Page
from .selectors import suggestions

EVENTS: Final = "events"

CONF_TYPES: Final = "types"
CONF_REPORTED: Final = "reported"
CONF_REGISTRIES: Final = "registries"

_DEFAULTS: Final[Mapping[str, Any]] = {
    CONF_TYPES: [],
    CONF_REPORTED: False,
    CONF_REGISTRIES: False,
}
# What is offered; a user may enter any other.
_TYPES: Final[tuple[str, ...]] = (
    *("automation_triggered", "script_started", EVENT_CALL_SERVICE, EVENT_LOGBOOK_ENTRY),
    *(str(EVENT_HOMEASSISTANT_START), str(EVENT_HOMEASSISTANT_STARTED)),
    *(str(EVENT_HOMEASSISTANT_STOP), str(EVENT_HOMEASSISTANT_FINAL_WRITE)),
)
_REFUSED: Final[Mapping[str, str]] = {
    str(EVENT_STATE_CHANGED): "always_captured",
    str(EVENT_STATE_REPORTED): "use_switch",
    MATCH_ALL: "every_event",
    # The spool is closed by then.
    str(EVENT_HOMEASSISTANT_CLOSE): "too_late",
}


def _accepted(entered: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to store of a filled-in page; raises OptionError."""
    types = [name.strip() for name in entered[CONF_TYPES]]
    for name in types:
        if not name:
            raise OptionError(CONF_TYPES, "event_type_empty")
        if len(name) > MAX_LENGTH_EVENT_EVENT_TYPE:
            raise OptionError(CONF_TYPES, "event_type_too_long", name)
        if reason := _REFUSED.get(name):
            raise OptionError(CONF_TYPES, reason, name)
    return {**entered, CONF_TYPES: list(dict.fromkeys(types))}


PAGE: Final = Page(
    key=EVENTS,
    schema=vol.Schema(
        {
            vol.Optional(CONF_TYPES): suggestions(_TYPES),
            vol.Required(CONF_REPORTED): BooleanSelector(),
            vol.Required(CONF_REGISTRIES): BooleanSelector(),
        }
    ),
    defaults=_DEFAULTS,
    validate=_accepted,
    placeholders={"max_length": str(MAX_LENGTH_EVENT_EVENT_TYPE)},
)


def event_types(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Read which other events are captured."""
    return tuple(PAGE.read(options)[CONF_TYPES])


def captures_reports(options: Mapping[str, Any]) -> bool:
    """Read whether writes that change nothing are captured."""
    return bool(PAGE.read(options)[CONF_REPORTED])


def captures_registries(options: Mapping[str, Any]) -> bool:
    """Read whether devices and entities are written when they change."""
    return bool(PAGE.read(options)[CONF_REGISTRIES])
