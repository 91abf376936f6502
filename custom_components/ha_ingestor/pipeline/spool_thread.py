"""The thread of the spool, as the event loop uses it."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial

from .spool.slices import SlicedJobs, Slices


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
        # Shielded, because a job that waits for its turn would be dropped with its caller.
        job = self._executor.submit(partial(function, *args, **kwargs))
        return asyncio.shield(asyncio.wrap_future(job))

    def run_sliced[T](self, slices: Slices[T]) -> Awaitable[T]:
        """Run long work, with other jobs in between."""
        return asyncio.shield(asyncio.wrap_future(self._sliced.submit(slices)))

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
