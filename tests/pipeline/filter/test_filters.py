"""What is left out says nothing new, and is counted; what is kept comes in order."""

import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_components.ha_ingestor.pipeline.filter.filters import NoiseFilterSettings
from custom_components.ha_ingestor.pipeline.model import (
    HEARTBEAT,
    STATE_REPORTED,
    OtherEvent,
    Rules,
    StateEvent,
)
from tests.pipeline.memory_files import MemoryFiles
from tests.pipeline.state_events import NOON, FakeContext, FakeState, entity

from .rig import Rig


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


def test_a_reload_forgets_no_repetition() -> None:
    rig = Rig(window=5)
    rig.see("21")
    rig.noise_filter.filter([OtherEvent("button", {"key": 1}, NOON + rig.now, FakeContext())])
    rig = rig.reloaded(window=5)

    assert rig.see("21", after=1) == []
    again = OtherEvent("button", {"key": 1}, NOON + rig.now, FakeContext())
    assert rig.noise_filter.filter([again]) == []
    assert rig.ledger.deduplicated == 2


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
