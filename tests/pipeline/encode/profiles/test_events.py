"""Events that are no change of a state: what is kept of each."""

import json
from typing import Any

import numpy as np
import pytest
from homeassistant.helpers.json import json_dumps
from hypothesis import given
from hypothesis import strategies as st
from line_protocol_parser import parse_line

from custom_components.ha_ingestor.pipeline.encode.attributes import (
    without_secrets,
)
from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder
from custom_components.ha_ingestor.pipeline.encode.profiles.events import FIELDS
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from custom_components.ha_ingestor.pipeline.model import (
    OtherEvent,
)
from tests.pipeline.encode.profiles.points import (
    KITCHEN,
    NeitherTrueNorFalse,
    anything,
    both,
    encoded,
    happened,
    point,
)
from tests.pipeline.state_events import NOON, FakeContext, entity


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
