"""What demo entities never do, written by hand."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from custom_components.ha_ingestor.pipeline.model import EntityContext, OtherEvent, StateEvent
from tests.pipeline.state_events import NOON, FakeContext, FakeState, entity

_CLOCK: Final = datetime.fromtimestamp(NOON, UTC)
_DESCRIBED: Final = {
    "integration": "odd",
    "device_id": "0d" * 16,
    "device": 'Box "A", new=yes \\',
    "area_id": "under_the_stairs",
    "area": "Under the stairs, left = right\\",
    "floor": "½",
    "labels": ("a b", 'c"d'),
    "manufacturer": "Ünïcode & Sons\n",
    "model": 'M"1\\',
    "sw_version": "v 1,0=β",
}

# What it is: the state, its attributes.
_STATES: Final[tuple[tuple[str, str, Mapping[str, Any]], ...]] = (
    ("sensor.hostile_name", "1", {"friendly_name": 'x",value=9 1\nm,t=u v="\\'}),
    ("sensor.hostile_unit", "1.5", {"unit_of_measurement": "#/cm3, =\\"}),
    ("sensor.hostile_class", "2", {"device_class": "a b,c=d\\"}),
    ("sensor.micro", "3", {"unit_of_measurement": "\u00b5g/m³", "device_class": "pm25"}),
    ("sensor.nothing", "", {}),
    ("sensor.infinite", "inf", {"value": float("inf"), "other": float("nan")}),
    ("sensor.underscores", "1_000", {}),
    ("sensor.exponent", "-1e-7", {"state_class": "measurement"}),
    ("sensor.huge", "1e309", {"count": 10**400}),
    ("sensor.long", "x" * 255, {"text": "long " * 200}),
    ("sensor.lines", "a\r\nb\tc\x00", {"lines": "a\nb"}),
    ("sensor.script", "日本語 🙂 e\u0301", {"名前": "値"}),
    (
        "sensor.shapes",
        "on",
        {
            "dict": {"a": {"b": [1, "two", None]}, "c": 1.5},
            "list": [1, 2.5, "x", [True]],
            "tuple": (1, 2),
            "set": {1, 2},
            "none": None,
            "yes": True,
            "when": _CLOCK,
            "day": date(2026, 11, 21),
            "moment": time(12, 30),
            "span": timedelta(minutes=5),
            "digits": "12",
            "mixed": "20 °C at 3 pm",
        },
    ),
    (
        "sensor.reserved",
        "7",
        {"state": "open", "value": 8, "time": 1, "_field": 2, "attributes": 3, "available": "no"},
    ),
    ("lock.vault", "locked", {"code": "1234", "api_key": "secret", "token": "secret", "ok": 1}),
    (
        "camera.door",
        "idle",
        {"entity_picture": "/api/camera?token=secret", "access_token": "secret"},
    ),
    ("device_tracker.phone", "not_home", {"latitude": 52.37, "longitude": 4.9, "gps_accuracy": 9}),
    ("media_player.tv", "playing", {"media_title": "News", "media_position": 3, "app_name": "TV"}),
)


def odd_captures() -> Iterable[StateEvent | OtherEvent]:
    """Return them, each after the other by a second."""
    number = 0
    seen: dict[str, tuple[EntityContext, FakeState]] = {}

    def state_event(entity_id: str, state: str, attributes: Mapping[str, Any]) -> StateEvent:
        nonlocal number
        number += 1
        at = NOON + number
        described, old = seen.get(entity_id, (entity(entity_id, **_DESCRIBED), None))
        changed = old.last_changed_timestamp if old and old.state == state else at
        new = FakeState(
            state=state,
            attributes=attributes,
            last_changed_timestamp=changed,
            last_updated_timestamp=at,
        )
        seen[entity_id] = described, new
        return StateEvent(described, new, old, at, FakeContext(parent_id=f"parent {number}"))

    for each in _STATES:
        yield state_event(*each)
    # One whose unit changes while it runs, and that is away in between.
    celsius = {"unit_of_measurement": "°C", "device_class": "temperature"}
    yield state_event("sensor.shed", "21.5", celsius)
    yield state_event("sensor.shed", "unavailable", {})
    yield state_event("sensor.shed", "70.7", {**celsius, "unit_of_measurement": "°F"})
    yield state_event("sensor.shed", "unknown", {**celsius, "unit_of_measurement": "°F"})
    yield state_event("sensor.shed", "wet", {"options": ["dry", "wet"]})
    described, last = seen["sensor.shed"]
    yield StateEvent(described, None, last, NOON + 100, FakeContext())
    data = {"text": 'a "b"\n', "number": 3, "deep": {"password": "secret", "list": [1, {}]}}
    yield OtherEvent("my event, odd=1", data, NOON + 101, FakeContext(user_id="nobody"), None)
