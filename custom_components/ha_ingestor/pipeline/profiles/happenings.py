"""Events that are no change of a state: a table of what is kept of each."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..attributes import attribute_fields, counted_json, left_out_field, without_secrets
from ..columns import TIDY_EVENTS
from ..line_protocol import quote, series_key
from ..model import Happening, Point
from ..privacy import cleaned
from ..text import text_of
from .parts import caused, tags_of
from .settings import PointSettings

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
_SERVICE_CALL: Final = "call_service"


def encode_happening(happening: Happening, measurement: str, settings: PointSettings) -> Point:
    """Encode an event; each has `count=1.0`, so that events can be summed wherever numbers can.

    What the user chose as a tag is no field.
    """
    event_type, data, time, context, entity = happening
    entity_id = entity.entity_id if entity else data.get("entity_id")
    # A service called for several entities names them in a list, which is no tag.
    entity_id = entity_id if isinstance(entity_id, str) else ""
    unwanted = settings.attributes.unwanted
    domain = data.get("domain") or entity_id.partition(".")[0]
    texts = {
        name: cleaned(text_of(data[name]), unwanted)
        for name in FIELDS.get(event_type, ())
        if data.get(name)
    }
    series = series_key(
        measurement,
        (
            ("event_type", event_type),
            ("entity_id", entity_id),
            ("domain", cleaned(text_of(domain), unwanted)),
            ("location", settings.location),
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
        fields.append(caused(context, settings.causes, settings.users)[:-1])
    return series, ",".join(fields), time


def _content(event_type: str, data: Mapping[str, Any], settings: PointSettings) -> Iterable[str]:
    """Encode data as one text, and numbers beside it, so that no field changes its type."""
    policy = settings.attributes
    if event_type == _SERVICE_CALL:
        name, data = "service_data", data.get("service_data") or {}
    elif event_type not in FIELDS:
        name = "event_data"
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
