"""Makes the events of the past from rows of the recorder, as they would have been captured then."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from ...pipeline.encode.masked import MASKED, TEXTS
from ...pipeline.filter.last_written import RESTORE_SECONDS
from ...pipeline.filter.state_times import RedatedState, dated
from ...pipeline.ledger import RESTART_ECHO
from ...pipeline.model import STATE_CHANGED, UNAVAILABLE, EntityContext, StateEvent, StateLike
from .page import Recorded


@dataclass(slots=True, kw_only=True)
class RecoveredEvents:
    """Knows the last state of each entity, to tell what a row changed.

    `starts` are the starts of Home Assistant. Between one and the return of its integration an
    entity is `unavailable`, which is no change, nor is the state that it had before. That may be
    one for those in `forgotten`: the recorder may lack what was written of them in between.
    """

    describe: Callable[[str], EntityContext]
    state_now: Callable[[str], StateLike | None]
    starts: Sequence[float] = ()
    forgotten: set[str] = field(default_factory=set)
    _before: dict[str, RedatedState | None] = field(default_factory=dict)
    _placeholders: dict[str, Recorded] = field(default_factory=dict)
    # With a row in this span.
    _seen: set[str] = field(default_factory=set)

    def unknown(self, rows: Iterable[Recorded]) -> set[str]:
        """Return the entities whose state before these rows has to be read."""
        return {row.entity_id for row in rows} - self._before.keys()

    def add_before(self, states: Mapping[str, RedatedState | None]) -> None:
        """Learn the states before all rows."""
        self._before |= states

    def state_before(self, entity_id: str) -> RedatedState | None:
        """Return the state that the next row of an entity follows."""
        return self._before.get(entity_id)

    def has_seen(self, entity_id: str) -> bool:
        """Whether there was a row of an entity that is an event or may become one."""
        return entity_id in self._seen

    def is_echo(self, row: Recorded) -> bool:
        """Whether a start restored what was there before it."""
        before, new = self._before.get(row.entity_id), row.state
        return (
            before is not None
            and new is not None
            and self._is_restarted(before, new)
            and (new.state, new.attributes) == (before.state, before.attributes)
        )

    def read(self, rows: Iterable[Recorded]) -> tuple[list[StateEvent], Counter[str]]:
        """Return the events of rows in their order, and how many others there were, by reason."""
        events: list[StateEvent] = []
        filtered: Counter[str] = Counter()
        for row in rows:
            if reason := self._excluded(row):
                filtered[reason] += 1
            else:
                self._read(row, events, filtered)
        return events, filtered

    def end(self, read_until: float = inf) -> list[StateEvent]:
        """Return the events of what nothing followed in time, if all is read up to a moment."""
        held = self._placeholders.values()
        due = [row for row in held if read_until - row.moment > RESTORE_SECONDS]
        for row in due:
            del self._placeholders[row.entity_id]
        return [self._event(row) for row in due]

    @property
    def held_since(self) -> float:
        """When the oldest row is from that may become an event; infinity without one."""
        return min((row.moment for row in self._placeholders.values()), default=inf)

    def _read(self, row: Recorded, events: list[StateEvent], filtered: Counter[str]) -> None:
        if held := self._placeholders.pop(row.entity_id, None):
            if row.moment - held.moment <= RESTORE_SECONDS:
                filtered[RESTART_ECHO] += 1
            else:
                events.append(self._event(held))
        before, new = self._before.get(row.entity_id), row.state
        if before and new and self._is_restarted(before, new):
            if new.state == UNAVAILABLE != before.state:
                self._placeholders[row.entity_id] = row
                return
            if new.state == before.state:
                new = dated(new, before.last_changed_timestamp)
                row = row._replace(state=new)
                is_same = new.attributes == before.attributes
                if is_same and row.entity_id not in self.forgotten:
                    self._before[row.entity_id] = new
                    filtered[RESTART_ECHO] += 1
                    return
        events.append(self._event(row))

    def _event(self, row: Recorded) -> StateEvent:
        entity_id = row.entity_id
        before, self._before[entity_id] = self._before.get(entity_id), row.state
        self._seen.add(entity_id)
        # The weather at that time is unknown.
        return StateEvent(
            self.describe(entity_id), row.state, before, row.moment, row.context, STATE_CHANGED
        )

    def _excluded(self, row: Recorded) -> str:
        """Name why nothing of an entity is captured; empty when it is."""
        entity = self.describe(row.entity_id)
        if entity.filtered or entity.domain not in TEXTS:
            return entity.filtered
        # The recorder does not keep the mode: a password is known by the present state only.
        state = self.state_now(row.entity_id)
        mode: Any = state.attributes.get("mode") if state else None
        return "" if isinstance(mode, str) and mode != "password" else MASKED

    def _is_restarted(self, before: RedatedState, new: RedatedState) -> bool:
        """Whether Home Assistant started between two states."""
        return bisect_right(self.starts, before.last_updated_timestamp) < bisect_right(
            self.starts, new.last_updated_timestamp
        )
