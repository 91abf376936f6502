"""What the tests of whole pipelines share: how one is made, fed, waited for and checked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from homeassistant.helpers.json import json_dumps

from custom_components.ha_ingestor.clients.exchange import Failure
from custom_components.ha_ingestor.clients.influx.outcome import Outcome
from custom_components.ha_ingestor.pipeline.build import build_pipeline
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.files import Files
from custom_components.ha_ingestor.pipeline.pipeline import Pipeline
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings

from .scripted_writer import OK, ScriptedWriter
from .state_events import NOON, FakeState, change

REFUSED = Outcome(failure=Failure.UNREACHABLE, detail="connection refused")


class Switch:
    """A database that can be down."""

    up = True

    def __call__(self, lines: list[str]) -> Outcome:
        return OK if self.up else REFUSED


def make(files: Files, writer: ScriptedWriter, **settings: Any) -> Pipeline:
    return build_pipeline(
        profile=HomeIQ(dumps=json_dumps),
        files=files,
        writer=writer,
        **{"settings": SpoolSettings(), **settings},
    )


@asynccontextmanager
async def running(files: Files, writer: ScriptedWriter, **settings: Any) -> AsyncIterator[Pipeline]:
    async with started(make(files, writer, **settings)) as pipeline:
        yield pipeline


@asynccontextmanager
async def started(pipeline: Pipeline) -> AsyncIterator[Pipeline]:
    pipeline.start()
    try:
        yield pipeline
    finally:
        await pipeline.stop()


def offer(pipeline: Pipeline, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        pipeline.receive(
            change(FakeState(state=str(number), last_updated_timestamp=NOON + number / 1000))
        )


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


async def assert_balanced(pipeline: Pipeline, captured: int) -> None:
    snapshot = await pipeline.snapshot()
    ledger = snapshot.ledger
    settled = ledger["written"] + ledger["quarantined"] + ledger["evicted"]
    settled += sum(ledger["lost"].values())
    assert ledger["captured"] == settled + snapshot.pending == captured


class BrokenDisk:
    """A fault that can be mended."""

    broken = True

    def __call__(self, operation: str, name: str) -> None:
        if self.broken:
            raise OSError(30, "Read-only file system")
