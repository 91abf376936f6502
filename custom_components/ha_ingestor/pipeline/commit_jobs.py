"""Commits, as jobs of the spool's thread: from the event loop there, and back when it matters."""

import asyncio
import errno
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Future

from .commit_schedule import CommitSchedule
from .commit_times import CommitTimes
from .committer import Committer
from .export.exporter import Exporter
from .filter.intake import Intake
from .model import IntakeContent
from .spool.buffer import Buffer
from .spool_thread import SpoolThread

_LOGGER = logging.getLogger(__name__)


class CommitJobs:
    """Takes what is in the intake to the disk, by the schedule and whenever it is asked to."""

    def __init__(
        self,
        *,
        intake: Intake,
        committer: Committer,
        buffer: Buffer,
        exporter: Exporter,
        times: CommitTimes,
        thread: SpoolThread,
        clock: Callable[[], float],
        on_change: Callable[[], None],
    ) -> None:
        """Prepare; before `start` nothing is committed by itself.

        `on_change` is called in the event loop when the disk is in another state.
        """
        self.schedule = CommitSchedule(self._submit, clock)
        self._intake = intake
        self._committer = committer
        self._buffer = buffer
        self._exporter = exporter
        self._times = times
        self._thread = thread
        self._clock = clock
        self._on_change = on_change
        self._loop: asyncio.AbstractEventLoop | None = None
        self._has_ended = False

    def start(self) -> None:
        """Commit by the schedule."""
        self._loop = asyncio.get_running_loop()
        self.schedule.start()

    def end(self) -> None:
        """Commit nothing more, but with `commit_last`."""
        self._has_ended = True
        self.schedule.stop()

    async def commit(self) -> bool:
        """Commit now; returns whether everything is stored."""
        if not self._has_ended:
            await self._thread.run(self.commit_taken, self.take())
        return not self._buffer.held

    def commit_last(self, *, hand_over: bool) -> Awaitable[None]:
        """Commit for the last time; without a handover also what the filter holds."""
        return self._thread.run(self.commit_taken, self.take(), is_last=not hand_over)

    async def make_ready_for_more(self) -> None:
        """Store what is captured so far; raises OSError if nothing more can be stored."""
        await self.commit()
        if self._has_ended:
            raise OSError(errno.ESHUTDOWN, "The destination is not loaded any more")
        if self._buffer.error:
            raise OSError(errno.EIO, self._buffer.error)

    def take(self) -> IntakeContent:
        """Take out of the intake what waits. In the event loop."""
        return self._intake.take(self.schedule.since)

    def commit_taken(self, taken: IntakeContent, *, is_last: bool = False) -> None:
        """Commit items, in the spool's thread; the event loop is called only for changes."""
        buffer, began = self._buffer, self._clock()
        before, last_seq = (buffer.disk_error, buffer.is_open), buffer.last_seq
        try:
            self._committer.commit(taken, is_last=is_last)
        except Exception:
            _LOGGER.exception("Commit failed; the next one continues")
        self._times.note(taken, began=began, last_seq=last_seq)
        self.schedule.note(min(self._committer.next_due, buffer.next_due(self._clock)))
        if self._loop is None:
            return
        if (buffer.disk_error, buffer.is_open) != before:
            self._loop.call_soon_threadsafe(self._on_change)
        if self._exporter.needs_notify(buffer.deliverable):
            self._loop.call_soon_threadsafe(self._exporter.notify)

    def _submit(self) -> Future[None]:
        return self._thread.submit(self.commit_taken, self.take())
