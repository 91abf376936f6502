"""Long work of the spool's thread, in slices: commits go on in between.

A commit that waits is what a killed process costs.
"""

import errno
from collections.abc import Generator
from concurrent.futures import Executor, Future
from typing import Any

# Stops where others may have their turn, and returns its result in the end.
type Slices[T] = Generator[None, None, T]


def complete[T](slices: Slices[T]) -> T:
    """Do all of it at once."""
    while True:
        try:
            next(slices)
        except StopIteration as end:
            result: T = end.value
            return result


class SlicedJobs:
    """Runs one job after the other, each slice as a job of the executor. For the event loop."""

    def __init__(self, executor: Executor) -> None:
        """Run them in `executor`, which must not be shut down before `close`."""
        self._executor = executor
        self._last: Future[None] | None = None
        self._is_closed = False

    def close(self) -> None:
        """Run no further slice: what is not done fails with an OSError."""
        self._is_closed = True

    def submit[T](self, slices: Slices[T]) -> Future[T]:
        """Run this after those before it."""
        result: Future[T] = Future()
        ended: Future[None] = Future()

        def run_slice() -> None:
            try:
                self._advance(slices)
                self._executor.submit(run_slice)
            except StopIteration as end:
                result.set_result(end.value)
            except BaseException as err:  # noqa: BLE001  as any executor
                result.set_exception(err)
            else:
                return
            ended.set_result(None)

        def begin(_: object = None) -> None:
            if self._is_closed:
                run_slice()
            else:
                self._executor.submit(run_slice)

        before, self._last = self._last, ended
        if before is None:
            begin()
        else:
            before.add_done_callback(begin)
        return result

    def _advance(self, slices: Slices[Any]) -> None:
        if self._is_closed:
            raise OSError(errno.ECANCELED, "Stopped before it was done")
        next(slices)
