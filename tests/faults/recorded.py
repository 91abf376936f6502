"""What the recorder of a home holds, compared with the points in a database, row by row."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby, pairwise
from operator import attrgetter
from pathlib import Path
from typing import Final

from scripts.rig.endpoint import Point

# A moment is a float in a recorder and on its way, which is rounded.
SAME_US: Final = 1
# What a start of Home Assistant makes unavailable has come back by then.
RESTORE_US: Final = 300_000_000
# So much a recorder may not have stored when its home is killed.
UNSTORED_US: Final = 10_000_000
UNAVAILABLE: Final = "unavailable"
# Whether a text is a password is known by its present state alone, so it is left out.
LEFT_OUT: Final = ("text.", "input_text.")


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
    """When the home of a recorder started and was killed, and when others were that remember."""

    starts: Sequence[int]
    kills: Sequence[int]
    forgets: Sequence[Sequence[int]]

    def forget(self, before: int, moment: int) -> bool:
        """Whether nobody knows what was before a moment."""
        return all(any(before <= kill <= moment for kill in kills) for kills in self.forgets)

    def cut_short(self, before: int, moment: int) -> bool:
        """Whether a start that came between was killed soon after a moment."""
        has_started = any(before < start <= moment for start in self.starts)
        return has_started and _is_before(moment, self.kills)


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


def micros(moment: float) -> int:
    """Round as Home Assistant does."""
    return int(moment) * 1_000_000 + round((moment - int(moment)) * 1_000_000)


def differences(
    history: History,
    points: Iterable[Point],
    *,
    told: Collection[tuple[str, str]],
    kills: Sequence[int],
    since: int = 0,
    forgets: Sequence[Sequence[int]] = ((),),
    without: Collection[str] = (),
) -> Differences:
    """Compare; `told` are states that were set, by entity, `without` entities not to look at.

    `kills` are those of the home of the recorder. What is from before `since` need not be there.
    `forgets` are the kills of each home that knows what was before: when all of them were killed,
    the next point of an entity need not say it.
    """
    found = Differences()
    by_entity: dict[str, list[Point]] = {name: [] for name in history.rows}
    for point in sorted(points, key=_time):
        by_entity.setdefault(point["tags"]["entity_id"], []).append(point)
    for name in by_entity.keys() - set(without):
        if name.startswith(LEFT_OUT):
            continue
        rows = history.rows.get(name, ())
        stored = [each for each in by_entity[name] if _is_change(each)]
        _compare_rows(rows, stored, history.starts, since, found)
        for point in _unknown(rows, stored):
            if (name, point["fields"]["state"]) in told or _is_before(_time(point), kills):
                found.unstored += 1
            else:
                found.unknown.append(f"unknown {_text(point)}")
        losses = Losses(starts=history.starts, kills=kills, forgets=forgets)
        _compare_neighbours(by_entity[name], rows, losses, found)
    return found


def _compare_rows(
    rows: Sequence[Row],
    stored: Sequence[Point],
    starts: Sequence[int],
    since: int,
    found: Differences,
) -> None:
    """Find each row among the points, but those that a start set once more."""
    states = {(_time(point) + by, point["fields"]["state"]) for point in stored for by in _NEAR}
    for row in rows:
        if row.state is not None and (row.moment, row.state) in states:
            found.same += 1
    for row in _changes(rows, starts, found):
        if row.moment >= since and (row.moment, row.state) not in states:
            found.missing.append(f"missing {row}")


def _changes(rows: Sequence[Row], starts: Sequence[int], found: Differences) -> Iterator[Row]:
    """Yield the rows that have to be there."""
    before: Row | None = None
    for row, following in pairwise([*rows, None]):
        assert row
        if row.state is None:
            before = row
            continue
        if before and any(before.moment < start < row.moment for start in starts):
            is_back = following and following.moment - row.moment < RESTORE_US
            if row.state == before.state or (row.state == UNAVAILABLE and is_back):
                found.restored += 1
                continue
        before = row
        yield row


def _unknown(rows: Sequence[Row], stored: Sequence[Point]) -> list[Point]:
    known = {(row.moment + by, row.state) for row in rows for by in _NEAR}
    return [each for each in stored if (_time(each), each["fields"]["state"]) not in known]


def _compare_neighbours(
    points: Sequence[Point], rows: Sequence[Row], losses: Losses, found: Differences
) -> None:
    """Each point follows the one before, and is not another one at the same time.

    It may also follow what the recorder has before it, which is less after a kill.
    """
    unrecorded = {
        id(each) for each in _unknown(rows, [each for each in points if _is_change(each)])
    }
    for before, point in pairwise(points):
        if not _is_change(point):
            continue
        if _is_change(before) and _time(point) - _time(before) <= SAME_US:
            found.doubled.append(f"doubled {_text(before)} {_text(point)}")
        was = before["fields"].get("state") if _is_change(before) else None
        old = point["fields"].get("old_state")
        earlier = [row.state for row in rows if row.moment < _time(point) - SAME_US]
        if old in {was, *earlier[-1:]}:
            continue
        if old is None and losses.forget(_time(before), _time(point)):
            found.forgotten += 1
        elif id(point) in unrecorded and losses.cut_short(_time(before), _time(point)):
            found.cut_short += 1
        else:
            found.misled.append(f"not behind {was!r}: {_text(point)}")


def _is_before(moment: int, kills: Sequence[int]) -> bool:
    return any(0 <= kill - moment <= UNSTORED_US for kill in kills)


def _is_change(point: Point) -> bool:
    return point["tags"]["event_type"] == "state_changed" and "state" in point["fields"]


def _time(point: Point) -> int:
    return point["time_ns"] // 1000


def _text(point: Point) -> str:
    fields, name = point["fields"], point["tags"]["entity_id"]
    return f"{name} {_time(point)} {fields.get('old_state')!r} -> {fields.get('state')!r}"


_NEAR: Final = range(-SAME_US, SAME_US + 1)
