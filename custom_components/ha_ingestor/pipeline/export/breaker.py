"""Whether batches are sent, none is, or one probe batch (half-open)."""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from .result import Problem

# One lost reply is transient, three in a row are an outage.
FAILURES_TO_OPEN: Final = 3
CHANGES: Final = 20
# These open the breaker at once.
_UNREACHABLE: Final = frozenset({Problem.UNREACHABLE, Problem.TLS})


class BreakerState(StrEnum):
    """The usual three states, and blocked, which only the user can end."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerChange:
    """One change of the state, for the history."""

    time: datetime
    state: BreakerState


@dataclass(slots=True, kw_only=True)
class Breaker:
    """A state machine over results; the caller waits.

    The `changes` leave out half open, which comes with each attempt.
    """

    failures_to_open: int = FAILURES_TO_OPEN
    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    changes: deque[BreakerChange] = field(default_factory=lambda: deque(maxlen=CHANGES))

    def succeeded(self) -> None:
        """Note that the database took points."""
        self._move(BreakerState.CLOSED)
        self.failures = 0

    def failed(self, problem: Problem, *, is_transient: bool = False) -> None:
        """Note that points were not taken and may be later; a lost connection is transient."""
        is_unreachable = problem in _UNREACHABLE and not is_transient
        self.failures += 1
        was_closed = self.state is BreakerState.CLOSED
        if not was_closed or self.failures >= self.failures_to_open or is_unreachable:
            self._move(BreakerState.OPEN)

    def blocked(self) -> None:
        """Note that the database takes no points until somebody changes something."""
        self.failures += 1
        self._move(BreakerState.BLOCKED)

    def allow_probe(self) -> None:
        """Note that enough time has passed for a probe batch."""
        if self.state is not BreakerState.CLOSED:
            self.state = BreakerState.HALF_OPEN

    def _move(self, state: BreakerState) -> None:
        self.state = state
        before = self.changes[-1].state if self.changes else BreakerState.CLOSED
        if state is not before:
            self.changes.append(BreakerChange(time=datetime.now(UTC), state=state))
