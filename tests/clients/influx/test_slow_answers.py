"""A server whose answer never ends, a few bytes at a time or as fast as they are read."""

import asyncio
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from types import FrameType
from typing import Final

import aiohttp
import pytest

from custom_components.ha_ingestor.clients.influx import admin_v2, read_back
from custom_components.ha_ingestor.clients.influx.admin_v2 import InfluxDB2Administrator
from custom_components.ha_ingestor.clients.influx.destination import Destination
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.library import load_library
from custom_components.ha_ingestor.clients.influx.read_back import Marker, ReadBack, Reading
from custom_components.ha_ingestor.pipeline.export.result import Problem

# Some copies of what is read at most.
MEMORY_MAX: Final = 32 * 1024 * 1024

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture(name="destination")
async def _destination(socket_enabled: None) -> AsyncIterator[Destination]:
    await asyncio.to_thread(load_library)  # an import must not be what is slow
    async for destination in _endless(b" ", pause=0.05):
        yield destination


@pytest.fixture(name="flood")
async def _flood(socket_enabled: None) -> AsyncIterator[Destination]:
    await asyncio.to_thread(load_library)
    async for destination in _endless(b" " * 65_536, pause=0):
        yield destination


async def _endless(part: bytes, *, pause: float) -> AsyncIterator[Destination]:
    is_over = asyncio.Event()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        with suppress(ConnectionError):
            while not is_over.is_set():
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield Destination(
        dialect=Dialect.V2, url=f"http://127.0.0.1:{port}", token="t", org="o", bucket="b"
    )
    is_over.set()
    server.close()
    await asyncio.sleep(0.2)


async def test_a_list_that_never_ends_is_given_up(
    destination: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_v2, "ALL_SECONDS", 0.5)
    began = time.monotonic()
    async with asyncio.timeout(20):
        listing = await InfluxDB2Administrator(destination).list_databases()
    assert listing.result.problem is Problem.TIMEOUT
    assert time.monotonic() - began < 15
    await no_thread_of_ours()


async def test_a_list_without_an_end_does_not_fill_the_memory(flood: Destination) -> None:
    tracemalloc.start()
    try:
        async with asyncio.timeout(20):
            listing = await InfluxDB2Administrator(flood).list_databases()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert listing.result.problem is Problem.NOT_A_DATABASE
    assert peak < MEMORY_MAX


async def test_an_answer_to_a_query_without_an_end_does_not_fill_the_memory(
    flood: Destination,
) -> None:
    tracemalloc.start()
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(20):
            reader = ReadBack(session, flood)
            found = await reader.read(Marker(measurement="m", field="f", value=1.0, time_ms=1))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.reading is Reading.FAILED
    assert peak < MEMORY_MAX


async def no_thread_of_ours() -> None:
    """Wait until the thread that asked has ended its work, not only its caller."""

    def is_asking() -> bool:
        frames = sys._current_frames().values()
        return any("bounded_pool" in name for frame in frames for name in files(frame))

    async with asyncio.timeout(5):
        while is_asking():
            await asyncio.sleep(0.05)


def files(frame: FrameType | None) -> Iterator[str]:
    """Yield the files of the calls that a thread is in."""
    while frame:
        yield frame.f_code.co_filename
        frame = frame.f_back


async def test_reading_back_ends_when_the_server_never_finishes_its_answer(
    destination: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_back, "QUERY_SECONDS", 0.5)
    async with aiohttp.ClientSession() as session, asyncio.timeout(20):
        reader = ReadBack(session, destination)
        found = await reader.read(Marker(measurement="m", field="f", value=1.0, time_ms=1))
    assert found.reading is Reading.FAILED
    assert "No answer" in found.detail
