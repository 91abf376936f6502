"""What the profiles make of one home is what it was; see `tests.golden`."""

import pytest
from line_protocol_parser import parse_line

from custom_components.ha_ingestor.pipeline.model import OtherEvent, StateEvent
from tests.golden.lines import PROFILES, home, lines, stored
from tests.golden.store import HOME, dump


@pytest.mark.parametrize("name", PROFILES)
def test_the_lines_are_those_of_the_golden_files(name: str) -> None:
    found = lines(name).splitlines()
    expected = stored(name).read_text(encoding="utf-8").splitlines()

    # Line by line, because the difference is what has to be read.
    for number, (line, before) in enumerate(zip(found, expected, strict=False), 1):
        assert line == before, f"{name}.lp:{number}"
    assert len(found) == len(expected)


@pytest.mark.parametrize("name", sorted({*PROFILES} - {"core"}))  # which has what the built-in has
def test_no_secret_is_in_a_line(name: str) -> None:
    assert "secret" in HOME.read_text(encoding="utf-8")
    for line in stored(name).read_text(encoding="utf-8").splitlines():
        assert "secret" not in line
        assert 'code\\"' not in line
        assert 'pin\\"' not in line


@pytest.mark.parametrize("name", PROFILES)
def test_every_line_is_one_that_an_independent_reader_reads(name: str) -> None:
    for line in stored(name).read_text(encoding="utf-8").splitlines():
        assert parse_line(line)["fields"]


def test_the_recorded_home_has_many_domains_and_events() -> None:
    state_events = [state_event for state_event in home() if isinstance(state_event, StateEvent)]
    assert len({state_event.entity.entity_id for state_event in state_events}) >= 60
    assert len({state_event.entity.domain for state_event in state_events}) >= 20
    assert any(state_event.new is None for state_event in state_events)
    events = {item.event_type for item in home() if isinstance(item, OtherEvent)}
    assert events >= {"entity_renamed", "automation_triggered", "script_started", "call_service"}


def test_a_stored_home_is_read_as_it_was_written() -> None:
    assert dump(home()) == HOME.read_text(encoding="utf-8")
