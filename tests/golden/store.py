"""Captures as text, so that a home stays the same while everything around it changes."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Final

from custom_components.ha_ingestor.pipeline import model
from custom_components.ha_ingestor.pipeline.model import (
    EntityContext,
    OtherEvent,
    StateEvent,
    StateLike,
    Weather,
)
from tests.pipeline.state_events import FakeContext

HOME: Final = Path(__file__).with_name("home.json")

_TYPE: Final = "python type"
_KINDS: Final = {
    kind: kind
    for kind in (
        model.STATE_CHANGED,
        model.STATE_REPORTED,
        model.HEARTBEAT,
        model.ENTITY_REMOVED,
    )
}
_PLAIN: Final = (
    *("entity_id", "domain", "registry_id", "entity_category", "integration", "area_id", "area"),
    *("floor", "device_id", "device", "manufacturer", "model", "sw_version"),
)
# What nobody may find in a database stands here for what it was.
_SECRETS: Final = {"access_token": "a secret", "entity_picture": "/api/x_proxy/y?token=secret"}

_TO_TEXT: Final[Mapping[type, Any]] = {
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: timedelta.total_seconds,
    tuple: list,
    set: sorted,
    frozenset: sorted,
}
_FROM_TEXT: Final[Mapping[str, Any]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": lambda seconds: timedelta(seconds=seconds),
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredState:
    """A state as it was."""

    state: str
    attributes: Mapping[str, Any]
    last_changed_timestamp: float
    last_updated_timestamp: float
    state_info: Mapping[str, Any] | None = field(default=None)


def dump(state_events: Iterable[StateEvent | OtherEvent]) -> str:
    """Write captures, one in a line, after the descriptions of their entities."""
    entities: dict[int, EntityContext] = {}
    rows = [_row(state_event, entities) for state_event in state_events]
    numbers = {key: number for number, key in enumerate(entities)}
    for row in rows:
        if row["entity"] is not None:
            row["entity"] = numbers[row["entity"]]
    described = [_described(entity) for entity in entities.values()]
    return '{{"entities": [\n{}\n], "captures": [\n{}\n]}}\n'.format(
        ",\n".join(map(_text, described)), ",\n".join(map(_text, rows))
    )


def load(text: str) -> list[StateEvent | OtherEvent]:
    """Read captures."""
    content = json.loads(text)
    entities = [
        EntityContext(**{**row, "labels": tuple(row["labels"])}) for row in content["entities"]
    ]
    return [_capture(row, entities) for row in content["captures"]]


def _text(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False)


def _described(entity: EntityContext) -> dict[str, Any]:
    return {
        **{name: value for name in _PLAIN if (value := getattr(entity, name))},
        "labels": list(entity.labels),
    }


def _row(
    state_event: StateEvent | OtherEvent, entities: dict[int, EntityContext]
) -> dict[str, Any]:
    entity, context = state_event.entity, state_event.context
    if entity is not None:
        entities.setdefault(id(entity), entity)
    row = {
        "entity": None if entity is None else id(entity),
        "time": state_event.time,
        "context": [context.id, context.parent_id, context.user_id],
    }
    if isinstance(state_event, OtherEvent):
        return {**row, "event_type": state_event.event_type, "data": _plain(dict(state_event.data))}
    weather = state_event.weather
    return {
        **row,
        "kind": state_event.kind,
        "weather": weather and [getattr(weather, name) for name in Weather.__dataclass_fields__],
        "new": _state_row(state_event.new),
        "old": _state_row(state_event.old),
    }


def _state_row(state: StateLike | None) -> dict[str, Any] | None:
    if state is None:
        return None
    info = getattr(state, "state_info", None)
    return {
        "state": state.state,
        "changed": state.last_changed_timestamp,
        "updated": state.last_updated_timestamp,
        "attributes": _plain(
            {key: _SECRETS.get(key, value) for key, value in state.attributes.items()}
        ),
        "unrecorded": sorted(info["unrecorded_attributes"]) if info else None,
    }


def _capture(row: dict[str, Any], entities: list[EntityContext]) -> StateEvent | OtherEvent:
    entity = None if row["entity"] is None else entities[row["entity"]]
    id_, parent_id, user_id = row["context"]
    context = FakeContext(id=id_, parent_id=parent_id, user_id=user_id)
    if "event_type" in row:
        return OtherEvent(row["event_type"], _rich(row["data"]), row["time"], context, entity)
    if entity is None:
        raise ValueError(row)
    weather = row["weather"]
    return StateEvent(
        entity,
        _state(row["new"]),
        _state(row["old"]),
        row["time"],
        context,
        _KINDS[row["kind"]],
        weather and Weather(**dict(zip(Weather.__dataclass_fields__, weather, strict=True))),
    )


def _state(row: dict[str, Any] | None) -> StoredState | None:
    if row is None:
        return None
    unrecorded = row["unrecorded"]
    return StoredState(
        state=row["state"],
        attributes=_rich(row["attributes"]),
        last_changed_timestamp=row["changed"],
        last_updated_timestamp=row["updated"],
        state_info=None if unrecorded is None else {"unrecorded_attributes": frozenset(unrecorded)},
    )


def _plain(value: Any) -> Any:
    """Turn a value into what JSON has, with its type where JSON has none."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if to_text := _TO_TEXT.get(type(value)):
        return {_TYPE: type(value).__name__, "value": _plain(to_text(value))}
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise TypeError(value)


def _rich(value: Any) -> Any:
    if isinstance(value, list):
        return [_rich(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _TYPE in value:
        return _FROM_TEXT[value[_TYPE]](_rich(value["value"]))
    return {key: _rich(item) for key, item in value.items()}
