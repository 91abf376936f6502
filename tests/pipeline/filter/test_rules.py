"""A rule decides when a state is written: late, again or never, but never changed."""

from math import inf
from typing import Any

import pytest

from custom_components.ha_ingestor.pipeline.model import HEARTBEAT, Rules, StateEvent, Weather
from tests.pipeline.state_events import NOON, FakeContext, FakeState, entity

from .rig import Rig, states


def test_a_number_is_written_again_when_it_moved_far_enough() -> None:
    rig = Rig(Rules(deadband=0.5))

    assert rig.see("20.0") == ["20.0"]
    assert [rig.see(state, after=1) for state in ("20.2", "20.4", "20.5", "20.1")] == [
        *([], [], ["20.5"], []),
    ]
    assert rig.see("broken", after=1) == ["broken"]
    assert rig.ledger.filtered == {"deadband": 3}


@pytest.mark.parametrize(
    ("entity_id", "states_of", "attributes"),
    [
        ("cover.blind", ("open", "closed", "open"), {}),
        ("lock.door", ("locked", "unlocked", "locked"), {}),
        ("binary_sensor.door", ("off", "on", "off"), {}),
        ("person.ada", ("home", "not_home"), {}),
        ("sun.sun", ("above_horizon", "below_horizon"), {}),
        ("sensor.template", ("True", "False"), {}),
        ("select.mode", ("1", "2", "3"), {}),
        ("input_select.mode", ("1", "2"), {}),
        ("sensor.stage", ("1", "2"), {"device_class": "enum"}),
        ("sensor.stage", ("1", "2"), {"options": ["1", "2"]}),
        ("text.note", ("1", "2"), {}),
        ("sensor.large", ("1e400", "2e400"), {}),
    ],
)
def test_a_deadband_lets_through_what_is_no_measurement(
    entity_id: str, states_of: tuple[str, ...], attributes: dict[str, Any]
) -> None:
    rig = Rig()
    rig.entity = entity(entity_id, rules=Rules(deadband=5))

    for state in states_of:
        assert rig.see(state, after=1, **attributes) == [state]
    assert rig.ledger.filtered.total() == 0


@pytest.mark.parametrize(
    ("entity_id", "state"),
    [
        ("light.lamp", "on"),
        ("person.ada", "home"),
        ("select.mode", "1"),
        ("vacuum.robot", "docked"),
    ],
)
def test_a_deadband_lets_through_new_attributes_of_what_is_no_measurement(
    entity_id: str, state: str
) -> None:
    rig = Rig()
    rig.entity = entity(entity_id, rules=Rules(deadband=0.5))

    for level in (10, 100, 255):
        assert rig.see(state, after=1, level=level) == [state]
    assert rig.ledger.filtered.total() == 0


def test_a_number_in_another_unit_passes_a_deadband() -> None:
    rig = Rig(Rules(deadband=0.5))
    rig.see("20", unit_of_measurement="°C")

    assert rig.see("20.1", after=1, unit_of_measurement="°F") == ["20.1"]
    assert rig.see("20.2", after=1, unit_of_measurement="°F") == []
    assert rig.see("20.2", after=1) == ["20.2"]
    assert rig.ledger.filtered == {"deadband": 1}


def test_a_measurement_that_stays_where_it_is_does_not_pass_for_its_attributes() -> None:
    rig = Rig(Rules(deadband=0.5))
    rig.see("20", unit_of_measurement="°C", battery=90)

    assert rig.see("20", after=1, unit_of_measurement="°C", battery=89) == []
    assert rig.ledger.filtered == {"deadband": 1}


def test_of_what_comes_too_fast_the_newest_is_written_when_it_is_time() -> None:
    rig = Rig(Rules(throttle=10))

    assert rig.see("1") == ["1"]
    assert rig.see("2", after=3) == []
    assert rig.see("3", after=3) == []
    assert rig.noise_filter.held == 1
    assert rig.due(after=3) == []
    assert rig.due(after=1) == ["3"]
    assert rig.noise_filter.held == 0
    assert rig.ledger.filtered == {"throttled": 1}
    assert rig.see("4", after=10) == ["4"]


def test_unavailability_is_never_throttled_and_lets_what_is_held_go_first() -> None:
    rig = Rig(Rules(throttle=10))
    rig.see("1")
    rig.see("2", after=1)

    assert rig.see("unavailable", after=1) == ["2", "unavailable"]
    assert rig.see("3", after=1) == ["3"]


def test_a_removal_lets_what_is_held_go_first() -> None:
    rig = Rig(Rules(throttle=10))
    rig.see("1")
    rig.see("2", after=1)

    assert rig.see(None, after=1) == ["2", None]
    assert rig.due(after=100) == []


def test_what_is_held_at_the_end_is_written() -> None:
    rig = Rig(Rules(throttle=10))
    rig.see("1")
    rig.see("2", after=1)

    assert states(rig.noise_filter.release()) == ["2"]
    assert rig.noise_filter.held == 0


def test_a_heartbeat_repeats_the_newest_state_with_its_own_time() -> None:
    rig = Rig(Rules(heartbeat=60))
    rig.see("21")

    assert rig.due(after=59) == []
    rig.now += 1
    (beat,) = rig.noise_filter.due()
    assert beat.kind is HEARTBEAT
    assert beat.new == rig.before
    assert beat.time == NOON + rig.now
    assert rig.due(after=30) == []
    assert rig.see("22", after=10) == ["22"]
    assert rig.due(after=59) == []
    assert rig.due(after=1) == ["22"]


def test_a_heartbeat_repeats_a_state_that_moved_too_little_to_be_written() -> None:
    rig = Rig(Rules(heartbeat=60, deadband=5))
    rig.see("20")
    assert rig.see("21", after=10) == []

    assert rig.due(after=50) == ["21"]


def test_there_is_no_heartbeat_while_an_entity_is_unavailable() -> None:
    rig = Rig(Rules(heartbeat=60))
    rig.see("21")
    rig.see("unavailable", after=1)

    assert rig.due(after=600) == []
    assert rig.see("22", after=1) == ["22"]
    assert rig.due(after=60) == ["22"]


def test_a_heartbeat_says_what_the_registries_say_by_then() -> None:
    rig = Rig(Rules(heartbeat=60))
    rig.see("21")
    rig.contexts["sensor.kitchen"] = moved = entity(rules=Rules(heartbeat=60), area="Attic")

    rig.now += 60
    (beat,) = rig.noise_filter.due()
    assert beat.entity is moved

    rig.contexts["sensor.kitchen"] = entity(rules=Rules(heartbeat=60), filtered="excluded")
    assert rig.due(after=60) == []


def test_a_heartbeat_does_not_repeat_weather_that_is_no_more() -> None:
    rig = Rig(Rules(heartbeat=60))
    sunny = Weather(condition="sunny")
    rig.noise_filter.filter([rig.state_event("21")._replace(weather=sunny)])
    other = StateEvent(
        entity("sensor.other"), FakeState(state="1"), None, NOON, FakeContext(), weather=None
    )
    rig.noise_filter.filter([other])

    rig.now += 60
    (beat,) = rig.noise_filter.due()
    assert beat.weather is None


def test_a_deadband_still_counts_from_what_was_written_after_a_held_number_was_dropped() -> None:
    rig = Rig(Rules(throttle=10, deadband=1))
    assert rig.see("20") == ["20"]
    assert rig.see("22", after=1) == []  # too soon
    assert rig.see("20.2", after=1) == []  # as good as what was written
    assert rig.due(after=10) == []

    assert rig.see("20.6", after=1) == []
    assert rig.ledger.filtered == {"throttled": 1, "deadband": 2}


def test_a_heartbeat_comes_when_it_is_due_after_a_held_number_was_dropped() -> None:
    rig = Rig(Rules(throttle=60, deadband=1, heartbeat=3600))
    rig.see("20")
    assert rig.see("22", after=1) == []
    assert rig.see("20.2", after=1) == []

    assert rig.due(after=3597) == []
    assert rig.due(after=1) == ["20.2"]


def test_a_reload_goes_on_holding_what_came_too_fast() -> None:
    rig = Rig(Rules(throttle=10))
    rig.see("1")
    rig.see("2", after=3)
    rig = rig.reloaded(Rules(throttle=10))

    assert rig.noise_filter.held == 1
    assert rig.due(after=6) == []
    assert rig.due(after=1) == ["2"]
    assert rig.noise_filter.held == 0
    assert rig.ledger.filtered.total() == 0


def test_what_is_held_is_written_when_its_rule_is_gone() -> None:
    rig = Rig(Rules(throttle=600))
    rig.see("1")
    rig.see("2", after=3)
    rig = rig.reloaded()

    assert rig.noise_filter.next_due <= rig.now
    assert rig.due(after=0) == ["2"]
    assert rig.noise_filter.held == 0
    assert rig.see("3", after=1) == ["3"]


def test_what_is_held_waits_as_long_as_the_new_rule_says() -> None:
    rig = Rig(Rules(throttle=600))
    rig.see("1")
    rig.see("2", after=3)
    rig = rig.reloaded(Rules(throttle=20))

    assert rig.due(after=16) == []
    assert rig.due(after=1) == ["2"]


def test_a_reload_forgets_no_deadband_and_no_throttle() -> None:
    rig = Rig(Rules(deadband=1, throttle=10))
    rig.see("20")
    rig = rig.reloaded(Rules(deadband=1, throttle=10))

    assert rig.see("20.5", after=1) == []
    assert rig.see("25", after=1) == []
    assert rig.ledger.filtered == {"deadband": 1}
    assert rig.due(after=8) == ["25"]


def test_heartbeats_of_an_entity_without_events_continue_after_a_reload() -> None:
    rig = Rig(Rules(heartbeat=60))
    rig.see("21")
    rig.now += 50
    rig = rig.reloaded(Rules(heartbeat=60))

    assert rig.due(after=9) == []
    assert rig.due(after=1) == ["21"]
    assert rig.due(after=60) == ["21"]


def test_a_new_heartbeat_rule_works_for_an_entity_that_stays_silent() -> None:
    rig = Rig()
    rig.see("21")
    rig.now += 500
    rig = rig.reloaded(Rules(heartbeat=60))
    assert rig.before
    rig.noise_filter.start_heartbeats(
        [StateEvent(rig.entity, rig.before, None, 0.0, FakeContext())]
    )

    assert rig.due(after=59) == []
    assert rig.due(after=1) == ["21"]
    assert rig.ledger.filtered.total() == 0


def test_starting_heartbeats_keeps_the_schedule_of_a_known_entity() -> None:
    rig = Rig(Rules(heartbeat=60))
    rig.see("21")
    rig.now += 50
    assert rig.before
    rig.noise_filter.start_heartbeats(
        [StateEvent(rig.entity, rig.before, None, 0.0, FakeContext())]
    )

    assert rig.due(after=10) == ["21"]


@pytest.mark.parametrize("state", [None, "unavailable"])
def test_what_ends_a_heartbeat_that_was_just_started_ends_it(state: str | None) -> None:
    rig = Rig(Rules(heartbeat=60), skip_unavailable=True)
    rig.noise_filter.start_heartbeats([rig.state_event("20")])
    rig.see(state)
    assert [rig.due(after=each) for each in (0, 61, 61)] == [[], [], []]


@pytest.mark.parametrize(
    "rules", [Rules(), Rules(heartbeat=60), Rules(deadband=1), Rules(throttle=9)]
)
def test_of_an_excluded_entity_that_is_removed_nothing_is_kept(rules: Rules) -> None:
    rig = Rig(rules)
    rig.see("20")
    is_held = rig.see("25", after=1) == []
    rig.entity = entity(rules=rules, filtered="excluded")

    assert rig.see(None, after=1) == (["25"] if is_held else [])
    assert rig.ledger.filtered == {"excluded": 1}
    assert rig.noise_filter.held == 0
    assert rig.last_written.last == {}
    assert rig.due(after=100) == []
    assert rig.noise_filter.next_due == inf


def test_what_is_written_last_is_the_state_that_the_entity_has() -> None:
    rig = Rig(Rules(throttle=10), window=60)
    assert rig.see("on") == ["on"]
    assert rig.see("off", after=1) == []
    assert rig.see("on", after=1) == []
    assert rig.due(after=20) == ["on"]
    assert rig.see("on", after=11) == []
    assert rig.ledger.deduplicated == 1


def test_a_heartbeat_after_a_small_change_and_back_writes_the_state_that_the_entity_has() -> None:
    rig = Rig(Rules(deadband=1, heartbeat=60), window=60)
    assert rig.see("20") == ["20"]
    assert rig.see("20.9", after=1) == []
    assert rig.see("20", after=1) == []
    assert rig.due(after=100) == ["20"]


def test_an_unavailable_entity_has_no_heartbeat_although_nothing_is_stored_of_it() -> None:
    rig = Rig(Rules(heartbeat=60), skip_unavailable=True)
    assert rig.see("20") == ["20"]
    assert rig.see("unavailable", after=1) == []
    assert rig.due(after=100) == []
    assert rig.see("21", after=1) == ["21"]
    assert rig.due(after=100) == ["21"]


def test_what_is_held_is_written_although_the_entity_is_not_available_by_then() -> None:
    rig = Rig(Rules(throttle=10), skip_unavailable=True)
    assert rig.see("20") == ["20"]
    assert rig.see("21", after=1) == []
    assert rig.see("unavailable", after=1) == []
    assert rig.due(after=20) == ["21"]


def test_a_state_that_comes_back_from_unavailable_within_the_window_has_heartbeats_again() -> None:
    rig = Rig(Rules(heartbeat=60), skip_unavailable=True, window=30)
    assert rig.see("20") == ["20"]
    assert rig.see("unavailable", after=1) == []
    assert rig.see("20", after=1) == []
    assert rig.ledger.deduplicated == 1
    assert rig.due(after=100) == ["20"]
