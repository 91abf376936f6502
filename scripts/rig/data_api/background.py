"""A data-api for programs that have no event loop."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .server import DataApi


@contextmanager
def in_background(server: DataApi) -> Iterator[DataApi]:
    """Serve in a thread for as long as the block lasts."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="data-api", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
        yield server
        asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
