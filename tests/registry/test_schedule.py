"""When the registries are looked at: soon after many changes, and never in the middle."""

from itertools import pairwise
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from custom_components.ha_ingestor.registry.schedule import Intervals, Schedule

QUIET, LONGEST, REFRESH = 2.0, 10.0, 1800.0
NEW = Schedule(intervals=Intervals(quiet=QUIET, longest=LONGEST, refresh=REFRESH))


def snapshots(changes: list[float]) -> list[float]:
    """Play the changes; returns the moments at which the registries are looked at."""
    schedule, found = NEW, []
    for moment in [*changes, inf]:
        while schedule.due <= moment and schedule.due < inf:
            found.append(schedule.due)
            schedule = schedule.snapshot_taken()
        schedule = schedule.changed(moment) if moment < inf else schedule
    return found


@given(st.lists(st.floats(0, 100), min_size=1).map(sorted))
def test_every_change_is_seen_in_time_and_snapshots_are_apart(changes: list[float]) -> None:
    found = snapshots(changes)
    for change in changes:
        assert any(change <= snapshot <= change + LONGEST + 1e-6 for snapshot in found)
    assert all(later - snapshot >= QUIET - 1e-6 for snapshot, later in pairwise(found))


def test_a_thousand_changes_in_a_second_are_one_snapshot() -> None:
    assert snapshots([number / 1000 for number in range(1000)]) == [0.999 + QUIET]


def test_endless_changes_are_read_at_intervals() -> None:
    assert snapshots([number / 10 for number in range(250)])[:2] == [10.0, 20.0]


def test_registries_are_read_again_after_the_interval_and_not_before() -> None:
    schedule = NEW.changed(0.0).snapshot_taken().succeeded(3.0)
    assert schedule.due == 3.0 + REFRESH
    schedule = schedule.changed(100.0).snapshot_taken().succeeded(103.0)
    assert schedule.due == 103.0 + REFRESH


def test_a_change_after_a_failure_waits_for_the_end_of_the_delay() -> None:
    schedule = NEW.changed(0.0).snapshot_taken().failed(2.0, 30.0).changed(5.0)
    assert schedule.due == 32.0


def test_success_ends_the_delay() -> None:
    schedule = NEW.snapshot_taken().failed(2.0, 30.0).snapshot_taken().succeeded(33.0).changed(40.0)
    assert schedule.due == 42.0


def test_a_request_skips_the_quiet_time_and_keeps_the_delay_after_a_failure() -> None:
    assert NEW.asked(5.0).due == 5.0
    assert NEW.snapshot_taken().failed(2.0, 30.0).asked(5.0).due == 32.0


def test_what_is_asked_for_while_they_are_read_is_another_reading() -> None:
    assert NEW.asked(0.0).snapshot_taken().asked(1.0).succeeded(2.0).due == 1.0


def test_a_schedule_has_changes_until_a_snapshot_is_taken() -> None:
    assert not NEW.has_changes
    assert NEW.changed(0.0).has_changes
    assert not NEW.changed(0.0).snapshot_taken().has_changes
    assert NEW.snapshot_taken().failed(2.0, 30.0).has_changes
