"""The thread of the spool, as the event loop uses it."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from .slices import SlicedJobs, Slices


class SpoolThread:
    """Runs one job after the other. A job is done also when who waits for it is cancelled."""

    def __init__(self, executor: Executor | None = None) -> None:
        """Prepare; the thread begins with its first job."""
        self.is_running = False
        self._executor = executor or ThreadPoolExecutor(1, "ha_ingestor_spool")
        self._sliced = SlicedJobs(self._executor)

    def submit[**P, T](
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Run this after the jobs before it, and do not wait for it."""
        return self._executor.submit(function, *args, **kwargs)

    def run[**P, T](
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T]:
        """Run this after the jobs before it."""
        return _result_of(self._executor.submit(function, *args, **kwargs))

    def run_sliced[T](self, slices: Slices[T]) -> Awaitable[T]:
        """Run long work, with other jobs in between."""
        return _result_of(self._sliced.submit(slices))

    async def read[**P, T](self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Read what the thread changes: between its jobs, or at once while it has none."""
        if self.is_running:
            return await self.run(function, *args, **kwargs)
        return function(*args, **kwargs)

    async def end[**P, T](self, last: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run no further slice, then this last job, and end the thread."""
        self._sliced.close()
        result = await self.run(last, *args, **kwargs)
        self.is_running = False
        await asyncio.get_running_loop().run_in_executor(None, self._executor.shutdown)
        return result


async def _result_of[T](job: Future[T]) -> T:
    """Wait for a job, which goes on when its caller is cancelled."""
    future = asyncio.wrap_future(job)
    try:
        # Unlike `await future`, this does not cancel a job that waits for its turn. Nor does
        # `asyncio.shield`, but it reports each error of the disk that no caller is left for.
        await asyncio.wait((future,))
    except asyncio.CancelledError:
        future.add_done_callback(_ignore_disk_error)
        raise
    return future.result()


def _ignore_disk_error(future: asyncio.Future[Any]) -> None:
    """Take the result; what is raised here is reported by the event loop."""
    with suppress(OSError, asyncio.CancelledError):
        future.result()
