"""What a user chooses of points, whatever the profile."""

import json
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from homeassistant.helpers.json import json_dumps
from hypothesis import given
from hypothesis import strategies as st
from line_protocol_parser import parse_line

from custom_components.ha_ingestor.pipeline.encode.attributes import (
    FLAT_MAX,
    AttributesPolicy,
    Shape,
    without_secrets,
)
from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder
from custom_components.ha_ingestor.pipeline.encode.profiles.base import Availability
from custom_components.ha_ingestor.pipeline.encode.profiles.core import Core
from custom_components.ha_ingestor.pipeline.encode.profiles.events import FIELDS
from custom_components.ha_ingestor.pipeline.encode.profiles.fields import TAGS
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from custom_components.ha_ingestor.pipeline.model import (
    HEARTBEAT,
    STATE_REPORTED,
    Convert,
    OtherEvent,
    StateEvent,
    Weather,
)
from tests.pipeline.state_events import NOON, FakeContext, FakeState, change, entity

PROFILES: list[type[HomeIQ | Tidy]] = [HomeIQ, Tidy]
both = pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.__name__)

KITCHEN = entity(
    registry_id="reg1",
    entity_category="diagnostic",
    integration="demo",
    labels=("heating", "ground floor"),
    area_id="kitchen",
    area="Kitchen",
    floor="Ground",
    device_id="dev1",
    device="Thermometer",
    manufacturer="Acme",
    model="T1",
    sw_version="1.2",
)


def encoded(
    profile: type[HomeIQ | Tidy], *state_events: StateEvent | OtherEvent, **settings: Any
) -> list[dict[str, Any]]:
    encoder = Encoder(profile=profile(dumps=json_dumps, **settings))
    return [parse_line(line) for line in encoder.encode(state_events).lines]


def point(
    profile: type[HomeIQ | Tidy], state_event: StateEvent | OtherEvent, **settings: Any
) -> dict[str, Any]:
    (only,) = encoded(profile, state_event, **settings)
    return only


def attributes(state: FakeState, shape: Shape, **policy: Any) -> dict[str, Any]:
    """The fields that attributes become in the `homeiq` profile."""
    settings = AttributesPolicy(shape=shape, **policy)
    fields = point(HomeIQ, change(state), attributes=settings)["fields"]
    return {name: value for name, value in fields.items() if name.startswith("attr")}


def test_a_tidy_point_is_a_number_with_few_columns() -> None:
    new = FakeState(
        state="21.5",
        attributes={
            "unit_of_measurement": "°C",
            "device_class": "temperature",
            "friendly_name": "Kitchen",
            "battery_level": 80,
            "firmware": "1.2",
        },
        last_changed_timestamp=NOON + 7,
        last_updated_timestamp=NOON + 7,
    )

    assert point(Tidy, change(new, FakeState(state="20"), of=KITCHEN), location="Home") == {
        "measurement": "sensor",
        "tags": {
            "entity_id": "sensor.kitchen",
            "area": "Kitchen",
            "floor": "Ground",
            "device": "Thermometer",
            "integration": "demo",
            "device_class": "temperature",
            "unit": "°C",
            "location": "Home",
        },
        "fields": {"value": 21.5, "duration_in_state_seconds": 7.0, "battery_level": 80.0},
        "time": round((NOON + 7) * 1e9),
    }


def test_a_tidy_text_is_a_state_and_what_means_yes_or_no_is_both() -> None:
    assert point(Tidy, change(FakeState(state="heat")))["fields"] == {"state": "heat"}
    assert point(Tidy, change(FakeState(state="on")))["fields"] == {"state": "on", "value": 1.0}


def test_a_removed_entity_is_a_tidy_event() -> None:
    removed = point(Tidy, change(None, FakeState(state="on"), of=KITCHEN))

    assert removed["measurement"] == "events"
    assert removed["tags"]["event_type"] == "entity_removed"
    assert removed["fields"]["old_state"] == "on"


def test_a_tidy_attribute_never_takes_the_name_of_a_field_of_ours() -> None:
    state = FakeState(state="1", attributes={"value": 7, "state": 8})
    policy = AttributesPolicy(shape=Shape.NUMERIC)

    assert point(Tidy, change(state), attributes=policy)["fields"] == {
        "value": 1.0,
        "attr_value": 7.0,
        "attr_state": 8.0,
    }


@both
def test_each_tag_can_be_chosen(profile: type[HomeIQ | Tidy]) -> None:
    state = FakeState(
        state="1",
        attributes={
            "device_class": "power",
            "state_class": "measurement",
            "unit_of_measurement": "W",
        },
    )

    assert point(profile, change(state, of=KITCHEN), tags=tuple(TAGS))["tags"].items() >= {
        ("entity_id", "sensor.kitchen"),
        ("domain", "sensor"),
        ("registry_id", "reg1"),
        ("integration", "demo"),
        ("entity_category", "diagnostic"),
        ("labels", "|heating|ground floor|"),
        ("area_id", "kitchen"),
        ("area", "Kitchen"),
        ("floor", "Ground"),
        ("device_id", "dev1"),
        ("device", "Thermometer"),
        ("manufacturer", "Acme"),
        ("model", "T1"),
        ("sw_version", "1.2"),
        ("device_class", "power"),
        ("state_class", "measurement"),
        ("unit", "W"),
    }


@both
def test_a_unit_that_changes_while_running_changes_its_tag(profile: type[HomeIQ | Tidy]) -> None:
    kitchen = entity()
    states = [FakeState(state="1", attributes={"unit_of_measurement": unit}) for unit in "WVW"]
    points = encoded(profile, *(change(state, of=kitchen) for state in states), tags=("unit",))

    assert [each["tags"]["unit"] for each in points] == ["W", "V", "W"]


@both
@pytest.mark.parametrize("kind", [HEARTBEAT, STATE_REPORTED])
def test_a_repetition_has_the_time_at_which_it_happened(
    profile: type[HomeIQ | Tidy], kind: str
) -> None:
    state, kitchen = FakeState(state="1"), entity()
    repeated = change(state, state, of=kitchen, time=NOON + 60)._replace(kind=kind)

    _, found = encoded(profile, change(state, of=kitchen), repeated)
    assert found["time"] == round((NOON + 60) * 1e9)
    assert found["fields"]["duration_in_state_seconds"] == 0


@both
@pytest.mark.parametrize("numbers_only", [False, True])
def test_a_heartbeat_is_on_the_line_of_its_entity_and_says_what_it_is(
    profile: type[HomeIQ | Tidy], *, numbers_only: bool
) -> None:
    state, kitchen = FakeState(state="1"), entity()
    changed = change(state, state, of=kitchen)
    points = encoded(
        profile,
        changed,
        changed._replace(kind=HEARTBEAT, time=NOON + 60),
        changed._replace(kind=STATE_REPORTED, time=NOON + 90),
        changed,
        numbers_only=numbers_only,
    )

    assert points[0]["tags"] == points[1]["tags"] == points[3]["tags"]
    assert [each["fields"].get("heartbeat") for each in points] == [None, True, None, None]
    assert points[2]["tags"].get("event_type", "state_reported") == "state_reported"


@both
def test_availability_can_be_a_field(profile: type[HomeIQ | Tidy]) -> None:
    states = [FakeState(state=state) for state in ("1", "unavailable", "unknown")]
    for numbers_only in (False, True):
        points = encoded(
            profile,
            *map(change, states),
            availability=Availability.FIELD,
            numbers_only=numbers_only,
        )
        assert [each["fields"]["available"] for each in points] == [True, False, True]


@both
def test_numbers_are_converted_with_their_unit(profile: type[HomeIQ | Tidy]) -> None:
    def metric(device_class: str, unit: str) -> tuple[str, Convert | None]:
        assert (device_class, unit) == ("temperature", "°F")
        return "°C", lambda number: (number - 32) / 1.8

    state = FakeState(
        state="212", attributes={"device_class": "temperature", "unit_of_measurement": "°F"}
    )
    found = point(profile, change(state), units=metric)

    assert found["fields"]["value"] == 100.0
    assert "°C" in {found["fields"].get("unit_of_measurement"), found["tags"].get("unit")}


@both
def test_a_number_that_has_no_place_in_its_new_unit_is_left_out(
    profile: type[HomeIQ | Tidy],
) -> None:
    state = FakeState(state="1e308")
    found = point(profile, change(state, state), units=lambda *_: ("", lambda number: number * 10))

    assert "value" not in found["fields"]


@both
@pytest.mark.parametrize(("state", "number"), [("on", 1.0), ("False", 0.0)])
def test_what_means_yes_or_no_is_in_no_unit_and_keeps_its_text(
    profile: type[HomeIQ | Tidy], state: str, number: float
) -> None:
    state_event = change(FakeState(state=state))
    found = point(profile, state_event, units=lambda *_: ("°C", lambda number: number - 32))

    assert (found["fields"]["value"], found["fields"]["state"]) == (number, state)


def test_a_whole_number_with_more_digits_than_a_float_has_is_a_text_too() -> None:
    meter = FakeState(state="on", attributes={"meter": 2**64 + 1, "exact": 2**64, "flag": True})

    assert attributes(meter, Shape.FLAT) == {
        "attr_exact": 1.8446744073709552e19,
        "attr_flag": 1.0,
        "attr_meter": 1.8446744073709552e19,
        "attr_meter_str": "18446744073709551617",
    }
    assert "attr_meter_str" not in attributes(meter, Shape.NUMERIC)


@both
def test_a_change_names_the_automation_and_the_user_behind_it(
    profile: type[HomeIQ | Tidy],
) -> None:
    causes, users = {"c1": "automation.morning"}, {"u1": "Ann"}

    def who(context: FakeContext) -> tuple[Any, Any]:
        state_event = change(FakeState(state="on"), context=context)
        fields = point(profile, state_event, causes=causes, users=users)["fields"]
        return fields.get("cause"), fields.get("context_user")

    assert who(FakeContext(id="c1")) == ("automation.morning", None)
    assert who(FakeContext(id="c2", parent_id="c1")) == ("automation.morning", None)
    assert who(FakeContext(id="c3", user_id="u1")) == (None, "Ann")
    assert who(FakeContext(id="c3", user_id="u2")) == (None, None)


def test_weather_is_a_tag_and_fields_and_nothing_where_it_is_not_known() -> None:
    sunny = Weather(condition="sunny", temperature=20.5, humidity=40.0)
    kitchen = entity()
    state_event = change(FakeState(state="1"), of=kitchen)
    before, during, after = encoded(
        HomeIQ, state_event, state_event._replace(weather=sunny), state_event
    )

    assert during["tags"].items() - before["tags"].items() == {("weather_condition", "sunny")}
    assert during["fields"].items() - before["fields"].items() == {
        ("temperature", 20.5),
        ("humidity", 40.0),
    }
    assert (after["tags"], after["fields"]) == (before["tags"], before["fields"])


def test_weather_leaves_the_attributes_of_a_tidy_point_alone() -> None:
    state = FakeState(state="heat", attributes={"temperature": 21.0})
    state_event = change(state)._replace(weather=Weather(condition="snowy", temperature=-3.0))

    fields = point(Tidy, state_event)["fields"]
    assert (fields["temperature"], fields["weather_temperature"]) == (21.0, -3.0)


ODD = FakeState(
    state="on",
    attributes={
        "brightness": 120,
        "is_deep": True,
        "color": (1, 2),
        "effect": "rainbow",
        "nothing": None,
        "ratio": float("nan"),
        "huge": 10**400,
    },
)


def test_attributes_as_numbers_are_only_numbers() -> None:
    assert attributes(ODD, Shape.NUMERIC) == {"attr_brightness": 120.0, "attr_is_deep": 1.0}


def test_attributes_side_by_side_keep_text_and_numbers_apart() -> None:
    assert attributes(ODD, Shape.FLAT) == {
        "attr_brightness": 120.0,
        "attr_is_deep": 1.0,
        "attr_color_str": "[1,2]",
        "attr_effect_str": "rainbow",
        "attr_huge_str": str(10**400),
    }


def test_what_is_in_a_set_and_what_an_object_is_are_stored_alike_after_every_start() -> None:
    modes = {f"mode_{letter}" for letter in "hgfedcbaijkl"}
    whatever = type("Whatever", (), {})
    state = FakeState(state="on", attributes={"modes": modes, "of": {"x": [whatever()]}})

    (found,) = attributes(state, Shape.JSON).values()

    assert json.loads(found)["modes"] == [f"mode_{letter}" for letter in "abcdefghijkl"]
    assert found == attributes(state, Shape.JSON)["attributes"]
    assert "Whatever object>" in found


def test_no_attributes_are_no_attributes() -> None:
    assert attributes(ODD, Shape.NONE) == {}


def test_attributes_can_be_allowed_and_dropped_by_name() -> None:
    assert attributes(ODD, Shape.NUMERIC, only=frozenset({"bright*"})) == {"attr_brightness": 120.0}
    assert attributes(ODD, Shape.NUMERIC, drop=frozenset({"is_*"})) == {"attr_brightness": 120.0}


@pytest.mark.parametrize("shape", [Shape.FLAT, Shape.JSON])
def test_secrets_and_pictures_are_never_stored(shape: Shape) -> None:
    secrets = dict.fromkeys(
        ("access_token", "entity_picture", "entity_picture_local", "token", "api_key"), "hidden"
    )
    state = FakeState(state="on", attributes=secrets | {"token_count": 3, "Password": "hidden"})

    assert "hidden" not in str(attributes(state, shape))
    assert "token_count" in str(attributes(state, shape))


def test_whereabouts_and_what_plays_can_be_left_out() -> None:
    state = FakeState(
        state="playing",
        attributes={"latitude": 52.1, "gps_accuracy": 3, "media_title": "Song", "volume_level": 1},
    )

    assert len(attributes(state, Shape.FLAT)) == 4
    kept = attributes(state, Shape.FLAT, coordinates=False, media=False)
    assert kept == {"attr_volume_level": 1.0}


class InformedState:
    """A state that knows what its entity wants recorded."""

    def __init__(self, *unrecorded: str) -> None:
        self.state = "on"
        self.attributes = {"effect_list": ["a"], "brightness": 3, "friendly_name": "Lamp"}
        self.last_changed_timestamp = self.last_updated_timestamp = NOON
        self.state_info = {"unrecorded_attributes": frozenset(unrecorded)}


@pytest.mark.parametrize(
    ("unrecorded", "recorder", "kept"),
    [
        (("effect_list",), True, {"brightness", "friendly_name"}),
        (("*",), True, {"friendly_name"}),
        (("*",), False, {"effect_list", "brightness", "friendly_name"}),
    ],
)
def test_what_the_recorder_is_told_to_leave_out_is_left_out(
    unrecorded: tuple[str, ...],
    *,
    recorder: bool,
    kept: set[str],
) -> None:
    state_event = StateEvent(entity(), InformedState(*unrecorded), None, NOON, FakeContext())
    fields = point(HomeIQ, state_event, attributes=AttributesPolicy(recorder=recorder))["fields"]

    assert json.loads(fields["attributes"]).keys() == kept


@both
@pytest.mark.parametrize("shape", [Shape.FLAT, Shape.JSON])
def test_an_attribute_that_was_changed_in_place_is_stored_as_it_is(
    profile: type[HomeIQ | Tidy], shape: Shape
) -> None:
    todo = ["milk"]
    kitchen, attributes = entity(), {"todo": todo}

    def stored(state: str) -> str:
        state_event = change(FakeState(state=state, attributes=attributes), of=kitchen)
        policy = AttributesPolicy(shape=shape)
        return str(point(profile, state_event, attributes=policy)["fields"])

    assert "bread" not in stored("1")
    todo.append("bread")
    assert "bread" in stored("2")


def test_attributes_side_by_side_are_bounded_in_number_and_the_point_says_how_many_are_not() -> (
    None
):
    state = FakeState(state="1", attributes={f"a{number:04}": number for number in range(1000)})

    for numbers_only in (False, True):
        policy = AttributesPolicy(shape=Shape.FLAT)
        found = point(HomeIQ, change(state), attributes=policy, numbers_only=numbers_only)["fields"]
        kept = [name for name in found if name.startswith("attr_")]
        assert len(kept) == FLAT_MAX
        assert "attr_a0000" in kept
        assert found["left_out"] == 1000 - FLAT_MAX


def test_sixty_one_attributes_are_sixty_one_fields() -> None:
    state = FakeState(state="1", attributes={f"a{number:04}": number for number in range(61)})
    found = point(HomeIQ, change(state), attributes=AttributesPolicy(shape=Shape.FLAT))["fields"]

    assert sum(name.startswith("attr_") for name in found) == 61
    assert "left_out" not in found


@both
def test_what_does_not_fit_into_one_text_is_counted(profile: type[HomeIQ | Tidy]) -> None:
    long = {"long": "x" * 40_000, "list": list(range(20_000)), "short": 1}
    policy = AttributesPolicy(shape=Shape.JSON)

    found = point(profile, change(FakeState(state="1", attributes=long)), attributes=policy)
    assert json.loads(found["fields"]["attributes"]) == {"short": 1}
    assert found["fields"]["left_out"] == 2
    assert point(profile, happened("custom", long))["fields"]["left_out"] == 2
    called = happened("call_service", {"domain": "a", "service": "b", "service_data": long})
    assert point(profile, called)["fields"]["left_out"] == 2


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({}, {"state", "old_state", "state_value", "previous_state"}),
        ({"aliases": False}, {"state", "old_state"}),
        ({"plain_names": False}, {"state_value", "previous_state"}),
    ],
)
def test_a_state_is_called_as_its_readers_want_it(
    settings: dict[str, bool], names: set[str]
) -> None:
    found = point(HomeIQ, change(FakeState(state="on"), FakeState(state="off")), **settings)
    texts = {name for name, value in found["fields"].items() if value in {"on", "off"}}
    assert texts == names


def test_a_diagnostic_entity_says_so_where_the_user_wants_the_tag() -> None:
    named = point(HomeIQ, change(FakeState(state="1"), of=KITCHEN), tags=("entity_category",))
    assert named["tags"]["entity_category"] == "diagnostic"
    plain = point(HomeIQ, change(FakeState(state="1")), tags=("entity_category",))
    assert "entity_category" not in plain["tags"]


# Without the smallest of all floats, which the reader of these tests does not know.
floats = st.floats(allow_subnormal=False)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | floats | st.text() | st.binary() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@both
@given(
    attributes=st.lists(st.dictionaries(st.sampled_from("abc"), anything), max_size=4),
    shape=st.sampled_from(Shape),
)
def test_no_attribute_ever_changes_the_type_of_a_field(
    profile: type[HomeIQ | Tidy], attributes: list[dict[str, Any]], shape: Shape
) -> None:
    kitchen = entity()
    state_events = [
        change(FakeState(state="1", attributes=each), of=kitchen) for each in attributes
    ]
    types: dict[str, set[type]] = {}
    points = encoded(profile, *state_events, attributes=AttributesPolicy(shape=shape))
    for each in points:
        for name, value in each["fields"].items():
            types.setdefault(name, set()).add(type(value))

    assert len(points) == len(state_events)
    assert all(len(kinds) == 1 for kinds in types.values()), types


def happened(event_type: str, data: dict[str, Any], **more: Any) -> OtherEvent:
    return OtherEvent(event_type, data, NOON, FakeContext(id="c1", user_id="u1"), **more)


def test_an_automation_says_who_started_it() -> None:
    data = {"name": "Morning", "entity_id": "automation.morning", "source": "sunrise"}
    found = point(HomeIQ, happened("automation_triggered", data), location="Home")

    assert found == {
        "measurement": "home_assistant_events",
        "tags": {
            "event_type": "automation_triggered",
            "entity_id": "automation.morning",
            "domain": "automation",
            "location": "Home",
        },
        "fields": {
            "count": 1.0,
            "name": "Morning",
            "source": "sunrise",
            "context_id": "c1",
            "context_user_id": "u1",
        },
        "time": round(NOON * 1e9),
    }


@both
def test_what_was_typed_into_a_lock_is_never_stored(profile: type[HomeIQ | Tidy]) -> None:
    data = {
        "domain": "lock",
        "service": "unlock",
        "service_data": {"entity_id": ["lock.door"], "code": "1234", "deep": [{"password": "x9"}]},
    }
    found = point(profile, happened("call_service", data))

    assert found["tags"]["domain"] == "lock"
    assert found["fields"]["service"] == "unlock"
    assert json.loads(found["fields"]["service_data"]) == {"entity_id": ["lock.door"], "deep": [{}]}


@both
def test_any_other_event_is_its_data_with_the_numbers_beside_it(
    profile: type[HomeIQ | Tidy],
) -> None:
    data = {"command": "toggle", "level": 3, "pressed": True, "code": "1234"}
    fields = point(profile, happened("zha_event", data))["fields"]

    assert (fields["data_level"], fields["data_pressed"]) == (3.0, 1.0)
    assert json.loads(fields["event_data"]) == {"command": "toggle", "level": 3, "pressed": True}


@both
def test_where_only_numbers_are_stored_an_event_still_counts(profile: type[HomeIQ | Tidy]) -> None:
    for event_type, data in (("zha_event", {"a": "b"}), ("script_started", {"name": "x"})):
        found = point(profile, happened(event_type, data), numbers_only=True)
        assert found["fields"] == {"count": 1.0}


def test_an_event_of_an_entity_is_where_the_entity_is() -> None:
    data = {"old_entity_id": "sensor.k", "new_entity_id": "sensor.kitchen"}
    found = point(HomeIQ, happened("entity_renamed", data, entity=KITCHEN))

    assert found["tags"]["area"] == "Kitchen"
    assert found["tags"]["entity_id"] == "sensor.kitchen"
    assert found["fields"]["old_entity_id"] == "sensor.k"


@both
@given(
    event_type=st.sampled_from([*FIELDS, "custom"]) | st.text(min_size=1),
    data=st.lists(
        st.dictionaries(
            st.sampled_from(["name", "source", "entity_id", "domain", "service_data", "x"]),
            anything,
        ),
        max_size=3,
    ),
)
def test_every_event_is_one_point_and_no_field_changes_its_type(
    profile: type[HomeIQ | Tidy], event_type: str, data: list[dict[str, Any]]
) -> None:
    types: dict[str, set[type]] = {}
    points = encoded(profile, *(happened(event_type, each) for each in data))
    for each in points:
        for name, value in each["fields"].items():
            types.setdefault(name, set()).add(type(value))

    assert len(points) == len(data)
    assert all(len(kinds) == 1 for kinds in types.values()), types


def test_data_without_an_end_is_cut() -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless

    assert "again" in str(without_secrets(endless))


NUMBERS: list[Any] = [
    *(Decimal("21.5"), Fraction(43, 2), np.float32(21.5), np.float64(21.5), np.array(21.5)),
]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: type(number).__name__)
def test_a_number_is_one_whatever_its_type(number: Any) -> None:
    def stored(made: HomeIQ | Tidy, **attributes: Any) -> dict[str, Any]:
        state_event = change(FakeState(state="heat", attributes=attributes), of=entity("climate.a"))
        (line,) = Encoder(profile=made).encode([state_event]).lines
        found: dict[str, Any] = parse_line(line)["fields"]
        return found

    flat = AttributesPolicy(shape=Shape.FLAT)
    assert stored(Tidy(dumps=json_dumps), current_temperature=number)["current_temperature"] == 21.5
    for shape in (Shape.FLAT, Shape.NUMERIC):
        made = HomeIQ(dumps=json_dumps, attributes=AttributesPolicy(shape=shape))
        found = stored(made, level=number)
        assert found["attr_level"] == 21.5
        assert "attr_level_str" not in found
    plain = HomeIQ(dumps=json_dumps)
    assert json.loads(stored(plain, level=number, x=[number])["attributes"]) == {
        "level": 21.5,
        "x": [21.5],
    }
    assert stored(HomeIQ(dumps=json_dumps, attributes=flat), x=[number])["attr_x_str"] == "[21.5]"
    event = OtherEvent("odd", {"level": number}, NOON, FakeContext())
    (line,) = Encoder(profile=plain).encode([event]).lines
    assert parse_line(line)["fields"]["data_level"] == 21.5


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (date(2026, 11, 25), "2026-11-25"),
        (timedelta(days=1), "1 day, 0:00:00"),
        (1j, "1j"),
        (Decimal("1e400"), "1E+400"),
        (10**400, str(10**400)),
        (Path("/a/b"), "/a/b"),
        ([1, "a"], '[1,"a"]'),
        ("quoted", "quoted"),
        ('"quoted"', '"quoted"'),
    ],
)
def test_what_is_no_number_is_a_text_without_the_quotes_of_json(value: Any, text: str) -> None:
    made = HomeIQ(dumps=json_dumps, attributes=AttributesPolicy(shape=Shape.FLAT))
    state_event = change(FakeState(state="x", attributes={"it": value}))
    (line,) = Encoder(profile=made).encode([state_event]).lines
    found = parse_line(line)["fields"]
    assert found["attr_it_str"] == text
    assert "attr_it" not in found


@pytest.mark.parametrize("value", [float("nan"), Decimal("NaN"), np.float32("nan"), float("inf")])
def test_what_is_a_number_and_not_finite_is_left_out(value: Any) -> None:
    made = HomeIQ(dumps=json_dumps, attributes=AttributesPolicy(shape=Shape.FLAT))
    state_event = change(FakeState(state="x", attributes={"it": value}))
    (line,) = Encoder(profile=made).encode([state_event]).lines
    assert "attr_it" not in line


class NeitherTrueNorFalse:
    """As arrays of several numbers are."""

    def __bool__(self) -> bool:
        raise ValueError("ambiguous")

    def __eq__(self, other: object) -> Any:
        return self

    __hash__ = object.__hash__

    def __str__(self) -> str:
        return "odd"


@both
@pytest.mark.parametrize("event_type", [*FIELDS, "custom"])
@pytest.mark.parametrize("odd", [NeitherTrueNorFalse(), np.array([1, 2])], ids=["object", "array"])
def test_an_event_whose_data_has_no_truth_value_is_a_point(
    profile: type[HomeIQ | Tidy], event_type: str, odd: Any
) -> None:
    names = (*FIELDS.get(event_type, ()), "domain", "service_data", "entity_id", "code", "other")
    for name in names:
        event = OtherEvent(event_type, {name: odd}, NOON, FakeContext())
        encoded = Encoder(profile=profile(dumps=json_dumps)).encode([event])
        assert encoded.filtered == {}
        assert parse_line(encoded.lines[0])["tags"]["event_type"] == event_type
    event = OtherEvent(event_type, dict.fromkeys(names, odd), NOON, FakeContext(), entity())
    assert len(Encoder(profile=profile(dumps=json_dumps)).encode([event]).lines) == 1


@pytest.mark.parametrize("made", [HomeIQ(dumps=json_dumps), Tidy(dumps=json_dumps), Core()])
@pytest.mark.parametrize(
    "name",
    ["device_class", "unit_of_measurement", "state_class", "options", "event_type", "mode", "any"],
)
@pytest.mark.parametrize("domain", ["sensor", "event", "text", "select"])
def test_an_attribute_without_a_truth_value_costs_no_point(
    made: Any, name: str, domain: str
) -> None:
    for odd in (NeitherTrueNorFalse(), np.array([1, 2])):
        state = FakeState(state="5", attributes={name: odd})
        encoded = Encoder(profile=made).encode([change(state, of=entity(f"{domain}.a"))])
        assert encoded.filtered == {}
        assert len(encoded.lines) == 1


@both
@pytest.mark.parametrize("event_type", ["entity_removed", "entity_renamed", "entity_moved"])
@pytest.mark.parametrize(
    "data",
    [
        {"entity_id": "sensor.x", "who": "me", "n": 5},
        {"entity_id": ["me", "sensor.y"], "n": 5},
        {"old_state": {"state": "me"}, "old_area": 5, "n": 5},
        {"n": 5, "registry_id": "me"},
    ],
)
def test_an_event_that_is_called_as_one_of_ours_keeps_its_data(
    profile: type[HomeIQ | Tidy], event_type: str, data: dict[str, Any]
) -> None:
    event = OtherEvent(event_type, data, NOON, FakeContext())
    (line,) = Encoder(profile=profile(dumps=json_dumps)).encode([event]).lines
    found = parse_line(line)["fields"]
    assert "me" in str(found)
    assert found["data_n"] == 5.0
    assert json.loads(found["event_data"]) == data


def test_our_own_events_store_their_data_once() -> None:
    ours = [
        ("entity_removed", {"old_state": "on"}),
        ("entity_renamed", {"old_entity_id": "a.b", "new_entity_id": "a.c", "registry_id": "r"}),
        ("entity_moved", {"old_area": "A", "new_area": "B", "old_area_id": "a"}),
    ]
    for event_type, data in ours:
        event = OtherEvent(event_type, data, NOON, FakeContext())
        (line,) = Encoder(profile=HomeIQ(dumps=json_dumps)).encode([event]).lines
        assert "event_data" not in parse_line(line)["fields"]
