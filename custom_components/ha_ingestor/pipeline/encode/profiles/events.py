"""Events that are no change of a state: a table of what is kept of each."""

from collections.abc import Iterable, Mapping
from types import NoneType
from typing import Any, Final

from ...model import OtherEvent, Point
from ...text import exact, has_truth, text_of
from ..attributes import attribute_fields, counted_json, left_out_field, without_secrets
from ..columns import TIDY_EVENTS
from ..line_protocol import quote, series_key
from ..masked import TEXTS
from ..privacy.nested import cleaned
from .base import PointSettings
from .fields import caused, tags_of

# What is kept of an event as text; of a service call also its data, of any other event all of it.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "automation_triggered": ("name", "source"),
    "script_started": ("name",),
    "call_service": ("service",),
    "logbook_entry": ("name", "message"),
    "entity_removed": ("old_state",),
    "entity_renamed": ("old_entity_id", "new_entity_id", "registry_id"),
    "entity_moved": ("old_area", "new_area", "old_area_id", "new_area_id"),
}
# All that our own events hold.
_OURS: Final[Mapping[str, frozenset[str]]] = {
    event_type: frozenset({*FIELDS[event_type], "entity_id"})
    for event_type in ("entity_removed", "entity_renamed", "entity_moved")
}
_SERVICE_CALL: Final = "call_service"
# By type, the data that holds what was typed into a keypad.
_TYPED_IN: Final[Mapping[str, str]] = {"zwave_js_notification": "event_data", "zha_event": "args"}
_SENDS_NUMBERS: Final = frozenset({"zha_event"})
_NUMBERS: Final = (bool, int, float, NoneType)
_CUT: Final = "..."
_SETS_TEXT: Final = frozenset((domain, "set_value") for domain in TEXTS)
# The domain whose services name the states of entities.
_SETS_STATES: Final = "scene"


def encode_other_event(event: OtherEvent, measurement: str, settings: PointSettings) -> Point:
    """Encode an event; each has `count=1.0`, so that events can be summed wherever numbers can.

    What the user chose as a tag is no field.
    """
    event_type, data, time, context, entity, instance = event
    entity_id = entity.entity_id if entity else data.get("entity_id")
    # A service called for several entities names them in a list, which is no tag.
    entity_id = exact(entity_id) if isinstance(entity_id, str) else ""
    unwanted = settings.attributes.unwanted
    domain = data.get("domain")
    # Whatever else it is may hold anything, and is no tag.
    is_plain = isinstance(domain, (str, int, float)) and domain
    domain = cleaned(text_of(domain), unwanted) if is_plain else entity_id.partition(".")[0]
    texts = {
        name: cleaned(text_of(data[name]), unwanted)
        for name in FIELDS.get(event_type, ())
        if has_truth(data.get(name))
    }
    series = series_key(
        measurement,
        (
            ("event_type", event_type),
            ("entity_id", entity_id),
            ("domain", domain),
            *settings.home_tags(entity.instance if entity else instance),
            *(tags_of(TIDY_EVENTS.entity_tags, entity, {}) if entity else ()),
            *((name, text) for name, text in texts.items() if name in settings.tags),
        ),
    )
    fields = ["count=1.0"]
    if not settings.numbers_only:
        fields += [
            f"{name}={quote(text)}" for name, text in texts.items() if name not in settings.tags
        ]
    fields += _content(event_type, data, settings)
    if not settings.numbers_only:
        fields.append(caused(context, settings.causes, settings.users))
    return series, ",".join(fields), time


def _content(event_type: str, data: Mapping[str, Any], settings: PointSettings) -> Iterable[str]:
    """Encode data as one text, and numbers beside it, so that no field changes its type."""
    policy = settings.attributes
    if event_type == _SERVICE_CALL:
        name, data = "service_data", _service_data(data)
    elif event_type not in FIELDS or _is_of_another(event_type, data):
        name, data = "event_data", _untyped(event_type, data)
    else:
        return
    wanted = without_secrets(data, coordinates=policy.coordinates, media=policy.media)
    wanted = wanted if isinstance(wanted, dict) else {"data": wanted}
    left_out = 0
    if not settings.numbers_only:
        text, left_out = counted_json(wanted, settings.dumps)
        yield f"{name}={quote(text)}"
    if event_type != _SERVICE_CALL:
        numbers, without = attribute_fields(wanted, settings.dumps, "data_", numbers_only=True)
        left_out = left_out or without
        yield from filter(None, [numbers[1:]])
    yield from filter(None, [left_out_field(left_out)[1:]])


def _is_of_another(event_type: str, data: Mapping[str, Any]) -> bool:
    """Whether an integration calls an event of its own as one of ours is called."""
    ours = _OURS.get(event_type)
    if ours is None:
        return False
    return not (data.keys() <= ours and all(isinstance(text, str) for text in data.values()))


def _untyped(event_type: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the data of an event without what was typed into a keypad and has no name."""
    name = _TYPED_IN.get(event_type)
    if name is None or name not in data:
        return data
    left = {key: item for key, item in data.items() if key != name}
    if event_type in _SENDS_NUMBERS and isinstance(data[name], (list, tuple)):
        # Numbers are how far and how fast; what is typed in is sent as text.
        left[name] = [item if isinstance(item, _NUMBERS) else _CUT for item in data[name]]
    return left


def _service_data(call: Mapping[str, Any]) -> Any:
    """Return the data of a service call; nobody knows here which text is typed as a password."""
    data = call.get("service_data")
    if data is None:
        return {}
    called = (text_of(call.get("domain")).lower(), text_of(call.get("service")).lower())
    if called in _SETS_TEXT and isinstance(data, Mapping):
        return {name: value for name, value in data.items() if name != "value"}
    if called[0] == _SETS_STATES and isinstance(data, Mapping):
        return {name: _without_texts(value) for name, value in data.items()}
    return data


def _without_texts(states: Any) -> Any:
    """Return the states that a scene sets, without those of texts."""
    if not isinstance(states, Mapping):
        return states
    return {
        entity_id: state
        for entity_id, state in states.items()
        if text_of(entity_id).partition(".")[0].lower() not in TEXTS
    }
