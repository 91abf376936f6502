"""What an open panel costs Home Assistant, seen from outside; what a browser does with it is not.

One home, with somebody who subscribes as the panel does and with nobody, one after the other.
"""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import aiohttp

from scripts.rig.api import Api
from scripts.rig.integration import DOMAIN
from scripts.rig.machine import load
from scripts.rig.servers import Server

from .home import BenchHome, Exporter
from .homes import WARM_EVENTS, WARM_RATE
from .processes import since, threads, whole
from .table import Row, at_most, say

RATES: Final = (0, 10, 100, 2000)
# What the budget is for; more events make no more messages.
BUDGET_RATE: Final = 100
CORE_PERCENT: Final = 1.0

SECONDS: Final = 15.0
# After the last event rates fall for a minute, which is told.
_REST_SECONDS: Final = 70.0


@dataclass(slots=True)
class Heard:
    """What somebody who watches was sent."""

    messages: int = 0
    size: int = 0


def measure(server: Server, directory: Path, rounds: int) -> Iterator[Row]:
    """Measure a home at each rate."""
    home = BenchHome(directory=directory)
    try:
        home.start()
        home.furnish(Exporter.OURS, server)
        home.run(WARM_EVENTS, WARM_RATE)
        time.sleep(_REST_SECONDS)
        for rate in RATES:
            yield from _at(home, rate, rounds)
    finally:
        home.stop()


def _at(home: BenchHome, rate: int, rounds: int) -> Iterator[Row]:
    more, heard = [], Heard()
    for number in range(rounds):
        say(f"  … {rate} events/s, round {number + 1}, {load()}")
        closed = _used(home, rate)
        with _watching(home.api, heard):
            # The first message, and what it takes to connect, are not of every second.
            time.sleep(2)
            before = heard.messages, heard.size
            opened = _used(home, rate)
            messages, size = heard.messages - before[0], heard.size - before[1]
        more.append(opened - closed)
    yield Row(
        what=f"{rate} events/s: {messages / SECONDS:.2f} messages/s, {size / SECONDS:.0f} bytes/s",
        measured=" / ".join(f"{100 * each / SECONDS:.2f} %" for each in more),
    )
    if rate == BUDGET_RATE:
        share = 100 * median(more) / SECONDS
        yield at_most("  more of a core than without", share, CORE_PERCENT, "{:.2f} %")


def _used(home: BenchHome, rate: int) -> float:
    """Return the processor time of some seconds at this rate."""
    before = threads(home.pid)
    if rate:
        home.begin(round(SECONDS * rate), rate, watch=False)
    time.sleep(SECONDS)
    return whole(since(before, threads(home.pid))).seconds


@contextmanager
def _watching(api: Api, heard: Heard) -> Iterator[None]:
    """Subscribe to the health, in a thread of its own, for as long as the block lasts."""
    loop = asyncio.new_event_loop()
    watch = loop.create_task(_watch(api, heard))

    def run() -> None:
        loop.run_until_complete(asyncio.wait([watch]))
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(watch.cancel)
        thread.join()


async def _watch(api: Api, heard: Heard) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{api.url}/api/websocket") as socket,
    ):
        await socket.send_json({"type": "auth", "access_token": api.token})
        await socket.send_json({"id": 1, "type": f"{DOMAIN}/subscribe"})
        async for message in socket:
            if json.loads(message.data)["type"] == "event":
                heard.messages += 1
                heard.size += len(message.data)
