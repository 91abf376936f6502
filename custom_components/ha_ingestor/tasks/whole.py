"""Work that is done to its end, whoever asked for it and is gone.

Home Assistant cancels whatever a page asked for when that page is closed. Half an unload, or half a
replay, is worse than one that nobody waits for.
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


async def async_whole[T](hass: HomeAssistant, work: Coroutine[Any, Any, T], name: str) -> T:
    """Do the work in a task of its own; a caller that was cancelled hears of it at the end."""
    task = create_eager_task(work, name=name, loop=hass.loop)
    if await _done(task):
        if not task.cancelled():
            task.exception()  # nobody is there to hear of it
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


class Once[T]:
    """Work that all who ask for it share; what failed is tried again for who asks next."""

    def __init__(self) -> None:
        """Wait for somebody to ask."""
        self._task: asyncio.Task[T] | None = None

    async def async_do(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Begin, or wait for what another began; it goes on when its caller is cancelled."""
        task = self._task
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = self._task = asyncio.create_task(work())
        return await asyncio.shield(task)


class Background:
    """Tasks that end with whoever began them."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Run nothing yet."""
        self._hass = hass
        self._tasks: set[asyncio.Task[None]] = set()

    def async_begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run something that nobody waits for."""
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
