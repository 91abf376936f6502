"""What a user chooses of points, whatever the profile."""

from typing import Any

import pytest

from custom_components.ha_ingestor.pipeline.encode.profiles.base import Availability
from custom_components.ha_ingestor.pipeline.encode.profiles.fields import TAGS
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from custom_components.ha_ingestor.pipeline.model import (
    HEARTBEAT,
    STATE_REPORTED,
    Convert,
    Weather,
)
from tests.pipeline.encode.profiles.points import KITCHEN, both, encoded, point
from tests.pipeline.state_events import NOON, FakeContext, FakeState, change, entity


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
