"""What a change of state has to look like in a database, said without the integration's code.

Home Assistant's REST interface tells what the state was and became; everything here follows from
that and from the description of the `homeiq` profile.
"""

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from unittest.mock import ANY

import pytest

from scripts.rig.onboarding import NAME

LOCATION: Final = "Rig"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# A heartbeat may be as late as a commit on a busy machine.
_BEAT_WITHIN_US: Final = 5_000_000
_CONTROLS: Final = dict.fromkeys(range(32), " ")
# What a database of numbers is sent, everything else it would store as 0.
_NUMBERS: Final = ("value", "duration_in_state_seconds", "count", "heartbeat")

type State = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A point, as it has to be found, not further than `within_us` from its time."""

    tags: dict[str, str]
    fields: dict[str, Any]
    time_us: int
    within_us: int = 0

    @property
    def entity_id(self) -> str:
        """Of which entity."""
        return self.tags["entity_id"]

    def numbers_only(self) -> Expected | None:
        """Return what a database of numbers has of it, None when that is nothing."""
        numbers: dict[str, Any] = {key: self.fields[key] for key in _NUMBERS if key in self.fields}
        if "value" in numbers:
            # VictoriaMetrics keeps 14 digits or so.
            numbers["value"] = pytest.approx(numbers["value"], rel=1e-12)
        if not numbers:
            return None
        return replace(self, fields=numbers)


def microseconds(moment: str) -> int:
    """Microseconds since 1970 of what Home Assistant writes as ISO 8601."""
    return (datetime.fromisoformat(moment) - _EPOCH) // timedelta(microseconds=1)


def change(
    new: State,
    old: State | None = None,
    *,
    value: float | None = None,
    tags: Mapping[str, str] | None = None,
    fields: Mapping[str, Any] | None = None,
    unrecorded: Collection[str] = (),
) -> Expected:
    """Say what a change from `old` to `new` is as a point.

    `tags` and `fields` are what its class and the registries add, and who caused it; `unrecorded`
    are the attributes that its integration wants to have in no history.
    """
    attributes = {key: each for key, each in new["attributes"].items() if key not in unrecorded}
    found: dict[str, Any] = {
        "state": _text(new["state"]),
        "state_value": _text(new["state"]),
        "attributes": attributes,
    }
    if value is not None:
        found["value"] = value
    if unit := attributes.get("unit_of_measurement"):
        found["unit_of_measurement"] = unit
    if old is not None:
        lasted = microseconds(new["last_changed"]) - microseconds(old["last_changed"])
        found["duration_in_state_seconds"] = pytest.approx(lasted / 1e6, abs=2e-6)
    return Expected(
        tags=_tags(new["entity_id"]) | dict(tags or {}),
        fields=found | _former(old) | _context(new["context"]) | dict(fields or {}),
        time_us=microseconds(new["last_updated"]),
    )


def heartbeat(state: State, seconds: float, *, value: float) -> Expected:
    """Say how a state without an end is written again, so long after it was set."""
    point = change(state, state, value=value)
    later = point.time_us + int(seconds * 1e6)
    fields = {**point.fields, "heartbeat": True}
    return replace(point, fields=fields, time_us=later, within_us=_BEAT_WITHIN_US)


def marker(
    event_type: str,
    entity_id: str,
    action: Callable[[], object],
    *,
    tags: Mapping[str, str],
    fields: Mapping[str, str],
) -> Expected:
    """Do what changes the registries, and say what marks it.

    Home Assistant keeps to itself in which context the registries change, and when exactly.
    """
    began = time.time_ns() // 1000
    action()
    took = time.time_ns() // 1000 - began
    registered = _tags(entity_id) | {"event_type": event_type}
    del registered["event_category"]
    return Expected(
        tags=registered | dict(tags),
        fields={"count": 1.0, "context_id": ANY, **fields},
        time_us=began,
        within_us=took + 1,
    )


def stored_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Read the attributes in a stored point, whose order and spacing mean nothing."""
    if "attributes" not in fields:
        return dict(fields)
    return {**fields, "attributes": json.loads(fields["attributes"])}


def _tags(entity_id: str) -> dict[str, str]:
    return {
        "entity_id": entity_id,
        "domain": entity_id.partition(".")[0],
        "event_type": "state_changed",
        "event_category": "monitoring",
        "location": LOCATION,
    }


def _former(old: State | None) -> dict[str, str]:
    if old is None:
        return {}
    return {"old_state": _text(old["state"]), "previous_state": _text(old["state"])}


def _context(context: Mapping[str, str | None]) -> dict[str, str]:
    names = {"id": "context_id", "parent_id": "context_parent_id", "user_id": "context_user_id"}
    known = {name: value for key, name in names.items() if (value := context[key])}
    return known | ({"context_user": NAME} if context["user_id"] else {})


def _text(text: str) -> str:
    return text.translate(_CONTROLS)
