"""Work that is shielded from the cancellation of its caller.

Home Assistant cancels a request when its page is closed. Half an unload, or half a replay, is worse
than one whose caller is gone.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util.async_ import create_eager_task


async def async_finish[T](hass: HomeAssistant, work: Coroutine[Any, Any, T], name: str) -> T:
    """Do the work in a task of its own and return its result, also to a caller that was cancelled.

    For the states of a config entry: Home Assistant leaves it in between when a cancellation goes
    through, and neither sets it up nor unloads it any more.
    """
    task = create_eager_task(work, name=name, loop=hass.loop)
    cancelled = await _done(task)
    if caller := asyncio.current_task():
        for _ in range(cancelled):
            caller.uncancel()
    return task.result()


async def async_shielded[T](hass: HomeAssistant, work: Coroutine[Any, Any, T], name: str) -> T:
    """Do the work in a task of its own; a cancelled caller gets CancelledError at the end."""
    task = create_eager_task(work, name=name, loop=hass.loop)
    if await _done(task):
        if not task.cancelled():
            task.exception()  # there is no caller to raise it to
        raise asyncio.CancelledError
    return task.result()


async def _done(task: asyncio.Task[Any]) -> int:
    """Wait for a task, and return how often the one that waits was cancelled meanwhile."""
    cancelled = 0
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            cancelled += 1
    return cancelled


class SharedTask[T]:
    """Work that all callers share; after a failure the next caller starts it again."""

    def __init__(self) -> None:
        """Start without a task."""
        self._task: asyncio.Task[T] | None = None

    async def async_run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Start the work, or wait for the running one; it is not cancelled with its caller."""
        task = self._task
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = self._task = asyncio.create_task(work())
        return await asyncio.shield(task)


class Background:
    """Background tasks of one owner, cancelled with it."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Run nothing yet."""
        self._hass = hass
        self._tasks: set[asyncio.Task[None]] = set()

    def async_begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run a task in the background."""
        task = self._hass.async_create_background_task(work, name)
        if not task.done():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def async_end(self) -> None:
        """Cancel what runs, and wait for it."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)
            await asyncio.sleep(0)  # their callbacks
