"""The health of the connection to one remote home."""

import time
from dataclasses import dataclass, field
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
    """Notes what happens; used in the event loop."""

    connected: bool | None = None
    problem: Problem = Problem.NONE
    detail: str = ""
    attempts: int = 0
    successes: int = 0
    failures: int = 0
    events: int = 0
    entities: int = 0
    unfillable: int = 0
    version: str = ""
    clock_ahead: float = 0.0
    is_waiting_for_start: bool = False
    is_given_up: bool = False
    last_connected: datetime | None = None
    next_retry: datetime | None = None
    reconnect_seconds: float | None = None
    _lost_at: float | None = None
    _rate: Rate = field(default_factory=partial(Rate, time.monotonic))

    @property
    def latest(self) -> float:
        """The latest moment there that can be right: of a clock that was set, some are later."""
        return time.time() + max(self.clock_ahead, 0.0) + _UNNOTICED_SECONDS

    def attempt_began(self) -> None:
        """Note an attempt to connect."""
        self.attempts += 1
        self.next_retry = None

    def connection_made(self, version: str, clock_ahead: float) -> None:
        """Note that states are followed now."""
        self.successes += 1
        self.connected, self.problem, self.detail = True, Problem.NONE, ""
        self.version, self.clock_ahead = version, clock_ahead
        self.last_connected = datetime.now(UTC)
        self.is_waiting_for_start = False
        if self._lost_at is not None:
            self.reconnect_seconds = time.monotonic() - self._lost_at
            self._lost_at = None

    def connection_failed(self, error: HomeAssistantError) -> None:
        """Note that an attempt failed, or that a connection was lost."""
        if self.connected:
            self._lost_at = time.monotonic()
        else:
            self.failures += 1
        self.connected, self.problem, self.detail = False, error.problem, error.detail
        self.is_waiting_for_start = False

    def retry_in(self, seconds: float) -> None:
        """Note when the next attempt is."""
        self.next_retry = datetime.now(UTC) + timedelta(seconds=seconds)

    def received(self, count: int = 1) -> None:
        """Count events."""
        self.events += count
        self._rate.add(count)

    @property
    def state(self) -> RemoteState:
        """The present state."""
        return RemoteState(
            connected=self.connected,
            problem=self.problem,
            detail=self.detail,
            attempts=self.attempts,
            successes=self.successes,
            failures=self.failures,
            last_connected=self.last_connected,
            next_retry=self.next_retry,
            reconnect_seconds=self.reconnect_seconds,
            events=self.events,
            events_per_minute=self._rate.per_minute(),
            entities=self.entities,
            unfillable=self.unfillable,
            version=self.version,
            clock_ahead=self.clock_ahead,
            is_waiting_for_start=self.is_waiting_for_start,
            is_given_up=self.is_given_up,
        )
