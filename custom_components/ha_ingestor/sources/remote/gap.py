"""What was missed of a remote home between two connections, and what is still to be asked."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import Final

from ...clients.homeassistant.states import Change, State
from ...pipeline.filter.state_times import UNKNOWN, RedatedState, dated
from ...pipeline.model import EntityContext, NoContext, StateEvent
from ..recorder.page import Recorded
from ..recorder.recovered_events import RecoveredEvents
from .history_query import HistoryQuery
from .removals import HEARD_SECONDS

# One answer is one message: what a busy home has of so many entities in an hour is a few megabytes.
ENTITIES_MAX: Final = 50
SLICE_SECONDS: Final = 3_600.0
# A database may round to microseconds; two states of an entity are further apart.
_SAME_SECONDS: Final = 2e-6
# What is exactly at the bounds of a query is not in the answer.
BEYOND_SECONDS: Final = 0.001


@dataclass(slots=True, kw_only=True)
class RemoteGap:
    """Changes of the snapshot that ends it, by entity, and what leads to them.

    It stays while there is no connection, and goes on with the next one. `is_restarted` says that
    the home started in it, `is_first` that nobody here knows the states before it. At
    `gone_at` it was seen which entities are gone. `told` are the times that the points of removals
    before it have.
    """

    after: float
    changes: dict[str, Change]
    is_restarted: bool
    is_first: bool
    gone_at: float
    # An earlier process knew them with a state.
    expected: frozenset[str]
    told: Mapping[str, Sequence[float]]
    queries: deque[HistoryQuery]
    events: RecoveredEvents
    # Entities that the recorder there has, and those that changed more than once.
    known: set[str] = field(default_factory=set)
    led: set[str] = field(default_factory=set)
    # What is still to be stored.
    read: tuple[list[StateEvent], Counter[str]] | None = None
    is_ended: bool = False
    is_left: bool = False
    points: int = 0
    # Removals whose times were given to rows.
    _told_again: set[tuple[str, float]] = field(default_factory=set)

    def was_there(self, entity_id: str) -> bool:
        """Whether an entity had a state when the gap began."""
        return self.changes[entity_id].old is not None or entity_id in self.expected

    def leave_unfilled(self) -> bool:
        """Ask nothing more, capture only what ends it; returns False if that was so before."""
        was_left, self.is_left = self.is_left, True
        self.queries.clear()
        self.led.clear()
        self.read = None
        return not was_left

    def rows(self, query: HistoryQuery, answer: Mapping[str, Iterable[State]]) -> list[Recorded]:
        """Return what was missed of an answer, in the order of time."""
        rows = []
        for entity_id, states in answer.items():
            if (change := self.changes.get(entity_id)) is None:
                continue
            after = change.old.last_updated_timestamp if change.old else self.after
            after = max(after, self.after)
            for state in states:
                moment = state.last_updated_timestamp
                if query.includes_before and moment <= query.after:
                    self.events.add_before({entity_id: _at_the_beginning(state, query)})
                if moment - after <= _SAME_SECONDS or not query.holds(moment):
                    continue
                self.known.add(entity_id)
                # Later ones are captured live.
                if moment_of(change, self.gone_at) - moment > _SAME_SECONDS:
                    rows.append(_row(state))
                    self.led.add(entity_id)
        return self._as_told(sorted(rows, key=_moment))

    def _as_told(self, rows: list[Recorded]) -> list[Recorded]:
        """Give removals that were captured the times of their points: so they are stored once."""
        pairs = sorted(
            (abs(moment - row.moment), number, moment)
            for number, row in enumerate(rows)
            if not row.state
            for moment in self.told.get(row.entity_id, ())
        )
        moments: dict[int, float] = {}
        for distance, number, moment in pairs:
            told = (rows[number].entity_id, moment)
            if distance <= HEARD_SECONDS and number not in moments and told not in self._told_again:
                moments[number] = moment
                self._told_again.add(told)
        return [
            row._replace(moment=moments.get(number, row.moment)) for number, row in enumerate(rows)
        ]

    def present(self, entity_ids: Iterable[str]) -> list[Recorded]:
        """Return the states that end it, and the removals that the recorder there does not have."""
        rows = []
        for entity_id in entity_ids:
            if new := self.changes[entity_id].new:
                rows.append(_row(new))
            elif (before := self.events.state_before(entity_id)) and (
                moment := self._removed_at(entity_id, before.last_updated_timestamp)
            ):
                rows.append(Recorded(entity_id, None, moment, NoContext()))
        return sorted(rows, key=_moment)

    def _removed_at(self, entity_id: str, after: float) -> float | None:
        """Return which time a removal has that the recorder there lacks; None without one."""
        told = [each for each in self.told.get(entity_id, ()) if after <= each <= self.gone_at]
        if told:
            return max(told)
        # Others were told to be removed before it.
        is_untold = entity_id in self.led or self.was_there(entity_id)
        return self.gone_at if is_untold else None


def gap_of(
    changes: Iterable[Change],
    *,
    after: float,
    asked_after: float,
    started: float | None,
    is_first: bool,
    gone_at: float,
    latest: float,
    expected: frozenset[str] = frozenset(),
    told: Mapping[str, Sequence[float]] | None = None,
) -> RemoteGap:
    """Begin a gap; `started` is when the home started, if it did.

    `is_first` says that nobody here knows the states before it; `gone_at` is when it was seen which
    entities are gone, and those that are `expected` had a state when an earlier process ended.
    What is later than `latest` is dated wrong. The points of removals before it have the times that
    are `told`.
    """
    by_entity = {change.entity_id: change for change in changes}
    groups = list(batched(by_entity, ENTITIES_MAX, strict=False))
    moments = (moment_of(each, gone_at) for each in by_entity.values())
    until = max(filter(latest.__ge__, moments), default=gone_at) + BEYOND_SECONDS
    queries: deque[HistoryQuery] = deque()
    while asked_after < until:
        end = min(asked_after + SLICE_SECONDS, until)
        includes_before = is_first and not queries
        queries += [
            HistoryQuery(
                entity_ids=group, after=asked_after, until=end, includes_before=includes_before
            )
            for group in groups
        ]
        asked_after = end
    events = RecoveredEvents(
        describe=_undescribed,
        state_now=_no_state,
        starts=() if started is None else (started,),
    )
    events.add_before({each.entity_id: _before(each.old) for each in by_entity.values()})
    return RemoteGap(
        after=after,
        changes=by_entity,
        is_restarted=started is not None,
        is_first=is_first,
        gone_at=gone_at,
        expected=expected,
        told=told or {},
        queries=queries,
        events=events,
    )


def moment_of(change: Change, gone_at: float) -> float:
    """Return when a change happened, or up to when an entity may have been removed."""
    return change.new.last_updated_timestamp if change.new else gone_at


def _row(state: State) -> Recorded:
    # The row of a removal has neither a state nor attributes.
    is_removed = not (state.state or state.attributes)
    return Recorded(
        state.entity_id,
        None if is_removed else _before(state),
        state.last_updated_timestamp,
        state.context,
    )


def _at_the_beginning(state: State, query: HistoryQuery) -> RedatedState | None:
    """Return the state before a query; it is dated at its beginning, unless it is from there."""
    is_dated = state.last_updated_timestamp > query.after - BEYOND_SECONDS + _SAME_SECONDS
    row = _row(state).state
    return row if row is None or is_dated else dated(row, UNKNOWN)


def _before(state: State | None) -> RedatedState | None:
    return dated(state, state.last_changed_timestamp) if state else None


def _moment(row: Recorded) -> float:
    return row.moment


def _undescribed(entity_id: str) -> EntityContext:
    raise KeyError(entity_id)


def _no_state(_entity_id: str) -> None:
    return None
