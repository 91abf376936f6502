"""When commits begin, which is what a killed process costs."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pytest

from custom_components.ha_ingestor.pipeline.commit_schedule import CommitSchedule

QUARTER = 0.25


@dataclass(slots=True)
class Handle:
    when: float
    callback: Callable[[], Any]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True


@dataclass(slots=True)
class ManualLoop:
    """An event loop whose time passes when told to."""

    now: float = 0.0
    handles: list[Handle] = field(default_factory=list)

    def call_later(self, delay: float, callback: Callable[[], Any]) -> Handle:
        self.handles.append(Handle(self.now + delay, callback))
        return self.handles[-1]

    def call_soon(self, callback: Callable[[], Any]) -> Handle:
        return self.call_later(0.0, callback)

    def run_until(self, end: float) -> None:
        while due := [each for each in self.handles if each.when <= end]:
            first = min(due, key=lambda each: each.when)
            self.handles.remove(first)
            self.now = max(self.now, first.when)
            if not first.is_cancelled:
                first.callback()
        self.now = end


@dataclass(slots=True)
class Commits:
    """When each one began; the last one is done when told so."""

    loop: ManualLoop
    began: list[float] = field(default_factory=list)
    running: Future[None] = field(default_factory=Future)

    def __call__(self) -> Future[None]:
        self.began.append(self.loop.now)
        self.running = Future()
        return self.running


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> Commits:
    loop = ManualLoop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    return Commits(loop)


def started(commits: Commits) -> CommitSchedule:
    """Begin, with the first commit that opens the spool."""
    schedule = CommitSchedule(commits, lambda: commits.loop.now)
    schedule.start()
    commits.loop.run_until(0.0)
    assert commits.began == [0.0]
    return schedule


@pytest.mark.parametrize("late", [0.01, 0.1, 0.2])
def test_a_commit_begins_early_enough_to_end_within_a_quarter_of_a_second(
    commits: Commits, late: float
) -> None:
    schedule = started(commits)
    commits.running.set_result(None)
    commits.loop.run_until(late)
    schedule.item_added(1)
    commits.loop.run_until(1.0)

    (_, second) = commits.began
    assert second - late < QUARTER - 0.005


@pytest.mark.parametrize("seconds", [0.3, 0.5, 1.0, 1.05, 7.0])
def test_what_came_while_a_commit_took_long_is_committed_right_after_it(
    commits: Commits, seconds: float
) -> None:
    schedule = started(commits)
    commits.loop.run_until(0.01)
    schedule.item_added(1)
    commits.loop.run_until(seconds)
    assert commits.began == [0.0]
    commits.running.set_result(None)
    commits.loop.run_until(seconds + 0.03)

    assert len(commits.began) == 2


def test_no_commit_begins_while_one_is_under_way(commits: Commits) -> None:
    schedule = started(commits)
    for number in range(1, 2_000):
        schedule.item_added(number)
        commits.loop.run_until(number / 1000)

    assert commits.began == [0.0]
