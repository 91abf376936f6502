"""Compares the removals of entities: each that a recorder holds is a point, once."""

from collections.abc import Collection, Sequence
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
    removals = [each for each in points if each["tags"]["event_type"] == "entity_removed"]
    left = list(removals)
    around = [0.0, *(row.moment for row in rows), float("inf")]
    for number, row in enumerate(rows):
        if row.state is not None:
            continue
        after, until = around[number], around[number + 2]
        told = [each for each in left if after <= moment_of(each) <= until]
        if losses.heard is not None and not told:
            told = [each for each in left if until < moment_of(each) <= until + HEARD_US][:1]
        left = [each for each in left if each not in told]
        found.removed += bool(told)
        if not told and row in wanted:
            found.missing.append(f"missing {row}")
        elif told[1:] and losses.is_read_again(row.moment):
            found.told_again += 1
        elif told[1:]:
            found.doubled.append(f"doubled {'; '.join(map(described, told))}")
    for point in left:
        moment = moment_of(point)
        before = max((row.moment for row in rows if row.moment <= moment), default=0)
        # A start does not bring every entity back.
        if losses.has_started(before, moment) or losses.may_be_unstored(moment):
            found.unstored += 1
        else:
            found.unknown.append(f"unknown removal {described(point)}")
