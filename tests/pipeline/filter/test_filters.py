"""What is left out is needless, and counted; what is kept comes in order, late or never changed."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.filter.filters import NoiseFilter, NoiseFilterSettings
from custom_components.ha_ingestor.pipeline.filter.last_written import (
    RESTORE_SECONDS,
    LastWritten,
    digest,
)
from custom_components.ha_ingestor.pipeline.ledger import Ledger
from custom_components.ha_ingestor.pipeline.model import (
    HEARTBEAT,
    STATE_REPORTED,
    EntityContext,
    OtherEvent,
    Rules,
    StateEvent,
    Weather,
)
from tests.pipeline.memory_files import MemoryFiles
from tests.pipeline.state_events import NOON, FakeContext, FakeState, entity


class Rig:
    """A noise filter, a clock, and the entity under test."""

    def __init__(
        self, rules: Rules | None = None, ledger: Ledger | None = None, **settings: Any
    ) -> None:
        self.now = 100.0
        self.set_by = 0.0
        self.ledger = ledger or Ledger()
        self.last_written = LastWritten(ledger=self.ledger, dumps=json.dumps)
        self.contexts: dict[str, EntityContext] = {}
        self.noise_filter = NoiseFilter(
            ledger=self.ledger,
            settings=NoiseFilterSettings(**settings),
            last_written=self.last_written,
            clock=lambda: self.now,
            wall_clock=self.wall,
            contexts=self.contexts,
        )
        self.entity = entity(rules=rules) if rules else entity()
        self.before: FakeState | None = None

    def wall(self) -> float:
        """Return what the clock on the wall says, which somebody may have set."""
        return NOON + self.now + self.set_by

    def state_event(
        self,
        state: str | None,
        *,
        after: float = 0,
        changed: float | None = None,
        **attributes: Any,
    ) -> StateEvent:
        """Change the state `after` so many seconds."""
        self.now += after
        wall = self.wall()
        new = None
        if state is not None:
            same = self.before and self.before.state == state
            since = changed or (
                self.before.last_changed_timestamp if self.before and same else wall
            )
            new = FakeState(
                state=state,
                attributes=attributes,
                last_changed_timestamp=since,
                last_updated_timestamp=wall,
            )
        state_event = StateEvent(self.entity, new, self.before, wall, FakeContext())
        self.before = new
        return state_event

    def see(self, state: str | None, **how: Any) -> list[str | None]:
        """Return the states that pass when this one comes."""
        return states(self.noise_filter.filter([self.state_event(state, **how)]))

    def due(self, *, after: float) -> list[str | None]:
        """Return the states that come by themselves after a while."""
        self.now += after
        return states(self.noise_filter.due())

    def reloaded(self, rules: Rules | None = None, **settings: Any) -> Rig:
        """Let another noise filter of the same process go on, with other rules."""
        rig = Rig(rules, self.ledger, **settings)
        rig.now, rig.set_by, rig.before = self.now, self.set_by, self.before
        rig.contexts["sensor.kitchen"] = rig.entity
        rig.noise_filter.resume(self.noise_filter.hand_over())
        # What is handed over is not here any more.
        assert self.noise_filter.held == 0
        assert self.noise_filter.release() == []
        return rig

    def restarted(self, *, seq: int = 7, found: int = 7) -> Rig:
        """Stop with everything settled, and begin again as a new process."""
        files = MemoryFiles()
        self.noise_filter.release()
        self.last_written.save(files, seq)
        rig = Rig(self.entity.rules)
        rig.now = self.now
        rig.noise_filter.settings = self.noise_filter.settings
        rig.last_written.load(files, found)
        return rig


def states(state_events: list[Any]) -> list[str | None]:
    return [state_event.new.state if state_event.new else None for state_event in state_events]


def durations(state_events: list[Any]) -> list[float]:
    return [
        max(state_event.new.last_changed_timestamp - state_event.old.last_changed_timestamp, 0)
        for state_event in state_events
    ]


@pytest.mark.parametrize("entity_id", ["text.slot_1", "input_text.wifi"])
@pytest.mark.parametrize("rules", [None, Rules(heartbeat=60, throttle=10, deadband=1)])
def test_a_text_that_is_typed_as_a_password_is_never_written_nor_remembered(
    entity_id: str, rules: Rules | None
) -> None:
    rig = Rig(window=5)
    rig.entity = entity(entity_id, rules=rules) if rules else entity(entity_id)

    assert rig.see("plain") == ["plain"]
    assert rig.see("later", after=1) == ([] if rules else ["later"])
    # What was held before it became one is no secret.
    assert rig.see("hunter2", after=1, mode="password") == (["later"] if rules else [])
    rig.noise_filter.start_heartbeats([rig.state_event("hunter3", after=1, mode="password")])
    assert rig.due(after=600) == []
    files = MemoryFiles()
    rig.last_written.save(files, 7)
    assert b"hunter" not in files.read("recollection.json", 0, 1 << 20)
    (shown,) = rig.noise_filter.filter([rig.state_event("unavailable", after=1, mode="password")])
    assert isinstance(shown, StateEvent)
    assert shown.old is None
    assert rig.see("hunter4", after=1, mode="password") == []
    (plain,) = rig.noise_filter.filter([rig.state_event("plain", after=1, mode="text")])
    assert isinstance(plain, StateEvent)
    assert plain.old is None
    rig.before = FakeState(state="hunter5", attributes={"mode": "password"})
    assert rig.see(None, after=1) == []
    assert rig.ledger.filtered == {"secret": 3}
    assert rig.noise_filter.held == 0


def test_without_rules_everything_passes_unchanged() -> None:
    rig = Rig()
    state_events = [
        rig.state_event("on"),
        rig.state_event("on", after=1),
        rig.state_event(None, after=1),
    ]

    assert rig.noise_filter.filter(state_events) == state_events
    assert rig.ledger.filtered.total() == rig.ledger.deduplicated == 0
    assert rig.noise_filter.next_due == float("inf")


def test_the_same_again_within_the_window_is_deduplicated() -> None:
    rig = Rig(window=5)

    assert rig.see("21") == ["21"]
    assert rig.see("21", after=3) == []
    assert rig.see("21", after=1, unit="K") == ["21"]
    assert rig.see("21", after=6, unit="K") == ["21"]
    assert rig.see("22", after=1, unit="K") == ["22"]
    assert rig.ledger.deduplicated == 1


def test_events_that_say_the_same_within_the_window_are_deduplicated() -> None:
    rig = Rig(window=5)

    def happen(time: float, **data: Any) -> int:
        return len(
            rig.noise_filter.filter([OtherEvent("button", data, NOON + time, FakeContext())])
        )

    assert [happen(0, key=1), happen(1, key=1), happen(2, key=2), happen(9, key=2)] == [1, 0, 1, 1]
    assert rig.ledger.deduplicated == 1


def test_states_that_say_nothing_are_left_out_when_nobody_wants_them() -> None:
    rig = Rig(skip_unavailable=True)

    assert rig.see("on") == ["on"]
    assert rig.see("unavailable", after=1) == []
    assert rig.see("unknown", after=1) == []
    assert rig.see("on", after=1) == ["on"]
    assert rig.see(None, after=1) == [None]
    assert rig.ledger.filtered == {"unavailable": 2}


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


def test_a_restored_state_is_not_written_again() -> None:
    rig = Rig()
    rig.see("on", brightness=3)
    rig = rig.restarted()

    assert rig.see("on", after=60, brightness=3) == []
    assert rig.ledger.filtered == {"restart_echo": 1}
    assert rig.see("on", after=1, brightness=4) == ["on"]


def test_new_attributes_after_a_restart_are_no_echo() -> None:
    rig = Rig()
    rig.see("on", brightness=3)
    rig = rig.restarted()

    assert rig.see("on", after=60, brightness=4) == ["on"]


def test_an_entity_that_was_unavailable_before_the_restart_is_waited_for_in_silence() -> None:
    rig = Rig()
    rig.see("unavailable")
    rig = rig.restarted()

    assert rig.see("unavailable", after=60, restored=True) == []
    assert rig.noise_filter.held == 0
    assert rig.due(after=RESTORE_SECONDS) == []
    assert rig.ledger.filtered == {"restart_echo": 1}
    assert rig.see("on", after=1) == ["on"]


def test_a_duration_goes_on_right_across_two_restarts() -> None:
    rig = Rig()
    rig.see("on")
    rig = rig.restarted()
    rig.see("on", after=60)
    rig = rig.restarted()
    rig.see("on", after=30)
    off = rig.noise_filter.filter([rig.state_event("off", after=10)])

    assert durations(off) == [100]


def test_a_duration_goes_on_right_across_a_restart() -> None:
    rig = Rig()
    rig.see("on")
    rig = rig.restarted()
    rig.see("on", after=60)
    bright = rig.noise_filter.filter([rig.state_event("on", after=5, brightness=9)])
    off = rig.noise_filter.filter([rig.state_event("off", after=35)])
    on = rig.noise_filter.filter([rig.state_event("on", after=7)])

    assert [durations(bright), durations(off), durations(on)] == [[0], [100], [7]]


def test_a_change_during_a_restart_names_the_state_before_it_and_its_duration() -> None:
    rig = Rig()
    rig.see("on")
    rig = rig.restarted()
    (state_event,) = rig.noise_filter.filter([rig.state_event("off", after=60)])

    assert isinstance(state_event, StateEvent)
    assert state_event.old is not None
    assert state_event.old.state == "on"
    assert durations([state_event]) == [60]


def test_a_placeholder_of_the_start_is_forgotten_as_soon_as_the_entity_is_there() -> None:
    rig = Rig()
    rig.see("on")
    rig = rig.restarted()

    assert rig.see("unavailable", after=60, restored=True) == []
    assert rig.noise_filter.held == 1
    assert rig.see("on", after=10) == []
    assert rig.noise_filter.held == 0
    assert rig.ledger.filtered == {"restart_echo": 2}
    assert rig.due(after=RESTORE_SECONDS) == []


def test_a_placeholder_that_nothing_comes_after_is_written_in_the_end() -> None:
    rig = Rig()
    rig.see("on")
    rig = rig.restarted()
    rig.see("unavailable", after=60, restored=True)

    assert rig.noise_filter.next_due == rig.now + RESTORE_SECONDS
    rig.now += RESTORE_SECONDS
    (state_event,) = rig.noise_filter.due()
    assert state_event.new == rig.before
    assert durations([state_event]) == [60]
    assert rig.see("on", after=1) == ["on"]


def test_a_second_restart_still_knows_what_the_first_waited_for() -> None:
    rig = Rig()
    rig.see("on")
    rig = rig.restarted()
    rig.see("unavailable", after=60, restored=True)
    rig = rig.restarted()
    assert rig.see("unavailable", after=60, restored=True) == []

    assert rig.see("on", after=1) == []


def test_after_a_crash_everything_is_new() -> None:
    rig = Rig()
    rig.see("on")
    rig = rig.restarted(seq=7, found=8)

    assert rig.see("on", after=60) == ["on"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"seq": 7}', b'{"seq": 7, "states": {"a": 1}}', b"\xff\x00"]
)
def test_damaged_last_written_states_are_ignored(content: bytes) -> None:
    files = MemoryFiles()
    fd = files.create("recollection.json")
    files.write(fd, content, 0)
    rig = Rig()
    rig.last_written.load(files, 7)

    assert rig.see("on") == ["on"]


def test_a_state_without_a_last_written_one_is_written() -> None:
    rig = Rig().restarted()

    assert rig.see("on") == ["on"]


def test_a_reload_of_this_integration_drops_no_report_of_the_same_state() -> None:
    rig = Rig()
    rig.see("on")
    before, rig = rig.before, rig.restarted()
    rig.before = before

    assert rig.see("on", after=5) == ["on"]


def test_heartbeats_continue_after_a_restored_state() -> None:
    rig = Rig(Rules(heartbeat=60))
    rig.see("21")
    rig = rig.restarted()
    assert rig.see("21", after=10) == []

    assert rig.due(after=60) == ["21"]


def test_a_report_of_an_unchanged_state_is_no_repetition() -> None:
    rig = Rig(window=5)
    rig.see("21")
    assert rig.before is not None
    report = StateEvent(
        rig.entity, rig.before, rig.before, NOON + rig.now, FakeContext(), STATE_REPORTED
    )

    assert rig.noise_filter.filter([report]) == [report]


class Array:
    """Values that are compared one by one, as those of numpy are."""

    def __eq__(self, other: object) -> Any:
        return Array()

    def __bool__(self) -> bool:
        raise ValueError("The truth value of an array is ambiguous")

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("rules", [None, Rules(heartbeat=60)], ids=["no rules", "rules"])
def test_an_attribute_that_cannot_be_compared_loses_no_event_and_counts_none_twice(
    rules: Rules | None,
) -> None:
    rig = Rig(rules, window=60)
    other = entity("sensor.other")

    def same_again() -> StateEvent:
        state = FakeState(state="5", last_updated_timestamp=NOON + rig.now)
        return StateEvent(other, state, state, NOON + rig.now, FakeContext())

    items = [
        same_again(),
        rig.state_event("on", grid=Array()),
        same_again(),
        rig.state_event("on", grid=Array()),
        same_again(),
    ]
    passed = rig.noise_filter.filter(items)

    assert [id(item) for item in passed] == [id(items[index]) for index in (0, 1, 3)]
    assert rig.ledger.deduplicated == 2
    assert rig.ledger.filtered.total() == 0


def test_event_data_that_cannot_be_compared_cost_no_event() -> None:
    rig = Rig(window=5)
    events = [OtherEvent("button", {"grid": Array()}, NOON, FakeContext()) for _ in range(3)]

    assert len(rig.noise_filter.filter(events)) == 3
    assert rig.ledger.deduplicated == 0


def test_a_state_that_raises_in_the_filter_is_kept_and_so_are_its_neighbours() -> None:
    class Unreadable(FakeState):
        @property
        def state(self) -> str:
            raise RuntimeError("not now")

    rig = Rig(Rules(deadband=1))
    bad = StateEvent(rig.entity, Unreadable.__new__(Unreadable), None, NOON, FakeContext())
    first, last = rig.state_event("20"), rig.state_event("25")

    assert rig.noise_filter.filter([first, bad, last]) == [first, bad, last]
    assert rig.ledger.filtered.total() == rig.ledger.deduplicated == 0


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


def test_a_reload_forgets_no_repetition() -> None:
    rig = Rig(window=5)
    rig.see("21")
    rig.noise_filter.filter([OtherEvent("button", {"key": 1}, NOON + rig.now, FakeContext())])
    rig = rig.reloaded(window=5)

    assert rig.see("21", after=1) == []
    again = OtherEvent("button", {"key": 1}, NOON + rig.now, FakeContext())
    assert rig.noise_filter.filter([again]) == []
    assert rig.ledger.deduplicated == 2


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


def test_a_reload_waits_on_for_what_comes_after_a_placeholder() -> None:
    rig = Rig()
    rig.see("on")
    rig = rig.restarted()
    assert rig.see("unavailable", after=60, restored=True) == []
    rig = rig.reloaded()

    assert rig.noise_filter.held == 1
    assert rig.see("on", after=10) == []
    assert rig.ledger.filtered == {"restart_echo": 2}


def test_an_outage_after_a_reload_is_no_restored_state() -> None:
    rig = Rig()
    rig.see("on")
    rig = rig.reloaded()

    assert rig.see("unavailable", after=60, restored=True) == ["unavailable"]
    assert rig.see("on", after=10) == ["on"]
    assert rig.ledger.filtered.total() == 0


def test_last_written_states_on_disk_are_ignored_after_a_reload() -> None:
    rig = Rig()
    rig.see("on")
    files = MemoryFiles()
    rig.last_written.save(files, 7)
    rig = rig.reloaded()
    rig.last_written.load(files, 7)

    assert rig.see("unavailable", after=60, restored=True) == ["unavailable"]


HOUR = 3600.0
BOOT = -NOON


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 24 * HOUR, BOOT], ids=str)
def test_a_clock_that_is_set_does_not_change_how_long_a_state_was(jump: float) -> None:
    rig = Rig()
    rig.see("on")
    rig.now += 10
    rig.set_by += jump
    off = rig.noise_filter.filter([rig.state_event("off")])
    rig.now += 1
    rig.set_by -= jump
    on = rig.noise_filter.filter([rig.state_event("on")])
    bright = rig.noise_filter.filter([rig.state_event("on", after=5, brightness=9)])
    off_again = rig.noise_filter.filter([rig.state_event("off", after=5)])

    found = [durations(each)[0] for each in (off, on, bright, off_again)]
    assert found == pytest.approx([10, 1, 0, 10])


def test_a_clock_that_is_set_between_attributes_leaves_the_state_its_time() -> None:
    rig = Rig()
    rig.see("on")
    rig.set_by -= HOUR
    bright = rig.noise_filter.filter([rig.state_event("on", after=5, brightness=9)])
    rig.set_by += 3 * HOUR
    off = rig.noise_filter.filter([rig.state_event("off", after=5)])

    assert [durations(bright)[0], durations(off)[0]] == pytest.approx([0, 10])


def test_a_clock_that_drifts_is_no_clock_that_is_set() -> None:
    rig = Rig()
    rig.see("on")
    for _ in range(10):
        rig.set_by += 1
        rig.see("on", after=60, brightness=rig.now)
    off = rig.noise_filter.filter([rig.state_event("off", after=60)])

    assert durations(off) == [670]


def test_a_boot_before_the_clock_was_set_makes_no_years_of_a_state_it_remembers() -> None:
    rig = Rig()
    rig.see("on")
    rig = rig.restarted()
    rig.set_by = BOOT
    assert rig.see("on", after=60) == []
    rig.set_by = 0
    rig.now += 40
    off = rig.noise_filter.filter([rig.state_event("off")])

    assert durations(off) == pytest.approx([100])


def test_a_state_from_before_the_clock_was_set_has_no_years_after_another_restart() -> None:
    rig = Rig()
    rig.set_by = BOOT
    rig.see("on")
    rig.set_by = 0
    rig.see("other", after=5)
    rig.before = None
    rig.set_by = BOOT
    rig.see("on", after=5)
    rig = rig.restarted()
    rig.set_by = 0
    (off,) = rig.noise_filter.filter([rig.state_event("off", after=60)])

    assert 0 <= durations([off])[0] <= 60


def test_the_time_before_the_clock_was_set_is_remembered_as_what_it_was() -> None:
    rig = Rig()
    rig.set_by = BOOT
    rig.see("on")
    rig.set_by = 0
    rig.see("on", after=10, brightness=1)
    rig = rig.restarted()
    assert rig.see("on", after=10, brightness=1) == []
    off = rig.noise_filter.filter([rig.state_event("off", after=5)])

    assert durations(off) == pytest.approx([25])


@pytest.mark.parametrize("jump", [2 * HOUR, -2 * HOUR])
def test_a_clock_that_is_set_makes_no_repetition_of_what_is_none(jump: float) -> None:
    rig = Rig(window=5)
    rig.see("21")
    event = OtherEvent("button", {"key": 1}, rig.wall(), FakeContext())
    rig.noise_filter.filter([event])
    rig.now += abs(jump)
    rig.set_by -= abs(jump)

    assert rig.see("21", after=1) == ["21"]
    assert rig.noise_filter.filter([event._replace(time=rig.wall())])


def test_the_same_again_within_the_window_is_deduplicated_although_the_clock_was_set() -> None:
    rig = Rig(window=5)
    rig.see("21")
    rig.set_by += HOUR

    assert rig.see("21", after=3) == []


def test_a_restored_state_is_dropped_when_its_point_would_be_the_same() -> None:
    def rig_of(*, what: str) -> Rig:
        rig = Rig()
        rig.entity = entity("camera.door", area=what)
        rig.contexts["camera.door"] = rig.entity
        rig.last_written.profile = HomeIQ(dumps=json.dumps)
        rig.last_written.contexts = rig.contexts
        return rig

    def again(area: str, **attributes: Any) -> list[str | None]:
        rig = rig_of(what="Hall")
        rig.see("idle", access_token="old", brand="A")
        files = MemoryFiles()
        rig.noise_filter.release()
        rig.last_written.save(files, 7)
        later = rig_of(what=area)
        later.last_written.load(files, 7)
        return later.see("idle", after=60, **attributes)

    assert again("Hall", access_token="new", brand="A", entity_picture="/api?new") == []
    assert again("Hall", access_token="old", brand="B") == ["idle"]
    assert again("Attic", access_token="old", brand="A") == ["idle"]


def test_entities_that_never_come_back_are_forgotten_in_the_end() -> None:
    rig = Rig()
    for number in range(50):
        gone = FakeState(state=str(number))
        rig.noise_filter.filter(
            [StateEvent(entity(f"sensor.old{number}"), gone, None, NOON, FakeContext())]
        )
    rig.see("on")
    sizes = []
    for _ in range(40):
        files = MemoryFiles()
        rig.noise_filter.release()
        rig.last_written.save(files, 7)
        sizes.append(len(files.read("recollection.json", 0, 1 << 20)))
        rig = Rig()
        rig.last_written.load(files, 7)
        assert rig.see("on", after=60) == []
    assert sizes[-1] < 200 < sizes[0]


def test_last_written_states_of_an_older_version_are_loaded() -> None:
    files = MemoryFiles()
    told = digest({"brightness": 3}, json.dumps)
    content = {"seq": 7, "states": {"sensor.kitchen": ["on", NOON, told]}}
    files.write(files.create("recollection.json"), json.dumps(content).encode(), 0)
    rig = Rig()
    rig.last_written.load(files, 7)

    assert rig.see("on", after=60, brightness=3) == []


def test_what_is_kept_of_events_does_not_grow_with_their_types() -> None:
    rig = Rig(window=5)
    tracemalloc.start()
    for number in range(5_000):
        event = OtherEvent(f"event_{number}", {"n": "x" * 1000}, rig.wall(), FakeContext())
        rig.noise_filter.filter([event])
        rig.now += 1
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 1_000_000


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["1", "1.2", "2", "9", "on", "unavailable", "unknown", None]),
            st.floats(0, 30),
            st.booleans(),
        ),
        max_size=40,
    ),
    st.builds(
        Rules,
        heartbeat=st.sampled_from([0.0, 7.0, 40.0]),
        throttle=st.sampled_from([0.0, 5.0, 20.0]),
        deadband=st.sampled_from([0.0, 0.5, 3.0]),
    ),
    st.builds(
        NoiseFilterSettings, skip_unavailable=st.booleans(), window=st.sampled_from([0.0, 10.0])
    ),
)
def test_every_event_is_written_once_in_order_or_counted(
    steps: list[tuple[str | None, float, bool]], rules: Rules, settings: NoiseFilterSettings
) -> None:
    rig = Rig(rules)
    rig.noise_filter.settings = settings
    offered: list[Any] = []
    out: list[Any] = []
    for state, after, ticks in steps:
        state_event = rig.state_event(state, after=after)
        offered.append(state_event)
        out += rig.noise_filter.filter([state_event])
        if ticks:
            out += rig.noise_filter.due()
    out += rig.noise_filter.release()

    written = [state_event for state_event in out if state_event.kind is not HEARTBEAT]
    # The captures themselves: two of them may say the same.
    ids = [id(state_event) for state_event in written]
    assert [id(state_event) for state_event in offered if id(state_event) in ids] == ids
    counted = rig.ledger.filtered.total() + rig.ledger.deduplicated
    assert len(offered) == len(written) + counted
    assert rig.noise_filter.held == 0


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
