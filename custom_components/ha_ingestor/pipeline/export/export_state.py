"""The status of the export, and its history."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from .result import Problem, Result

HISTORY: Final = 20


class Status(StrEnum):
    """The status of the export."""

    STARTING = "starting"
    OK = "ok"
    RETRYING = "retrying"
    BLOCKED = "blocked"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportState:
    """The state of the exporter. Latency in seconds, moments in UTC."""

    status: Status = Status.STARTING
    problem: Problem = Problem.NONE
    detail: str = ""
    attempts: int = 0
    next_retry: datetime | None = None
    last_write: datetime | None = None
    write_latency: float | None = None
    connected: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """One change of status, for the history."""

    time: datetime
    status: Status
    problem: Problem
    detail: str


class StatusTracker:
    """The present state and its history; `on_change` is called at every change of status."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        """Start empty."""
        self.now = ExportState()
        self.history: deque[StatusChange] = deque(maxlen=HISTORY)
        self._on_change = on_change

    def set_written(self, last_write: datetime, write_latency: float) -> None:
        """Set the status `ok`: the database stored points, after this many seconds."""
        self._set(
            ExportState(
                status=Status.OK, connected=True, last_write=last_write, write_latency=write_latency
            )
        )

    def set_ok(self) -> None:
        """Set the status `ok`, as far as can be told without points that were stored."""
        self._set_without_write(Status.OK, connected=True)

    def set_idle(self, status: Status) -> None:
        """Set a status in which nothing is known of the database."""
        self._set_without_write(status, connected=None)

    def _set_without_write(self, status: Status, *, connected: bool | None) -> None:
        before = self.now
        self._set(
            ExportState(
                status=status,
                connected=connected,
                last_write=before.last_write,
                write_latency=before.write_latency,
            )
        )

    def set_waiting(self, status: Status, result: Result, delay: float, attempts: int) -> float:
        """Set a status with the failed attempts and the delay; returns the delay."""
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
            change = StatusChange(
                time=datetime.now(UTC),
                status=state.status,
                problem=state.problem,
                detail=state.detail,
            )
            self.history.append(change)
            self._on_change()
