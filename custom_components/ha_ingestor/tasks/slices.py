"""Long work in the event loop, in slices."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import Final

# The longest slice.
SLICE_SECONDS: Final = 0.004


async def async_slices[T](items: Iterable[T]) -> AsyncIterator[T]:
    """Yield items one by one, and let others run whenever a slice of time is over."""
    began = time.perf_counter()
    for item in items:
        yield item
        if time.perf_counter() - began > SLICE_SECONDS:
            await asyncio.sleep(0)
            began = time.perf_counter()
