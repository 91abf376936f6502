"""The health of the connection to one remote home."""

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from ...clients.homeassistant.errors import HomeAssistantError, Problem
from ...pipeline.rate import Rate

# What a clock may be wrong by without being noticed: behind a proxy, its clock is the compared one.
_UNNOTICED_SECONDS: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteState:
    """The state of a connection; counts since the start of Home Assistant, moments in UTC.

    `reconnect_seconds` is how long the last interruption was. `is_given_up` says that nothing is
    tried any more. `clock_ahead` is by how many seconds the other clock is ahead. `unfillable`
    are the entities that changed in the last gap and have no history there.
    """

    connected: bool | None = None
    problem: Problem = Problem.NONE
    detail: str = ""
    attempts: int = 0
    successes: int = 0
    failures: int = 0
    last_connected: datetime | None = None
    next_retry: datetime | None = None
    reconnect_seconds: float | None = None
    events: int = 0
    events_per_minute: float | None = None
    entities: int = 0
    unfillable: int = 0
    version: str = ""
    clock_ahead: float = 0.0
    is_waiting_for_start: bool = False
    is_given_up: bool = False


@dataclass(slots=True, kw_only=True)
class RemoteHealth:
    """Notes what happens; used in the event loop. `now` has what does not change with each event.

    The number of events is apart, as the state is copied for each change.
    """

    now: RemoteState = field(default_factory=RemoteState)
    events: int = 0
    _lost_at: float | None = None
    _rate: Rate = field(default_factory=partial(Rate, time.monotonic))

    @property
    def latest(self) -> float:
        """The latest moment there that can be right: of a clock that was set, some are later."""
        return time.time() + max(self.now.clock_ahead, 0.0) + _UNNOTICED_SECONDS

    def attempt_began(self) -> None:
        """Note an attempt to connect."""
        self.now = replace(self.now, attempts=self.now.attempts + 1, next_retry=None)

    def start_awaited(self) -> None:
        """Note that the home answers, and has not started yet."""
        self.now = replace(self.now, is_waiting_for_start=True)

    def connection_made(self, version: str, clock_ahead: float) -> None:
        """Note that states are followed now."""
        self.now = replace(
            self.now,
            connected=True,
            problem=Problem.NONE,
            detail="",
            successes=self.now.successes + 1,
            version=version,
            clock_ahead=clock_ahead,
            last_connected=datetime.now(UTC),
            is_waiting_for_start=False,
        )
        if self._lost_at is not None:
            self.now = replace(self.now, reconnect_seconds=time.monotonic() - self._lost_at)
            self._lost_at = None

    def connection_failed(self, error: HomeAssistantError) -> None:
        """Note that an attempt failed, or that a connection was lost."""
        if self.now.connected:
            self._lost_at = time.monotonic()
        else:
            self.now = replace(self.now, failures=self.now.failures + 1)
        self.now = replace(
            self.now,
            connected=False,
            problem=error.problem,
            detail=error.detail,
            is_waiting_for_start=False,
        )

    def retry_in(self, seconds: float) -> None:
        """Note when the next attempt is."""
        self.now = replace(self.now, next_retry=datetime.now(UTC) + timedelta(seconds=seconds))

    def gave_up(self) -> None:
        """Note that nothing is tried any more."""
        self.now = replace(self.now, is_given_up=True)

    def tries_again(self) -> None:
        """Note that attempts go on."""
        self.now = replace(self.now, is_given_up=False)

    def received(self, count: int = 1) -> None:
        """Count events."""
        self.events += count
        self._rate.add(count)

    def entities_counted(self, entities: int) -> None:
        """Note how many entities have a state."""
        if entities != self.now.entities:
            self.now = replace(self.now, entities=entities)

    def gap_ended(self, unfillable: int) -> None:
        """Note how many entities changed in a gap, and have no history there."""
        self.now = replace(self.now, unfillable=unfillable)

    @property
    def state(self) -> RemoteState:
        """The present state."""
        per_minute = self._rate.per_minute()
        return replace(self.now, events=self.events, events_per_minute=per_minute)
