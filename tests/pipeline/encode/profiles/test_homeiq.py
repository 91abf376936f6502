"""What a point of the `homeiq` profile says."""

import enum
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from homeassistant.helpers.json import json_dumps
from hypothesis import given
from hypothesis import strategies as st
from line_protocol_parser import parse_line

from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder
from custom_components.ha_ingestor.pipeline.encode.line_protocol import STRING_MAX_BYTES
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.model import StateEvent
from tests.pipeline.state_events import NOON, FakeContext, FakeState, change, entity


def encoded(*state_events: StateEvent, **settings: Any) -> list[dict[str, Any]]:
    profile = HomeIQ(dumps=json_dumps, **settings)
    return [parse_line(line) for line in Encoder(profile=profile).encode(state_events).lines]


def point(state_event: StateEvent, **settings: Any) -> dict[str, Any]:
    (only,) = encoded(state_event, **settings)
    return only


def attributes_of(**attributes: Any) -> dict[str, Any]:
    text = point(change(FakeState(state="1", attributes=attributes)))["fields"]["attributes"]
    stored: dict[str, Any] = json.loads(text)
    return stored


def test_a_change_says_what_happened_where_and_why() -> None:
    kitchen = entity(
        device_id="dev1",
        area_id="kitchen",
        area="Kitchen, small",
        integration="demo",
        manufacturer="Acme",
        model="T1",
        sw_version="1.2",
    )
    new = FakeState(
        state="21.5",
        attributes={"unit_of_measurement": "°C", "device_class": "temperature"},
        last_changed_timestamp=NOON + 7.25,
        last_updated_timestamp=NOON + 7.250001,
    )
    old = FakeState(state="20", last_changed_timestamp=NOON)
    context = FakeContext(id="c1", parent_id="c0", user_id="u1")

    assert point(change(new, old, of=kitchen, context=context), location="Home") == {
        "measurement": "home_assistant_events",
        "tags": {
            "entity_id": "sensor.kitchen",
            "domain": "sensor",
            "event_type": "state_changed",
            "event_category": "climate",
            "device_class": "temperature",
            "device_id": "dev1",
            "area_id": "kitchen",
            "area": "Kitchen, small",
            "integration": "demo",
            "location": "Home",
        },
        "fields": {
            "value": 21.5,
            "state": "21.5",
            "state_value": "21.5",
            "old_state": "20",
            "previous_state": "20",
            "attributes": '{"device_class":"temperature","unit_of_measurement":"°C"}',
            "unit_of_measurement": "°C",
            "duration_in_state_seconds": 7.25,
            "context_id": "c1",
            "context_parent_id": "c0",
            "context_user_id": "u1",
            "manufacturer": "Acme",
            "model": "T1",
            "sw_version": "1.2",
        },
        "time": 1_795_262_407_250_001_000,
    }


def test_a_removed_entity_is_a_point_with_its_last_state() -> None:
    gone = point(change(None, FakeState(state="21"), time=NOON + 60))

    assert gone["tags"]["event_type"] == "entity_removed"
    assert gone["fields"]["old_state"] == "21"
    assert gone["time"] == 1_795_262_460_000_000_000
    assert gone["fields"].keys().isdisjoint({"state", "value", "duration_in_state_seconds"})


def test_a_change_of_attributes_only_spent_no_time_in_another_state() -> None:
    old = FakeState(state="on", attributes={"brightness": 1})
    new = FakeState(state="on", attributes={"brightness": 2}, last_updated_timestamp=NOON + 9)

    assert point(change(new, old))["fields"]["duration_in_state_seconds"] == 0.0


def test_a_clock_set_back_makes_no_negative_duration() -> None:
    old = FakeState(state="on", last_changed_timestamp=NOON + 3600)

    assert point(change(FakeState(state="off"), old))["fields"]["duration_in_state_seconds"] == 0.0


@pytest.mark.parametrize("state", ["unavailable", "unknown", "nan", "1_000", "٣"])
def test_what_is_no_number_has_no_value(state: str) -> None:
    fields = point(change(FakeState(state=state)))["fields"]

    assert "value" not in fields
    assert fields["state"] == state


def test_the_same_state_has_the_names_that_each_destination_wants() -> None:
    state_event = change(FakeState(state="7.25"), FakeState(state="6.75"))
    wanted: tuple[tuple[dict[str, bool], set[str]], ...] = (
        ({}, {"state", "state_value", "old_state", "previous_state"}),
        ({"aliases": False}, {"state", "old_state"}),
        ({"plain_names": False}, {"state_value", "previous_state"}),
    )
    for settings, names in (*wanted, *wanted):
        fields = point(state_event, **settings)["fields"]
        assert names == {name for name in fields if fields[name] in {"7.25", "6.75"}}


def test_the_same_state_is_a_number_for_a_sensor_and_a_text_for_a_select() -> None:
    for _ in range(2):
        assert point(change(FakeState(state="3.5")))["fields"]["value"] == 3.5
        choice = change(FakeState(state="3.5"), of=entity("select.speed"))
        assert "value" not in point(choice)["fields"]


def test_aliases_can_be_left_out() -> None:
    fields = point(change(FakeState(state="1"), FakeState(state="0")), aliases=False)["fields"]

    assert fields.keys().isdisjoint({"state_value", "previous_state"})


def test_databases_of_numbers_get_numbers_only() -> None:
    text = change(FakeState(state="playing"))
    number = change(FakeState(state="3"), FakeState(state="2"))
    result = Encoder(profile=HomeIQ(dumps=json_dumps, numbers_only=True)).encode([text, number])

    (line,) = result.lines
    assert parse_line(line)["fields"] == {"value": 3.0, "duration_in_state_seconds": 0.0}
    assert result.filtered == {"no_number": 1}


def test_two_changes_within_a_microsecond_are_two_points() -> None:
    state_events = [change(FakeState(state=str(number))) for number in range(4)]

    times = [point["time"] for point in encoded(*state_events)]

    assert times == [1_795_262_400_000_000_000 + 1000 * number for number in range(4)]


def test_a_clock_set_back_moves_no_point() -> None:
    state_events = [
        change(FakeState(state="1", last_updated_timestamp=NOON + offset)) for offset in (0, -3600)
    ]

    first, second = encoded(*state_events)

    assert first["time"] - second["time"] == 3600 * 10**9


@given(st.floats(0, 4e9))
def test_instants_are_those_of_home_assistant_to_the_microsecond(seconds: float) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    microseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // (moment.resolution)

    state = FakeState(state="1", last_updated_timestamp=seconds)

    assert point(change(state))["time"] == microseconds * 1000


class Color(enum.Enum):
    RED = "red"


class Hostile:
    def __str__(self) -> str:
        msg = "no text for you"
        raise RuntimeError(msg)


def recursive() -> dict[str, Any]:
    loop: dict[str, Any] = {}
    loop["self"] = loop
    return loop


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 11, 21, tzinfo=UTC),
        {1, 2},
        Color.RED,
        b"bytes",
        {"deep": [{"er": (1, {2})}]},
        float("nan"),
        float("inf"),
        2**70,
        "lone \ud800 surrogate",
        "null\0byte",
        {1: "key", None: "none", (1, 2): "tuple"},
        recursive(),
        Hostile(),
        object(),
        lambda: None,
    ],
    ids=lambda value: type(value).__name__,
)
def test_attributes_of_any_type_keep_their_neighbours(value: Any) -> None:
    stored = attributes_of(odd=value, time="t", value="v", state="s", plain=[1, "two"])

    assert "odd" in stored
    del stored["odd"]
    assert stored == {"time": "t", "value": "v", "state": "s", "plain": [1, "two"]}


def test_attributes_too_long_for_a_field_leave_out_the_longest() -> None:
    stored = attributes_of(long="x" * 70_000, short="kept", list=list(range(10_000)))

    assert stored == {"short": "kept"}


def test_many_attributes_are_kept_up_to_the_limit() -> None:
    attributes = {f"key{number:05}": "€" * 50 for number in range(1000)}
    text = point(change(FakeState(state="1", attributes=attributes)))["fields"]["attributes"]

    assert STRING_MAX_BYTES - 300 < len(text.encode()) <= STRING_MAX_BYTES
    assert attributes.items() >= json.loads(text).items()


def test_pictures_and_tokens_are_not_stored() -> None:
    stored = attributes_of(entity_picture="/api/x?token=abc", access_token="abc", volume=3)

    assert stored == {"volume": 3}


def test_a_device_class_that_is_a_list_becomes_text() -> None:
    odd = change(FakeState(state="1", attributes={"device_class": ["a", "list"]}))

    assert point(odd)["tags"]["device_class"] == "['a', 'list']"


def test_an_event_that_cannot_be_encoded_affects_no_other() -> None:
    broken = change(FakeState(state=None))  # type: ignore[arg-type]
    result = Encoder(profile=HomeIQ(dumps=json_dumps)).encode(
        [change(FakeState(state="1")), broken, change(FakeState(state="2"))]
    )

    assert len(result.lines) == 2
    assert result.filtered == {"not_encodable": 1}


@given(state=st.text(st.characters(codec=None)), name=st.text(st.characters(codec=None)))
def test_any_state_and_any_area_is_one_point(state: str, name: str) -> None:
    state_event = change(
        FakeState(state=state, attributes={"friendly_name": name}), of=entity(area=name)
    )
    encoded_state_event = Encoder(profile=HomeIQ(dumps=json_dumps)).encode([state_event])

    (line,) = encoded_state_event.lines
    raw = line.encode("utf-8", "replace")
    assert b"\n" not in raw
    assert parse_line(raw.decode())["tags"]["entity_id"] == "sensor.kitchen"
