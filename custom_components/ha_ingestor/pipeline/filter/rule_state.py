"""What is known of an entity with rules: its last events, and when something of it is due."""

import math
from dataclasses import dataclass

from ..model import UNAVAILABLE_STATES, Rules, StateEvent, StateLike


@dataclass(slots=True)
class RuleState:
    """The last event, the last written state, and the event that is held; times by the clock."""

    seen: StateEvent
    written: StateLike | None = None
    written_at: float = -math.inf
    held: StateEvent | None = None
    held_at: float = math.inf
    due: float = math.inf

    def schedule(self, rules: Rules) -> None:
        """Set when something has to be written although nothing comes."""
        if self.held:
            self.due = self.written_at + rules.throttle
        elif rules.heartbeat and self.seen.new is not None and not is_silent(self.seen.new):
            self.due = self.written_at + rules.heartbeat
        else:
            self.due = math.inf

    @property
    def newest(self) -> StateLike | None:
        """The newest state that says something, written or not."""
        seen = self.seen.new
        if seen is not None and not is_silent(seen):
            return seen
        return self.held.new if self.held else self.written


def is_silent(state: StateLike) -> bool:
    """Whether a state says nothing of its entity."""
    return state.state in UNAVAILABLE_STATES
