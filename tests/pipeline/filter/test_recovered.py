"""Events of the past are filtered by the rules of today and the times of then."""

import json
from typing import Any

import pytest

from custom_components.ha_ingestor.pipeline.filter import recovered
from custom_components.ha_ingestor.pipeline.filter.filters import NoiseFilterSettings
from custom_components.ha_ingestor.pipeline.filter.last_written import LastWritten
from custom_components.ha_ingestor.pipeline.filter.recovered import RecoveredFilter
from custom_components.ha_ingestor.pipeline.ledger import Ledger
from custom_components.ha_ingestor.pipeline.model import Instance, Rules, StateEvent
from tests.pipeline.memory_files import MemoryFiles
from tests.pipeline.state_events import NOON, FakeState, change, entity


class Rig:
    """A filter, and an entity that changes."""

    def __init__(self, rules: Rules | None = None, **settings: Any) -> None:
        self.ledger = Ledger()
        self.last_written = LastWritten(ledger=self.ledger, dumps=json.dumps)
        self.filter = RecoveredFilter(
            ledger=self.ledger,
            settings=NoiseFilterSettings(**settings),
            last_written=self.last_written,
        )
        self.entity = entity(rules=rules) if rules else entity()
        self.before: FakeState | None = None

    def event(self, name: str | None, after: float = 0, **attributes: Any) -> StateEvent:
        moment = NOON + after
        new = name and FakeState(
            state=name,
            attributes=attributes,
            last_changed_timestamp=moment,
            last_updated_timestamp=moment,
        )
        old, self.before = self.before, new or None
        return change(new or None, old, of=self.entity, time=moment)

    def kept(self, *events: StateEvent) -> list[str]:
        return [event.new.state if event.new else "-" for event in self.filter.filter(events)]


def test_without_rules_everything_is_kept() -> None:
    rig = Rig()
    assert rig.kept(rig.event("1"), rig.event("1", 1), rig.event(None, 2)) == ["1", "1", "-"]
    assert not rig.ledger.filtered


def test_a_throttle_of_recovered_events_uses_their_own_times() -> None:
    rig = Rig(Rules(throttle=60))
    events = [rig.event(str(after), after) for after in (0, 10, 59, 60, 119, 130)]
    assert rig.kept(*events) == ["0", "60", "130"]
    assert rig.ledger.filtered == {"throttled": 3}


def test_a_deadband_ends_at_an_unavailable_state() -> None:
    rig = Rig(Rules(deadband=1))
    events = [rig.event(state) for state in ("20", "20.5", "unavailable", "20.4", "21.3", "21.4")]
    assert rig.kept(*events) == ["20", "unavailable", "20.4", "21.4"]
    assert rig.ledger.filtered == {"deadband": 2}


def test_what_says_the_same_again_within_the_window_is_deduplicated() -> None:
    rig = Rig(window=5)
    events = [rig.event("1"), rig.event("1", 5), rig.event("1", 5, unit="W"), rig.event("1", 11)]
    assert rig.kept(*events) == ["1", "1", "1"]
    assert rig.ledger.deduplicated == 1


def test_what_is_unavailable_is_left_out_where_the_user_wants_none() -> None:
    rig = Rig(skip_unavailable=True)
    assert rig.kept(rig.event("unknown"), rig.event("1")) == ["1"]
    assert rig.ledger.filtered == {"unavailable": 1}


def test_passwords_are_left_out() -> None:
    rig = Rig()
    rig.entity = entity("text.pin")
    assert rig.kept(rig.event("hunter2", mode="password"), rig.event("a", mode="text")) == ["a"]
    assert rig.ledger.filtered == {"secret": 1}


def test_a_recovered_event_that_raises_in_the_filter_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = Rig(window=5)

    def broken(*_: object) -> bool:
        raise ValueError

    monkeypatch.setattr(recovered, "are_same", broken)
    assert rig.kept(rig.event("1"), rig.event("1", 1)) == ["1", "1"]


def test_a_state_of_the_past_is_the_last_one_unless_a_newer_was_written() -> None:
    rig = Rig()
    (older,) = rig.filter.filter([rig.event("1", 1)])
    assert rig.last_written.last == {"sensor.kitchen": older.new}
    newer = rig.event("3", 3).new
    rig.last_written.note("sensor.kitchen", newer)
    rig.kept(rig.event("2", 2))
    assert rig.last_written.last == {"sensor.kitchen": newer}


def test_the_first_event_of_another_home_follows_what_an_earlier_process_wrote() -> None:
    """The history of another home is asked for the gap only; ours is read from before it."""
    cabin = entity(instance=Instance(name="cabin"))
    for here, before in ((cabin, "on"), (entity(), None)):
        rig, files = Rig(), MemoryFiles()
        rig.entity = here
        rig.kept(rig.event("on"))
        rig.last_written.save(files, 7)
        later = Rig()
        later.entity = here
        later.last_written.load(files, 7)
        events = [later.event("off", 60), later.event("on", 90)]
        first, second = later.filter.filter(events)
        assert (first.old.state if first.old else None) == before
        assert second.old
        assert second.old.state == "off"
        if first.old:
            assert first.old.last_changed_timestamp == NOON
