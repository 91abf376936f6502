"""The quarantine, as the event loop uses it: each method is a job of the spool's thread."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .export.exporter import Exporter
from .slices import Slices
from .spool.buffer import Buffer
from .spool.quarantine.quarantine import Quarantine
from .spool_thread import SpoolThread


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineJobs:
    """Methods raise OSError."""

    quarantine: Quarantine
    buffer: Buffer
    exporter: Exporter
    thread: SpoolThread

    @property
    def disk_error(self) -> str:
        """Which files cannot be used, and why."""
        return self.quarantine.disk_error

    async def _run[T](self, job: Slices[T]) -> T:
        try:
            return await self.thread.run_sliced(job)
        finally:
            if self.quarantine.disk_error:
                self.exporter.recheck_files()

    async def records(self) -> list[dict[str, Any]]:
        """Read all records."""
        return await self._run(self.quarantine.records())

    async def newest_records(self, limit: int) -> tuple[list[dict[str, Any]], int]:
        """Read the newest records, and count all."""
        return await self._run(self.quarantine.newest_records(limit))

    async def purge(self) -> int:
        """Delete all records and return how many points were in them."""
        return await self._run(self.quarantine.purge())

    async def replay(self) -> int:
        """Deliver the points once more and return how many."""
        replay = self.quarantine.replay(self.buffer.requeue, lambda: self.buffer.appended)
        count = await self._run(replay)
        self.exporter.notify()
        return count

    async def find_rejection(self) -> None:
        """Report the newest refused point of earlier processes, unless it was forgotten.

        Where a setup has failed there is no thread to do so, and none that would be ended.
        """
        if self.thread.is_running:
            await self._run(self.quarantine.find_newest())

    async def forget_rejection(self) -> None:
        """Stop reporting the points that were rejected so far."""
        with suppress(OSError):
            await self.find_rejection()
        await self.thread.read(self.quarantine.forget)
