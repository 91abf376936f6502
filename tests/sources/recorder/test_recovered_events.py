"""Rows of the recorder become the events that would have been captured then."""

from collections.abc import Mapping
from math import inf
from typing import Any

from homeassistant.core import Context, State

from custom_components.ha_ingestor.pipeline.filter.state_times import RedatedState
from custom_components.ha_ingestor.pipeline.model import EntityContext, StateEvent
from custom_components.ha_ingestor.sources.recorder.page import Recorded
from custom_components.ha_ingestor.sources.recorder.recovered_events import RecoveredEvents

# When Home Assistant started.
START = 1_795_000_000.0


def state(name: str, moment: float, **attributes: Any) -> RedatedState:
    return RedatedState(
        state=name,
        attributes=attributes,
        last_changed_timestamp=moment,
        last_updated_timestamp=moment,
    )


def row(
    name: str | None, moment: float, entity_id: str = "sensor.a", /, **attributes: Any
) -> Recorded:
    new = None if name is None else state(name, moment, **attributes)
    return Recorded(entity_id, new, moment, Context())


def described(entity_id: str) -> EntityContext:
    domain = entity_id.partition(".")[0]
    return EntityContext(
        entity_id=entity_id, domain=domain, filtered="own_entity" if domain == "button" else ""
    )


def recovered(
    before: Mapping[str, RedatedState | None] = {}, now: State | None = None
) -> RecoveredEvents:
    events = RecoveredEvents(describe=described, state_now=lambda _: now, starts=(START,))
    events.add_before(before)
    return events


def told(events: list[StateEvent]) -> list[tuple[str | None, str | None]]:
    return [
        (event.old.state if event.old else None, event.new.state if event.new else None)
        for event in events
    ]


def test_the_old_state_of_each_row_is_that_of_the_row_before() -> None:
    events = recovered({"sensor.a": state("1", START - 9)})
    first, filtered = events.read([row("2", START - 5)])
    second, _ = events.read([row("3", START - 4), row(None, START - 3), row("4", START - 2)])
    assert told(first + second) == [("1", "2"), ("2", "3"), ("3", None), (None, "4")]
    assert [event.time for event in second] == [START - 4, START - 3, START - 2]
    assert not filtered


def test_what_a_start_restored_is_no_change() -> None:
    """The entity was unavailable until its integration was there; then it was as before."""
    events = recovered({"sensor.a": state("1", START - 500, unit="W")})
    found, filtered = events.read(
        [
            row("unavailable", START + 10),
            row("1", START + 20, unit="W"),
            row("2", START + 30, unit="W"),
        ]
    )
    assert told(found) == [("1", "2")]
    assert found[0].old is not None
    assert found[0].old.last_changed_timestamp == START - 500
    assert filtered == {"restart_echo": 2}


def test_where_nobody_knows_what_was_written_last_a_restored_state_is_told() -> None:
    """What is unavailable until its integration is there is no change all the same."""
    events = recovered({"sensor.a": state("1", START - 500)})
    events.forgotten.add("sensor.a")
    found, filtered = events.read([row("unavailable", START + 10), row("1", START + 20)])
    assert told(found) == [("1", "1")]
    assert found[0].time == START + 20
    assert filtered == {"restart_echo": 1}


def test_a_restored_state_with_other_attributes_is_as_old_as_before() -> None:
    events = recovered({"sensor.a": state("1", START - 500, unit="W")})
    (event,), filtered = events.read([row("1", START + 20, unit="kW")])
    assert event.new is not None
    assert event.new.last_changed_timestamp == START - 500
    assert event.new.last_updated_timestamp == START + 20
    assert not filtered


def test_an_outage_without_a_start_is_a_change() -> None:
    events = recovered({"sensor.a": state("1", START + 1)})
    found, filtered = events.read([row("unavailable", START + 10), row("1", START + 20)])
    assert told(found) == [("1", "unavailable"), ("unavailable", "1")]
    assert not filtered


def test_an_entity_that_stays_unavailable_after_a_start_is_an_outage() -> None:
    events = recovered({"sensor.a": state("1", START - 500), "sensor.b": state("1", START - 500)})
    found, filtered = events.read(
        [
            row("unavailable", START + 10),
            row("unavailable", START + 10, "sensor.b"),
            row("1", START + 1000),
        ]
    )
    assert told(found) == [("1", "unavailable"), ("unavailable", "1")]
    assert told(events.end()) == [("1", "unavailable")]
    assert not filtered


def test_what_is_held_is_told_in_time_and_until_then_read_again_after_a_stop() -> None:
    events = recovered({"sensor.a": state("1", START - 500), "sensor.b": state("1", START - 500)})
    rows = [row("unavailable", START + 10), row("unavailable", START + 20, "sensor.b")]
    assert events.read(rows) == ([], {})
    assert events.held_since == START + 10
    assert events.end(START + 310) == []
    assert told(events.end(START + 311)) == [("1", "unavailable")]
    assert events.held_since == START + 20
    found, filtered = events.read([row("1", START + 320, "sensor.b")])
    assert (found, filtered) == ([], {"restart_echo": 2})
    assert events.held_since == inf


def test_rows_that_are_not_captured_are_counted_and_asked_for_once() -> None:
    events = recovered()
    rows = [row("1", START, "button.ours"), row("hunter", START, "text.pin")]
    assert events.unknown(rows) == {"button.ours", "text.pin"}
    events.add_before(dict.fromkeys(events.unknown(rows)))
    assert events.read(rows) == ([], {"own_entity": 1, "secret": 1})
    assert events.unknown(rows) == set()


def test_a_text_whose_mode_is_known_is_captured() -> None:
    plain = State("text.note", "a", {"mode": "text"})
    found, _ = recovered(now=plain).read([row("b", START, "text.note")])
    assert told(found) == [(None, "b")]
    masked = State("text.note", "a", {"mode": "password"})
    assert recovered(now=masked).read([row("b", START, "text.note")]) == ([], {"secret": 1})
