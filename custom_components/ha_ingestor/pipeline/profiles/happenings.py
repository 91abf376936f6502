"""Events that are no change of a state: a table of what is kept of each."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ..attributes import attribute_fields, attributes_json, text_of, without_secrets
from ..line_protocol import quote, series_key
from ..model import Happening, Point
from .parts import caused, tags_of
from .settings import PointSettings

type FieldsOf = Callable[[Mapping[str, Any], PointSettings], Iterable[str]]

_TAGS: Final = ("area", "floor", "device_id", "integration")


def _texts(*names: str) -> FieldsOf:
    """Keep these and nothing else, as text."""

    def fields(data: Mapping[str, Any], _settings: PointSettings) -> Iterable[str]:
        return (f"{name}={quote(text_of(data[name]))}" for name in names if data.get(name))

    return fields


def _service_call(data: Mapping[str, Any], settings: PointSettings) -> Iterable[str]:
    yield from _texts("service")(data, settings)
    yield f"service_data={quote(_json(data.get('service_data') or {}, settings))}"


def _anything(data: Mapping[str, Any], settings: PointSettings) -> Iterable[str]:
    """Keep all as one text, and numbers as fields beside it, so that no field changes its type."""
    yield f"event_data={quote(_json(data, settings))}"
    yield from _numbers(data, settings)


def _numbers(data: Mapping[str, Any], settings: PointSettings) -> Iterable[str]:
    wanted = without_secrets(data)
    if text := attribute_fields(wanted, settings.dumps, "data_", numbers_only=True):
        yield text[1:]


FIELDS: Final[Mapping[str, FieldsOf]] = {
    "automation_triggered": _texts("name", "source"),
    "script_started": _texts("name"),
    "call_service": _service_call,
    "logbook_entry": _texts("name", "message"),
    "entity_removed": _texts("old_state"),
    "entity_renamed": _texts("old_entity_id", "new_entity_id", "registry_id"),
    "entity_moved": _texts("old_area", "new_area", "old_area_id", "new_area_id"),
}


def encode_happening(happening: Happening, measurement: str, settings: PointSettings) -> Point:
    """Encode an event; each has `count=1.0`, so that events can be summed wherever numbers can."""
    event_type, data, time, context, entity = happening
    entity_id = entity.entity_id if entity else data.get("entity_id")
    # A service called for several entities names them in a list, which is no tag.
    entity_id = entity_id if isinstance(entity_id, str) else ""
    domain = data.get("domain") or entity_id.partition(".")[0]
    series = series_key(
        measurement,
        (
            ("event_type", event_type),
            ("entity_id", entity_id),
            ("domain", text_of(domain)),
            ("location", settings.location),
            *(tags_of(_TAGS, entity, {}) if entity else ()),
        ),
    )
    if settings.numbers_only:
        numbers = () if event_type in FIELDS else _numbers(data, settings)
        return series, ",".join(["count=1.0", *numbers]), time
    fields = FIELDS.get(event_type, _anything)(data, settings)
    cause = caused(context, settings.causes, settings.users)
    return series, ",".join(["count=1.0", *fields, cause[:-1]]), time


def _json(data: Any, settings: PointSettings) -> str:
    wanted = without_secrets(data)
    return attributes_json(wanted if isinstance(wanted, dict) else {"data": wanted}, settings.dumps)
