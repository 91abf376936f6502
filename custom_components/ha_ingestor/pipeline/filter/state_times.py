"""Corrects the durations of states when the wall clock was set.

Home Assistant dates states by the clock on the wall. Each entity is known with the jumps of that
clock until its state changed: later offsets are not part of a duration.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Final

from ..clock import CLOCKS_ARE_SET
from ..model import StateEvent, StateLike, is_here

# A clock that is wrong by so much was never set.
_FROM_THE_EPOCH: Final = 365 * 86_400.0
_FINER: Final = 0.001
# Since when a state was, where nobody knows it: then it has no duration.
UNKNOWN: Final = math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class RedatedState:
    """A state with the dates that Home Assistant would have given it."""

    state: str
    attributes: Any
    last_changed_timestamp: float
    last_updated_timestamp: float
    state_info: Any = None


@dataclass(slots=True)
class StateTimes:
    """Used by one thread. `clock_offset` is that of the newest event.

    An entity that is not in a table has its state from before the first jump. The states of another
    home are dated by its clock, which nobody set here.
    """

    clock_offset: float = 0.0
    # The jumps until a clock that was not set was: what is dated since then is right.
    _set_after: float = 0.0
    _changed_after: dict[str, float] = field(default_factory=dict)
    _noted_after: dict[str, float] = field(default_factory=dict)

    def set_clock_offset(self, clock_offset: float) -> None:
        """Learn by how much the clock has been set by now."""
        if clock_offset - self.clock_offset > _FROM_THE_EPOCH:
            self._set_after = clock_offset
        self.clock_offset = clock_offset

    def note(self, entity_id: str, *, is_there: bool) -> None:
        """Keep when a state was written."""
        if not is_there:
            self._noted_after.pop(entity_id, None)
        elif self.clock_offset or self._noted_after:
            self._noted_after[entity_id] = self.clock_offset

    def age(self, entity_id: str, noted: StateLike, new: StateLike) -> float:
        """Return how many seconds lie between the state that was written and a new one."""
        seconds = new.last_updated_timestamp - noted.last_updated_timestamp
        if not is_here(entity_id):
            return seconds
        return seconds - (self.clock_offset - self._noted_after.get(entity_id, 0.0))

    def corrected(self, entity_id: str, changed: float) -> float:
        """Return when a state changed by the clock as it is now."""
        return changed + self.clock_offset - self._after(entity_id, changed)

    def redated(self, state_event: StateEvent) -> StateEvent:
        """Date the state before by the clock of the state that follows."""
        new, old = state_event.new, state_event.old
        if new is None:
            self._changed_after.pop(state_event.entity.key, None)
            return state_event
        was_set = self.clock_offset or self._changed_after
        if not was_set and (old is None or old.last_changed_timestamp >= CLOCKS_ARE_SET):
            return state_event
        if old is not None:
            if _is_unchanged(old, new):
                return state_event
            state_event = state_event._replace(old=self._before(state_event.entity.key, old, new))
        if was_set:
            self._changed_after[state_event.entity.key] = self.clock_offset
        return state_event

    def _before(self, entity_id: str, old: StateLike, new: StateLike) -> StateLike:
        changed = new.last_changed_timestamp
        since = self.corrected(entity_id, old.last_changed_timestamp)
        if since < CLOCKS_ARE_SET <= changed or since > changed:
            since = changed  # how long it was is not known
        return dated(old, since)

    def _after(self, entity_id: str, changed: float) -> float:
        if not is_here(entity_id):
            return self.clock_offset
        default = self._set_after if changed >= CLOCKS_ARE_SET else 0.0
        return self._changed_after.get(entity_id, default)


def _is_unchanged(old: StateLike, new: StateLike) -> bool:
    """Whether only attributes changed: the first date of a state is finer than the later ones."""
    between = new.last_changed_timestamp - old.last_changed_timestamp
    return old.state == new.state and abs(between) < _FINER


def dated(state: StateLike, since: float) -> RedatedState:
    """Copy a state with another date of its last change."""
    return RedatedState(
        state=state.state,
        attributes=state.attributes,
        last_changed_timestamp=since,
        last_updated_timestamp=state.last_updated_timestamp,
        state_info=getattr(state, "state_info", None),
    )
