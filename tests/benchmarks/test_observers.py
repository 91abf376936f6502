"""What looks at a process sees what it is meant to see, and leaves everything as it was."""

import asyncio
import gc
import os
import threading
import time
from asyncio import events
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .bench_load.full_collections import FullCollections
from .bench_load.loop_blocks import LoopBlocks
from .bench_load.profiler import Profiler
from .bench_load.wake_ups import WakeUps
from .processes import beyond, since, threads, whole


def _busy(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


async def _look(
    observer: LoopBlocks | WakeUps, act: object, seconds: float = 0.05
) -> dict[str, Any]:
    await asyncio.sleep(0)
    observer.start()
    await asyncio.sleep(0.01)
    if callable(act):
        act()
    await asyncio.sleep(seconds)
    return observer.stop()


def test_the_longest_block_is_told_with_its_place() -> None:
    seen = asyncio.run(_look(LoopBlocks(), lambda: _busy(0.2)))
    (turn, *_) = seen["turns"]
    assert 190 < turn["ms"] < 2000
    assert any("_busy" in place for place, _ in turn["places"])


def test_an_event_loop_that_only_waits_has_no_blocks() -> None:
    assert asyncio.run(_look(LoopBlocks(), None))["turns"] == []


def test_a_full_collection_of_garbage_is_noted_whichever_thread_it_is_in() -> None:
    def collect() -> None:
        thread = threading.Thread(target=gc.collect)
        thread.start()
        thread.join()

    seen = asyncio.run(_look(LoopBlocks(), collect))
    assert seen["full_collections_ms"]
    assert all(each > 0 for each in seen["full_collections_ms"])


def test_only_full_collections_of_garbage_are_counted_and_only_within() -> None:
    gc.collect()
    with FullCollections() as full:
        gc.collect(0)
        gc.collect(1)
        assert full.count == 0
        gc.collect()
        gc.collect()
    gc.collect()
    assert full.count == 2
    assert 0 < full.seconds < 60


def test_what_wakes_the_loop_is_named_and_jobs_are_counted() -> None:
    def timer() -> None:
        pass

    def job() -> None:
        pass

    def act() -> None:
        pool.submit(job)
        # A timer that is due before the loop waits again wakes nobody.
        asyncio.get_running_loop().call_later(0.3, timer)

    run, submit = events.Handle._run, ThreadPoolExecutor.submit
    with ThreadPoolExecutor(1, "jobs") as pool:
        seen = asyncio.run(_look(WakeUps(), act, seconds=0.6))
    assert [count for what, count in seen["woken"].items() if what.endswith("timer")] == [1]
    assert [what for what in seen["woken"] if "sleep of task _look" in what]
    assert [count for what, count in seen["jobs"].items() if what.endswith("job")] == [1]
    assert (events.Handle._run, ThreadPoolExecutor.submit) == (run, submit)


def test_functions_are_told_by_thread_with_their_processor_time() -> None:
    def working() -> None:
        _busy(0.03)
        time.sleep(0.05)

    profiler = Profiler()
    profiler.start()
    thread = threading.Thread(target=working, name="worker_7")
    thread.start()
    thread.join()
    seen = profiler.stop()["threads"]["worker"]
    ((own, all_of_it, calls),) = (n for what, n in seen.items() if what.endswith("working"))
    ((busy, _, _),) = (n for what, n in seen.items() if what.endswith("_busy"))
    assert calls == 1
    assert own < 10_000  # sleeping costs no processor time
    assert 29_000 < busy <= all_of_it < 200_000


def test_the_processor_time_of_threads_is_measured_from_outside() -> None:
    before = threads(os.getpid())
    _busy(0.05)
    used = since(before, threads(os.getpid()))
    assert 0.04 < whole(used).seconds < 1
    assert whole(beyond(used, used)).seconds == 0
