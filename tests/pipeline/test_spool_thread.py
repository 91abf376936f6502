"""The spool's thread, when the caller of a job is cancelled."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from custom_components.ha_ingestor.pipeline.spool_thread import SpoolThread


@pytest.fixture
async def thread() -> AsyncIterator[SpoolThread]:
    thread = SpoolThread()
    yield thread
    await thread.end(lambda: None)


@pytest.fixture
async def reported() -> list[BaseException]:
    """What the event loop reports as an error that nobody took."""
    found: list[BaseException] = []

    def note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        found.append(context["exception"])

    asyncio.get_running_loop().set_exception_handler(note)
    return found


async def all_is_reported() -> None:
    """Wait until futures that nobody holds are gone, which reports their errors."""
    for _ in range(5):
        await asyncio.sleep(0)
    gc.collect()


@pytest.mark.parametrize("is_done", [False, True], ids=["before its end", "after its end"])
@pytest.mark.parametrize(
    ("error", "is_reported"), [(OSError(5, "Input/output error"), False), (KeyError("key"), True)]
)
async def test_a_disk_error_in_a_job_whose_caller_is_cancelled_is_not_reported_as_a_defect(
    thread: SpoolThread,
    reported: list[BaseException],
    *,
    error: Exception,
    is_done: bool,
    is_reported: bool,
) -> None:
    may_end, has_begun = threading.Event(), threading.Event()

    def job() -> None:
        has_begun.set()
        may_end.wait()
        raise error

    caller = asyncio.ensure_future(thread.run(job))
    await asyncio.sleep(0)
    has_begun.wait()
    if is_done:
        may_end.set()
        # The next job begins after the end of this one, and the event loop has not run since.
        thread.submit(lambda: None).result()
    caller.cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await thread.run(lambda: None)
    await all_is_reported()

    assert reported == ([error] if is_reported else [])


async def test_a_job_that_waits_for_its_turn_is_done_although_its_caller_is_cancelled(
    thread: SpoolThread,
) -> None:
    may_end, done = threading.Event(), threading.Event()
    thread.submit(may_end.wait)
    caller = asyncio.ensure_future(thread.run(done.set))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    may_end.set()
    await thread.run(lambda: None)
    assert done.is_set()


async def test_the_error_of_a_job_is_the_error_of_its_caller(thread: SpoolThread) -> None:
    def job() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left on device"):
        await thread.run(job)
