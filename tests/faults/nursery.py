"""Processes to kill: each runs a pipeline and says what it brought to the disk.

`python -m tests.faults.nursery` reads an order a line, lives it in a process of its own, and says
when that has ended. Only the nursery pays for the imports.

    > {"directory": …, "url": …, "first": 1}
    < started 4711
    < committed 17
    < ended
"""

import asyncio
import json
import os
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import aiohttp

from .bare import (
    Capture,
    Destination,
    Dialect,
    EntityContext,
    HomeIQ,
    InfluxClient,
    OsFiles,
    Pipeline,
    SpoolSettings,
)

NOON: Final = 1_795_262_400.0
# A week in which a database may refuse everything.
LONG_AGO: Final = 1_700_000_000.0
OLD_EVERY: Final = 97
ENTITIES: Final = 20


type Deed = Literal["flush", "offer", "drain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a process does: generate for ever, or drain what others left."""

    directory: str
    url: str
    dialect: str = "v2"
    org: str = "home"
    bucket: str = "home_assistant"
    token: str = ""
    first: int = 1
    seed: int = 0
    does: Deed = "flush"
    pause: float = 0.03
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    state: str
    last_changed_timestamp: float
    last_updated_timestamp: float
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Context:
    id: str
    parent_id: str | None = None
    user_id: str | None = None


_HOUSE: Final = [
    EntityContext(entity_id=f"sensor.s{index}", domain="sensor") for index in range(ENTITIES)
]


def is_old(number: int) -> bool:
    """Whether the point of this number lies in the week long ago."""
    return number % OLD_EVERY == 0


def numbered(number: int) -> Capture:
    """The capture that its state tells the number of; its time is a fact of the number."""
    time = (LONG_AGO if is_old(number) else NOON) + number / 1000
    state = _State(state=str(number), last_changed_timestamp=time, last_updated_timestamp=time)
    return Capture(_HOUSE[number % ENTITIES], state, None, time, _Context(f"{number:026d}"))


async def live(order: Order) -> None:
    """Begin a process's life, which may end at any moment."""
    destination = Destination(
        url=order.url,
        dialect=Dialect(order.dialect),
        org=order.org,
        bucket=order.bucket,
        database=order.bucket,
        token=order.token,
    )
    settings = {"min_free_bytes": 0, "segment_bytes": 20_000, **order.settings}
    async with aiohttp.ClientSession() as session:
        pipeline = Pipeline(
            profile=HomeIQ(dumps=json.dumps),
            files=OsFiles(Path(order.directory)),
            writer=InfluxClient(session, destination),
            settings=SpoolSettings(**settings),
            on_change=lambda: None,
        )
        pipeline.start()
        if order.does == "drain":
            await drain(pipeline)
        else:
            await generate(pipeline, order)


async def generate(pipeline: Pipeline, order: Order) -> None:
    """Offer numbers, and say how far they were committed or offered."""
    rng = random.Random(order.seed)
    number = order.first
    while True:
        for _ in range(rng.randrange(1, 30)):
            pipeline.receive(numbered(number))
            number += 1
        say(f"offered {number - 1}")
        if order.does == "flush":
            await pipeline.flush()
            found = await pipeline.snapshot()
            if found.is_open:
                say(f"counts {json.dumps({'pending': found.pending, **found.ledger})}")
            if not found.spool_error:
                say(f"committed {number - 1}")
        await asyncio.sleep(rng.uniform(0, 2 * order.pause))


async def drain(pipeline: Pipeline) -> None:
    """Deliver until nothing is left, and tell the ledger."""
    while True:
        await pipeline.flush()
        snapshot = await pipeline.snapshot()
        if snapshot.is_open and not snapshot.backlog:
            break
        await asyncio.sleep(0.05)
    await pipeline.stop()
    say(f"ledger {json.dumps((await pipeline.snapshot()).ledger)}")


def say(text: str) -> None:
    """One line in one piece."""
    os.write(sys.stdout.fileno(), f"{text}\n".encode())


def main() -> None:
    """Live one order after the other."""
    for line in sys.stdin:
        order = Order(**json.loads(line))
        pid = os.fork()
        if not pid:
            say(f"started {os.getpid()}")
            try:
                asyncio.run(live(order))
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        say("ended")


if __name__ == "__main__":
    main()
