"""Compares the points in a database with what the recorder of a home holds, row by row."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from math import inf
from typing import Final

from scripts.rig.endpoint import Point

from .recorded import Differences, History, Losses, Row, described, is_change, moment_of
from .removals import compare_removals

# A moment is a float in a recorder and on its way, which is rounded.
SAME_US: Final = 1
# What a start of Home Assistant makes unavailable has come back by then.
RESTORE_US: Final = 300_000_000
UNAVAILABLE: Final = "unavailable"
# Whether a text is a password is known by its present state alone, so it is left out.
LEFT_OUT: Final = ("text.", "input_text.")


def differences(
    history: History,
    points: Iterable[Point],
    losses: Losses,
    *,
    told: Collection[tuple[str, str]] = (),
    since: int = 0,
    without: Collection[str] = (),
) -> Differences:
    """Compare; `told` are states that were set, by entity, `without` entities not to look at.

    What is from before `since` need not be there.
    """
    found = Differences()
    by_entity: dict[str, list[Point]] = {name: [] for name in history.rows}
    for point in sorted(points, key=moment_of):
        by_entity.setdefault(point["tags"]["entity_id"], []).append(point)
    for name in by_entity.keys() - set(without):
        if name.startswith(LEFT_OUT):
            continue
        rows = history.rows.get(name, ())
        stored = [each for each in by_entity[name] if is_change(each)]
        unheard = losses.unheard(rows, min(map(moment_of, by_entity[name]), default=inf))
        wanted = {each for each in rows if each.moment >= since}
        found.unheard += len(wanted & unheard)
        wanted -= unheard
        _compare_rows(rows, stored, losses, wanted, found)
        for point in _unknown(rows, stored):
            is_set = (name, point["fields"]["state"]) in told
            if is_set or losses.may_be_unstored(moment_of(point)):
                found.unstored += 1
            else:
                found.unknown.append(f"unknown {described(point)}")
        _compare_neighbours(by_entity[name], rows, losses, found)
        compare_removals(rows, by_entity[name], losses, wanted, found)
    return found


def _compare_rows(
    rows: Sequence[Row],
    stored: Sequence[Point],
    losses: Losses,
    wanted: Collection[Row],
    found: Differences,
) -> None:
    """Find each row among the points, but those that a start set once more."""
    states = {(moment_of(point) + by, point["fields"]["state"]) for point in stored for by in _NEAR}
    for row in rows:
        if row.state is not None and (row.moment, row.state) in states:
            found.same += 1
    for row in _changes(rows, losses, found):
        if row in wanted and (row.moment, row.state) not in states:
            found.missing.append(f"missing {row}")


def _changes(rows: Sequence[Row], losses: Losses, found: Differences) -> Iterator[Row]:
    """Yield the rows that have to be there."""
    before: Row | None = None
    for row, following in pairwise([*rows, None]):
        assert row
        if row.state is None:
            before = row
            continue
        if before and losses.has_started(before.moment, row.moment):
            is_back = following and following.moment - row.moment < RESTORE_US
            if row.state == before.state or (row.state == UNAVAILABLE and is_back):
                found.restored += 1
                continue
        before = row
        yield row


def _unknown(rows: Sequence[Row], stored: Sequence[Point]) -> list[Point]:
    known = {(row.moment + by, row.state) for row in rows for by in _NEAR}
    return [each for each in stored if (moment_of(each), each["fields"]["state"]) not in known]


def _compare_neighbours(
    points: Sequence[Point], rows: Sequence[Row], losses: Losses, found: Differences
) -> None:
    """Each point follows the one before, and is not another one at the same time.

    It may also follow what the recorder has before it, which is less after a kill.
    """
    unrecorded = {id(each) for each in _unknown(rows, [each for each in points if is_change(each)])}
    for before, point in pairwise(points):
        if not is_change(point):
            continue
        if is_change(before) and moment_of(point) - moment_of(before) <= SAME_US:
            found.doubled.append(f"doubled {described(before)} {described(point)}")
        was = before["fields"].get("state") if is_change(before) else None
        old = point["fields"].get("old_state")
        earlier = [row.state for row in rows if row.moment < moment_of(point) - SAME_US]
        if old in {was, *earlier[-1:]}:
            continue
        if old is None and losses.is_forgotten(moment_of(before), moment_of(point)):
            found.forgotten += 1
        elif id(point) in unrecorded and losses.is_cut_short(moment_of(before), moment_of(point)):
            found.cut_short += 1
        elif not is_change(before) and old == _before_start(points, losses, point):
            found.resumed += 1
        else:
            found.misled.append(f"not behind {was!r}: {described(point)}")


def _before_start(points: Sequence[Point], losses: Losses, point: Point) -> object:
    """Return the last state before this home started, shortly before a point."""
    start = losses.start_before(moment_of(point))
    if losses.heard is not None or start is None:
        return None
    earlier = [each for each in points if is_change(each) and moment_of(each) < start]
    return earlier[-1]["fields"]["state"] if earlier else None


_NEAR: Final = range(-SAME_US, SAME_US + 1)
