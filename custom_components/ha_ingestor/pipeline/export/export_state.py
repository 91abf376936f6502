"""How delivery is going, as everybody may know it."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from .result import Problem, Result

HISTORY: Final = 20


class Status(StrEnum):
    """How delivery is going."""

    STARTING = "starting"
    OK = "ok"
    RETRYING = "retrying"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportState:
    """What the exporter knows of itself. Latency in seconds, moments in UTC."""

    status: Status = Status.STARTING
    problem: Problem = Problem.NONE
    detail: str = ""
    attempts: int = 0
    next_retry: datetime | None = None
    last_write: datetime | None = None
    write_latency: float | None = None
    connected: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One change of status, for the history."""

    time: datetime
    status: Status
    problem: Problem
    detail: str


class Progress:
    """The state that is true now, and how it came to be; `on_change` hears of every turn."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        """Begin with nothing known."""
        self.now = ExportState()
        self.history: deque[Turn] = deque(maxlen=HISTORY)
        self._on_change = on_change

    def well(self, **measured: Any) -> None:
        """Nothing stands in the way."""
        measured = {
            "last_write": self.now.last_write,
            "write_latency": self.now.write_latency,
        } | measured
        self._set(ExportState(status=Status.OK, connected=True, **measured))

    def waits(self, status: Status, result: Result, delay: float, attempts: int) -> float:
        """Something does, for so many attempts in a row; returns the delay."""
        self._set(
            replace(
                self.now,
                status=status,
                problem=result.problem,
                detail=result.detail,
                attempts=attempts,
                next_retry=datetime.fromtimestamp(time.time() + delay, UTC),
                connected=False,
            )
        )
        return delay

    def _set(self, state: ExportState) -> None:
        before, self.now = self.now, state
        if (state.status, state.problem) != (before.status, before.problem):
            turn = Turn(
                time=datetime.now(UTC),
                status=state.status,
                problem=state.problem,
                detail=state.detail,
            )
            self.history.append(turn)
            self._on_change()
