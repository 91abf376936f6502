"""A clock that is set changes no duration, and makes no repetition."""

import pytest

from custom_components.ha_ingestor.pipeline.model import OtherEvent
from tests.pipeline.state_events import NOON, FakeContext

from .rig import Rig, durations

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
