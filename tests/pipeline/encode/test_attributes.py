"""Attributes: as one text, as fields or not at all, whatever integrations put into them."""

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
)
from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder
from custom_components.ha_ingestor.pipeline.encode.profiles.core import Core
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from custom_components.ha_ingestor.pipeline.model import (
    OtherEvent,
    StateEvent,
)
from tests.pipeline.encode.profiles.points import (
    NeitherTrueNorFalse,
    anything,
    attributes,
    both,
    encoded,
    happened,
    point,
)
from tests.pipeline.state_events import NOON, FakeContext, FakeState, change, entity


def test_a_whole_number_with_more_digits_than_a_float_has_is_a_text_too() -> None:
    meter = FakeState(state="on", attributes={"meter": 2**64 + 1, "exact": 2**64, "flag": True})

    assert attributes(meter, Shape.FLAT) == {
        "attr_exact": 1.8446744073709552e19,
        "attr_flag": 1.0,
        "attr_meter": 1.8446744073709552e19,
        "attr_meter_str": "18446744073709551617",
    }
    assert "attr_meter_str" not in attributes(meter, Shape.NUMERIC)


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
