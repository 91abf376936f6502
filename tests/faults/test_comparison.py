"""What a soak of homes finds, and what it does not take for a difference."""

from collections.abc import Sequence

import pytest

from scripts.rig.endpoint import Point

from .comparison import differences
from .recorded import Differences, History, Losses, Row, heard_moments

SECOND = 1_000_000
NAME = "sensor.a"


def row(seconds: float, state: str | None) -> Row:
    return Row(entity_id=NAME, moment=round(seconds * SECOND), state=state)


def point(seconds: float, state: str | None, old: str | None) -> Point:
    fields = {"state": state, "old_state": old}
    return Point(
        time_ns=round(seconds * SECOND) * 1000,
        tags={"entity_id": NAME, "event_type": "state_changed" if state else "entity_removed"},
        fields={key: value for key, value in fields.items() if value is not None},
    )


def compare(
    rows: Sequence[Row],
    points: Sequence[Point],
    *,
    starts: Sequence[float] = (),
    kills: Sequence[float] = (),
    forgets: Sequence[float] = (),
    heard: Sequence[float] | None = None,
    follower_kills: Sequence[float] = (),
) -> Differences:
    history = History(rows={NAME: rows}, starts=moments(starts))
    losses = Losses(
        starts=history.starts,
        kills=moments(kills),
        forgets=moments(forgets),
        heard=None if heard is None else moments(heard),
        follower_kills=moments(follower_kills),
    )
    return differences(history, points, losses)


def moments(seconds: Sequence[float]) -> list[int]:
    return [round(each * SECOND) for each in seconds]


def test_points_equal_to_the_rows_are_no_difference() -> None:
    rows = [row(1, "1"), row(2, None), row(3, "3"), row(4, "4")]
    points = [point(1, "1", None), point(2.5, None, "1"), point(3, "3", None), point(4, "4", "3")]
    found = compare(rows, points)
    assert found.all == []
    assert found.same == 3


def test_a_moment_may_be_rounded() -> None:
    assert compare([row(1.000001, "1")], [point(1, "1", None)]).all == []


def test_what_a_start_sets_once_more_need_not_be_there() -> None:
    rows = [row(1, "on"), row(4, "unavailable"), row(5, "on"), row(6, "off")]
    points = [point(1, "on", None), point(6, "off", "on")]
    found = compare(rows, points, starts=[3])
    assert found.all == []
    assert found.restored == 2
    assert len(compare(rows, points).missing) == 2


def test_a_recorder_that_was_killed_need_not_have_everything() -> None:
    points = [point(1, "1", None)]
    assert compare([], points, kills=[3]).unstored == 1
    assert len(compare([], points, kills=[30]).unknown) == 1


def test_after_a_kill_a_point_need_not_say_what_was_before() -> None:
    points = [point(1, "1", None), point(4, "2", None)]
    rows = [row(1, "1"), row(4, "2")]
    assert compare(rows, points, forgets=[3]).forgotten == 1
    assert len(compare(rows, points, forgets=[5]).misled) == 1
    assert len(compare(rows, points).misled) == 1


def test_what_a_start_set_that_was_killed_may_be_stored_nowhere() -> None:
    points = [point(1, "1", None), point(4, "3", "2")]
    assert compare([row(1, "1")], points, starts=[3], kills=[5]).cut_short == 1
    assert len(compare([row(1, "1")], points, kills=[5]).misled) == 1
    assert len(compare([row(1, "1")], points, starts=[3], kills=[30]).misled) == 1
    # The recorder stored what was later, and so it stored that as well.
    assert len(compare([row(1, "1"), row(4, "3")], points, starts=[3], kills=[5]).misled) == 1


def test_what_ended_a_gap_may_be_stored_nowhere_if_both_homes_were_killed() -> None:
    points = [point(1, "1", None), point(4, "3", "2")]
    both = {"heard": [1, 4], "kills": [5]}
    assert compare([row(1, "1")], points, **both, follower_kills=[5]).cut_short == 1
    assert len(compare([row(1, "1")], points, **both, follower_kills=[30]).misled) == 1
    assert len(compare([row(1, "1")], points, **both).misled) == 1


def test_what_was_set_and_removed_in_a_start_may_be_unseen_by_the_next_point() -> None:
    rows = [row(1, "1"), row(5, "2"), row(6, None), row(7, "3")]
    points = [point(1, "1", None), point(5, "2", "1"), point(6, None, "2"), point(7, "3", "1")]
    assert compare(rows, points, starts=[4]).resumed == 1
    assert len(compare(rows, points, starts=[5.5]).misled) == 1
    assert len(compare(rows, points, starts=[4], heard=[1]).misled) == 1
    assert len(compare(rows, points).misled) == 1


def test_each_removal_is_a_point_once_and_a_point_is_a_removal() -> None:
    rows = [row(1, "1"), row(2, None), row(4, "4")]
    points = [point(1, "1", None), point(4, "4", None)]
    again = [point(2, None, "1"), point(2.5, None, "1")]
    assert len(compare(rows, points).missing) == 1
    assert compare(rows, [*points, *again[1:]]).all == []
    assert len(compare(rows, [*points, *again]).doubled) == 1
    # Also of one that the recorder does not have.
    unstored = [point(5, None, "4"), point(6, None, "4")]
    assert len(compare(rows, [*points, *again[1:], *unstored], starts=[4.5]).doubled) == 1
    assert len(compare(rows, [*points, *again[1:], point(5, None, "4")]).unknown) == 1
    assert compare(rows, [*points, *again[1:], point(5, None, "4")], starts=[4.5]).all == []
    assert compare(rows, [*points, *again[1:], point(5, None, "4")], kills=[6]).all == []


def test_nobody_can_ask_for_an_entity_that_came_and_went_while_nobody_listened() -> None:
    rows = [row(1, "1"), row(2, "2"), row(3, None), row(9, "9")]
    points = [point(9, "9", None)]
    assert len(compare(rows, points).missing) == 3
    found = compare(rows, points, heard=[0.5, 3.5])
    assert (found.all, found.unheard) == ([], 3)
    # Somebody listened while it was there.
    assert len(compare(rows, points, heard=[2.5]).missing) == 3
    # It was there when somebody listened again, or known before.
    assert len(compare(rows[:2], [], heard=[2.5]).missing) == 2
    known = [point(0.5, "0", None), *points]
    assert len(compare([row(0.5, "0"), *rows], known, heard=[3.5]).missing) == 3
    # It went with a start.
    assert compare(rows[:1], [], heard=[3.5], starts=[3]).all == []


def test_only_what_came_while_the_connection_was_on_says_that_somebody_listened() -> None:
    states = [(1, "unavailable"), (3, "on"), (5, "off"), (8, "on"), (20, "on")]
    connection = [row(seconds, state) for seconds, state in states]
    found = heard_moments(moments([2, 3, 4, 6, 8.5, 12, 21]), connection, moments([10]))
    # Without a row of its end, a kill is one.
    assert found == moments([3, 4, 8.5, 21])


def test_a_removal_in_another_home_may_be_heard_later_than_the_next_state() -> None:
    rows = [row(1, "1"), row(2, None), row(2.001, "2")]
    points = [point(1, "1", None), point(2.001, "2", None), point(2.003, None, "1")]
    assert len(compare(rows, points).missing) == 1
    assert compare(rows, points, heard=[]).all == []


@pytest.mark.parametrize(
    ("points", "kind"),
    [
        ([point(1, "1", None)], "missing"),
        ([point(1, "1", None), point(2, "2", "1"), point(2, "2", "2")], "doubled"),
        ([point(1, "1", None), point(1.5, "9", "1"), point(2, "2", "9")], "unknown"),
        ([point(1, "1", None), point(2, "2", "0")], "misled"),
    ],
)
def test_each_kind_of_difference_is_found(points: list[Point], kind: str) -> None:
    found = compare([row(1, "1"), row(2, "2")], points)
    assert len(found.all) == 1
    assert len(getattr(found, kind)) == 1
