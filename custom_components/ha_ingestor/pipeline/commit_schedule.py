"""Schedules commits: when items in memory go to the spool's thread.

The first event after a pause is committed at once, later ones four times a second, and sooner when
many wait. A wake-up costs more than the work done in it, so there are few: the callback of an event
starts the commit, a timer does so only when no event comes in time, and a commit does not call back
into the event loop unless there is something to do.
"""

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

# What a crash of the process may cost: a quarter of a second, in which the commit has to end, or
# this many points.
COMMIT_SECONDS: Final = 0.24
COMMIT_POINTS: Final = 500
# How soon after a commit that took so long the next one begins.
BUSY_SECONDS: Final = 0.02
# What a crash may cost of the counts of events that are filtered at once: a commit for each of them
# would wake up the thread all day where most entities are excluded.
COUNT_SECONDS: Final = 1.0


class CommitSchedule:
    """Calls `commit`, which submits a job to the spool's thread. For the event loop, but `note`."""

    def __init__(self, commit: Callable[[], Future[None]], clock: Callable[[], float]) -> None:
        """Prepare; before `start` nothing is committed. `clock` is monotonic."""
        # Since when an item waits in memory, by the clock.
        self.since = math.inf
        self._commit = commit
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: Future[None] | None = None
        self._not_before = -math.inf
        self._soon: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._count_timer: asyncio.TimerHandle | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = math.inf

    def start(self) -> None:
        """Commit soon; the first commit opens the spool."""
        self._loop = asyncio.get_running_loop()
        self._schedule_commit()

    def stop(self) -> None:
        """Start no more commits."""
        self._loop = None
        for handle in (self._soon, self._timer, self._count_timer, self._alarm):
            if handle:
                handle.cancel()
        self._soon = self._timer = self._count_timer = self._alarm = None

    def item_added(self, waiting: int) -> None:
        """Note that an item was added, and that so many wait now."""
        now = self._clock()
        if waiting == 1:
            self.since = now
        if self._loop is None:
            return
        if now >= self._not_before or waiting >= COMMIT_POINTS:
            self._schedule_commit()
        elif self._timer is None:
            self._timer = self._loop.call_later(COMMIT_SECONDS, self._on_timer)

    def counted(self) -> None:
        """Note that something was counted, and no item added."""
        if self._count_timer is None and self._loop:
            self._count_timer = self._loop.call_later(COUNT_SECONDS, self._on_counted)

    def commit_soon(self) -> None:
        """Commit soon for a reason other than a new item."""
        if self._loop:
            self._set_alarm(self._clock())

    def note(self, due: float) -> None:
        """Schedule a commit at `due` even without a new item. Called by the spool's thread."""
        loop = self._loop
        if loop and due < self._alarm_at:
            loop.call_soon_threadsafe(self._set_alarm, due)

    def _schedule_commit(self) -> None:
        """Commit after the callbacks that run now, as events rarely come alone."""
        if self._loop and not self._soon:
            self._soon = self._loop.call_soon(self._on_soon)

    def _on_soon(self) -> None:
        self._soon = None
        if self._loop and not self._start_commit(self._clock()) and self._timer is None:
            self._timer = self._loop.call_later(COMMIT_SECONDS, self._on_timer)

    def _start_commit(self, now: float) -> bool:
        """Start a commit, unless one is running: then the disk is slow, and new items wait."""
        if self._running and not self._running.done():
            return False
        self._not_before = now + COMMIT_SECONDS
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._count_timer:
            self._count_timer.cancel()
            self._count_timer = None
        self._running = self._commit()
        return True

    def _on_timer(self) -> None:
        self._timer = None
        if self._loop and not self._start_commit(self._clock()):
            self._timer = self._loop.call_later(BUSY_SECONDS, self._on_timer)

    def _on_counted(self) -> None:
        self._count_timer = None
        if not self._start_commit(self._clock()):
            self.counted()

    def _set_alarm(self, due: float) -> None:
        if self._loop is None or due >= self._alarm_at:
            return
        if self._alarm:
            self._alarm.cancel()
        self._alarm_at = due
        delay = max(due - self._clock(), 0.0)
        self._alarm = self._loop.call_later(delay, self._on_alarm)

    def _on_alarm(self) -> None:
        # First, so that the commit that is begun, or one that ends just now, sets the next one.
        self._alarm, self._alarm_at = None, math.inf
        now = self._clock()
        if not self._start_commit(now):
            self._set_alarm(now + COMMIT_SECONDS)
