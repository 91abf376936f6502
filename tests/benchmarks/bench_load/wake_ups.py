"""What wakes the event loop up, and what is given to executors."""

import asyncio
from asyncio import events
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

type Args = tuple[Any, ...]


class WakeUps:
    """Counts between `start` and `stop`, in a running event loop.

    What wakes it up is the callback that runs first after a wait: a timer, a socket, or what
    another thread has asked for.
    """

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._woken: Counter[str] = Counter()
        self._jobs: Counter[str] = Counter()
        self._is_new = False

    def start(self) -> None:
        """Put ourselves in between."""
        loop: Any = asyncio.get_running_loop()
        self._selector = loop._selector
        self._run = run = events.Handle._run
        self._submit = submit = ThreadPoolExecutor.submit
        select = self._selector.select

        def selecting(timeout: float | None = None) -> Any:
            found = select(timeout)
            self._is_new = timeout is None or timeout > 0
            return found

        def running(handle: Any) -> None:
            if self._is_new:
                self._is_new = False
                self._woken[name_of(handle._callback, handle._args or ())] += 1
            run(handle)

        def submitting(pool: Any, job: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            pools = pool._thread_name_prefix
            self._jobs[f"{pools}: {name_of(job, args)}"] += 1
            return submit(pool, job, *args, **kwargs)

        self._selector.select = selecting
        events.Handle._run = running  # type: ignore[assignment,method-assign]
        ThreadPoolExecutor.submit = submitting  # type: ignore[method-assign]

    def stop(self) -> dict[str, Any]:
        """Leave everything as it was; returns how often what happened."""
        del self._selector.select
        events.Handle._run = self._run  # type: ignore[method-assign]
        ThreadPoolExecutor.submit = self._submit  # type: ignore[method-assign]
        return {"woken": dict(self._woken), "jobs": dict(self._jobs)}


def name_of(callback: Any, args: Args) -> str:
    """Say what a callback does, as far as it can be seen."""
    while isinstance(callback, partial):
        callback, args = callback.func, (*callback.args, *args)
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return f"task {getattr(owner.get_coro(), '__qualname__', owner.get_name())}"
    # The end of a sleep, for whoever sleeps.
    if getattr(callback, "__name__", "") == "_set_result_unless_cancelled":
        for waiting, _context in getattr(args[0], "_callbacks", None) or ():
            return f"sleep of {name_of(waiting, ())}"
    # A job of an executor is done.
    if getattr(callback, "__qualname__", "").startswith("_chain_future"):
        return "a job in an executor is done"
    if protocol := getattr(owner, "get_protocol", None):
        return f"socket of {type(protocol()).__name__}"
    # An object that can be called is named by its type: what it holds is different each time.
    named = callback if hasattr(callback, "__qualname__") else type(callback)
    what = f"{named.__module__}.{named.__qualname__}"
    whose = getattr(owner, "name", None) or getattr(getattr(owner, "job", None), "name", None)
    return f"{what} of {whose}" if whose else what
