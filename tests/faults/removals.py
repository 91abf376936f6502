"""Compares the removals of entities: each that a recorder holds is a point, once."""

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Final

from scripts.rig.endpoint import Point

from .recorded import Differences, Losses, Row, described, moment_of

# Another home does not say when an entity was removed: a point has the time at which that was
# heard, which may be later than the next state.
HEARD_US: Final = 1_000_000


def compare_removals(
    rows: Sequence[Row],
    points: Sequence[Point],
    losses: Losses,
    wanted: Collection[Row],
    found: Differences,
) -> None:
    """Find a point for each removal of an entity, and a removal for each point.

    A point has its place between the rows around the removal: its time is not exactly that of the
    recorder.
    """
    left, late = list(filter(_is_removal, points)), list[Point]()
    around = [0.0, *(row.moment for row in rows), float("inf")]
    for number, row in enumerate(rows):
        if row.state is not None:
            continue
        after, until = around[number], around[number + 2]
        told = [each for each in left if after <= moment_of(each) <= until][:1]
        if losses.heard is not None and not told:
            told = [each for each in left if until < moment_of(each) <= until + HEARD_US][:1]
            late += told
        left = [each for each in left if each not in told]
        found.removed += bool(told)
        if not told and row in wanted:
            found.missing.append(f"missing {row}")
    followed = {id(point): before for before, point in pairwise(points)}
    for point in left:
        moment, follows = moment_of(point), followed.get(id(point))
        before = max((row.moment for row in rows if row.moment <= moment), default=0)
        if follows and _is_removal(follows) and follows not in late:
            found.doubled.append(f"doubled {described(follows)}; {described(point)}")
        # A start does not bring every entity back.
        elif losses.has_started(before, moment) or losses.may_be_unstored(moment):
            found.unstored += 1
        else:
            found.unknown.append(f"unknown removal {described(point)}")


def _is_removal(point: Point) -> bool:
    return point["tags"]["event_type"] == "entity_removed"
