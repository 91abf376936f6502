"""What was a state is given back by its point, and a number is always there to be drawn."""

from typing import Any

import pytest
from homeassistant.helpers.json import json_dumps
from hypothesis import given
from hypothesis import strategies as st
from line_protocol_parser import parse_line

from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from tests.emulator.line_protocol import Point, parse
from tests.pipeline.state_events import FakeState, change, entity

UNIT = {"unit_of_measurement": "kWh"}
OPTIONS = {"options": ["1", "2", "auto"]}


def tidy(state: str, entity_id: str = "sensor.a", **attributes: Any) -> dict[str, Any]:
    state_event = change(FakeState(state=state, attributes=attributes), of=entity(entity_id))
    (line,) = Encoder(profile=Tidy(dumps=json_dumps)).encode([state_event]).lines
    (found,) = parse(line)
    assert isinstance(found, Point)
    return found.fields


@pytest.mark.parametrize(
    ("state", "number"),
    [
        ("1.10", 1.1),
        ("21.50", 21.5),
        ("21.0", 21.0),
        ("00420", 420.0),
        ("+7", 7.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("12345678901234567890", 12345678901234567000.0),
        ("1234567890123456789012345678901234", 1.2345678901234568e33),
        ("0.30000000000000000001", 0.3),
    ],
)
@pytest.mark.parametrize("attributes", [{}, UNIT, {"state_class": "measurement"}])
def test_a_number_that_a_float_cannot_give_back_is_a_text_too(
    state: str, number: float, attributes: dict[str, Any]
) -> None:
    fields = tidy(state, **attributes)
    assert fields["state"] == state
    assert fields["value"] == pytest.approx(number)


@pytest.mark.parametrize("state", ["21", "21.5", "0", "-3", "-0.25", "0.1", "1234567.875", "1e-07"])
def test_a_number_that_a_float_gives_back_needs_no_text(state: str) -> None:
    assert tidy(state) == {"value": float(state)}


@pytest.mark.parametrize("state", ["1234E567", "1e400", "-1e999", "9" * 400, "nan", "inf"])
def test_a_number_too_large_for_a_float_is_a_text_alone(state: str) -> None:
    assert tidy(state) == {"state": state}


@pytest.mark.parametrize("state", ["1", "2", "auto", "on", "1.10", "home"])
@pytest.mark.parametrize(
    ("entity_id", "attributes"),
    [
        ("select.a", OPTIONS),
        ("select.a", {}),
        ("input_select.a", OPTIONS),
        ("sensor.a", {"device_class": "enum"} | OPTIONS),
        ("sensor.a", OPTIONS),
        ("text.a", {}),
        ("input_text.a", {"mode": "text"}),
    ],
)
def test_a_choice_is_a_text_whatever_it_looks_like(
    entity_id: str, attributes: dict[str, Any], state: str
) -> None:
    assert tidy(state, entity_id, **attributes) == {"state": state}
    state_event = change(FakeState(state=state, attributes=attributes), of=entity(entity_id))
    (line,) = Encoder(profile=HomeIQ(dumps=json_dumps)).encode([state_event]).lines
    assert "value" not in parse_line(line)["fields"]


def test_a_text_with_a_unit_is_a_measurement() -> None:
    assert tidy("21.50", "input_text.a", **UNIT) == {"state": "21.50", "value": 21.5}


@pytest.mark.parametrize("state", ["true", "True", "TRUE"])
def test_yes_is_yes_however_it_is_capitalized(state: str) -> None:
    assert tidy(state) == {"state": state, "value": 1.0}


def test_a_number_in_another_unit_has_no_text_in_the_old_one() -> None:
    state_event = change(FakeState(state="50.0", attributes={"unit_of_measurement": "°F"}))
    made = Tidy(dumps=json_dumps, units=lambda *_: ("°C", lambda number: (number - 32) / 1.8))
    (line,) = Encoder(profile=made).encode([state_event]).lines
    assert parse_line(line)["fields"] == {"value": pytest.approx(10)}


def test_what_an_event_entity_says_is_kept() -> None:
    at = "2026-11-25T12:00:00.000+00:00"
    fields = tidy(at, "event.doorbell", event_type="double_press", event_types=["double_press"])
    assert fields == {"state": at, "event_type": "double_press"}


DIGITS = st.from_regex(r"[+-]?[0-9]{0,25}\.?[0-9]{0,25}(e[+-]?[0-9]{1,3})?", fullmatch=True)


@given(st.tuples(DIGITS, DIGITS) | st.tuples(st.floats().map(str), st.floats().map(str)))
def test_no_two_states_make_the_same_point(states: tuple[str, str]) -> None:
    one, other = map(tidy, states)
    assert (str(one) == str(other)) == (states[0] == states[1])
