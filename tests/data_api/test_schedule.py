"""When something is sent: what changed at once, everything at intervals, nothing in trouble."""

from math import inf

from custom_components.ha_ingestor.data_api.schedule import SendSchedule

REFRESH = 1800.0
NEW = SendSchedule(refresh=REFRESH)


def test_nothing_is_due_at_the_start() -> None:
    assert NEW.due == inf


def test_a_change_is_due_at_once_and_once() -> None:
    assert NEW.changed(5.0).changed(6.0).due == 5.0
    assert NEW.changed(5.0).begun(5.0).due == inf


def test_what_changes_while_it_is_sent_is_sent_the_next_time() -> None:
    assert NEW.changed(5.0).begun(5.0).changed(6.0).succeeded(7.0).due == 6.0


def test_everything_is_sent_again_after_the_interval_however_often_something_changes() -> None:
    schedule = NEW.full(0.0).begun(0.0).succeeded(1.0)
    for moment in range(100, 1800, 100):
        schedule = schedule.changed(moment).begun(moment).succeeded(moment + 3.0)
        assert not schedule.is_full(moment + 3.0)
    assert schedule.due == 1.0 + REFRESH
    assert schedule.is_full(1.0 + REFRESH)


def test_a_change_after_a_failure_waits_for_the_end_of_the_delay() -> None:
    assert NEW.begun(2.0).failed(2.0, 30.0).changed(5.0).due == 32.0


def test_success_ends_the_delay() -> None:
    schedule = NEW.begun(2.0).failed(2.0, 30.0).begun(32.0).succeeded(33.0).changed(40.0)
    assert schedule.due == 40.0


def test_a_full_sync_on_demand_ends_the_delay_after_a_failure() -> None:
    assert NEW.begun(2.0).failed(2.0, 300.0).full(5.0).due <= 5.0


def test_everything_asked_for_while_sending_is_sent_once_more() -> None:
    assert NEW.full(0.0).begun(0.0).full(1.0).succeeded(2.0).is_full(2.0)


def test_what_was_refused_is_due_at_the_first_moment_that_was_asked_for() -> None:
    schedule = NEW.again(0.0, 60.0).again(10.0, 20.0)
    assert schedule.due == 60.0
    assert not schedule.is_again(59.0)
    assert schedule.is_again(60.0)
    assert schedule.begun(30.0).is_again(60.0)
    assert not schedule.begun(60.0).is_again(60.0)
