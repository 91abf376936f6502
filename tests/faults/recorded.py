"""What the recorder of a home holds, and how the points in a database may differ from it."""

import sqlite3
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from math import inf
from operator import attrgetter
from pathlib import Path
from typing import Final

from scripts.rig.endpoint import Point

# So much a recorder may not have stored when its home is killed.
UNSTORED_US: Final = 10_000_000
# Until the integration runs after a start of Home Assistant, on a busy machine.
STARTING_US: Final = 30_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A state of the recorder, None where the entity was removed; microseconds since 1970."""

    entity_id: str
    moment: int
    state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a recorder holds, by entity in the order of time, and when its home started."""

    rows: Mapping[str, Sequence[Row]]
    starts: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """When the home of a recorder started and was killed, and what is not known for that.

    After a kill of `forgets` the next point of an entity need not say what was before it. `heard`
    are moments at which another home was followed, in their order, None for this home; the one that
    follows it was killed at `follower_kills`.
    """

    starts: Sequence[int] = ()
    kills: Sequence[int] = ()
    forgets: Sequence[int] = ()
    heard: Sequence[int] | None = None
    follower_kills: Sequence[int] = ()

    def has_started(self, before: int, moment: int) -> bool:
        """Whether the home started between two moments."""
        return any(before < start <= moment for start in self.starts)

    def may_be_unstored(self, moment: int) -> bool:
        """Whether the recorder may have lost what was at a moment."""
        return any(0 <= kill - moment <= UNSTORED_US for kill in self.kills)

    def is_forgotten(self, before: int, moment: int) -> bool:
        """Whether nobody knows what was before a moment."""
        return any(before <= kill <= moment for kill in self.forgets)

    def is_cut_short(self, before: int, moment: int) -> bool:
        """Whether a start that came between was killed soon after a moment, or both homes were."""
        are_killed = any(0 <= kill - moment <= UNSTORED_US for kill in self.follower_kills)
        is_unstored = are_killed or self.has_started(before, moment)
        return is_unstored and self.may_be_unstored(moment)

    def start_before(self, moment: int) -> int | None:
        """Return when the home started, if that was not long before a moment."""
        starts = [start for start in self.starts if 0 <= moment - start <= STARTING_US]
        return max(starts, default=None)

    def unheard(self, rows: Sequence[Row], first: float) -> set[Row]:
        """Return what an entity was before its first point, while nobody listened, until it went.

        Who has never heard of an entity cannot ask for it.
        """
        found: set[Row] = set()
        if self.heard is None:
            return found
        for number, row in enumerate(rows):
            if row.moment >= first:
                break
            if row.state is None:
                found |= {row} if found & {*rows[number - 1 : number]} else set()
                continue
            ends = [start for start in self.starts if start > row.moment]
            ends += [each.moment for each in rows[number:] if each.state is None]
            at = bisect_left(self.heard, row.moment)
            if ends and (at == len(self.heard) or self.heard[at] > min(ends)):
                found.add(row)
        return found


@dataclass(slots=True, kw_only=True)
class Differences:
    """What a database holds otherwise than a recorder, and how much is the same."""

    same: int = 0
    # A start set these states once more.
    restored: int = 0
    # The recorder lost these when its home was killed.
    unstored: int = 0
    # After a kill nobody knows what these follow.
    forgotten: int = 0
    # What these follow was set while a home started, which was killed before anybody stored it.
    cut_short: int = 0
    # These follow what was before a start: what was set and removed in it was not seen yet.
    resumed: int = 0
    # Of entities that nobody here had heard of.
    unheard: int = 0
    removed: int = 0
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    misled: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        """All of them, in words."""
        return [*self.missing, *self.doubled, *self.unknown, *self.misled]


def history_in(directory: Path) -> History:
    """Read the recorder's database in a configuration directory."""
    file = directory / "home-assistant_v2.db"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as recorder:
        states = recorder.execute(
            "SELECT states_meta.entity_id, last_updated_ts, state, shared_attrs FROM states"
            " JOIN states_meta USING (metadata_id) LEFT JOIN state_attributes USING (attributes_id)"
            " ORDER BY 1, last_updated_ts, state_id"
        ).fetchall()
        runs = recorder.execute("SELECT start FROM recorder_runs ORDER BY start").fetchall()
    rows = (
        # The row of a removal has neither a state nor attributes.
        Row(entity_id=name, moment=micros(moment), state=state if state or attributes else None)
        for name, moment, state, attributes in states
    )
    by_entity = {name: list(group) for name, group in groupby(rows, attrgetter("entity_id"))}
    starts = [datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp() for (start,) in runs]
    return History(rows=by_entity, starts=[micros(start) for start in starts])


def heard_moments(
    moments: Iterable[int], connection: Sequence[Row], kills: Sequence[int]
) -> list[int]:
    """Return the moments at which a connection was on, by its rows and the kills that ended it.

    Other moments are those of states that were there before, and were read with it.
    """
    ends = [*(row.moment for row in connection), *kills]
    spans = [
        (row.moment, min((each for each in ends if each > row.moment), default=inf))
        for row in connection
        if row.state == "on"
    ]
    return sorted(
        moment for moment in moments if any(begin <= moment <= end for begin, end in spans)
    )


def micros(moment: float) -> int:
    """Round as Home Assistant does."""
    return int(moment) * 1_000_000 + round((moment - int(moment)) * 1_000_000)


def is_change(point: Point) -> bool:
    """Whether a point is of a state, and not of a removal or of something else."""
    return point["tags"]["event_type"] == "state_changed" and "state" in point["fields"]


def moment_of(point: Point) -> int:
    """Return the time of a point in microseconds."""
    return point["time_ns"] // 1000


def described(point: Point) -> str:
    """Write what a point says."""
    fields, name = point["fields"], point["tags"]["entity_id"]
    return f"{name} {moment_of(point)} {fields.get('old_state')!r} -> {fields.get('state')!r}"
