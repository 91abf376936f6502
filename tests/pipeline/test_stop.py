"""A stop or a reload cancels no request, and sends nothing twice."""

import asyncio

from homeassistant.helpers.json import json_dumps

from custom_components.ha_ingestor.pipeline.build import build_pipeline
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.export.result import Result
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings

from .memory_files import MemoryFiles
from .scripted_writer import ScriptedWriter
from .state_events import FakeState, change


class SlowWriter(ScriptedWriter):
    """A database that takes its time."""

    cancelled = 0

    async def write(self, body: bytes, *, gzipped: bool = False) -> Result:
        result = await super().write(body, gzipped=gzipped)
        try:
            await asyncio.sleep(0.3)
        except asyncio.CancelledError:
            SlowWriter.cancelled += 1
            raise
        return result


async def test_a_stop_finishes_the_request_in_flight_and_sends_no_point_twice() -> None:
    SlowWriter.cancelled = 0
    writer, files = SlowWriter(), MemoryFiles()
    for number in range(3):
        pipeline = build_pipeline(
            profile=HomeIQ(dumps=json_dumps),
            files=files,
            writer=writer,
            settings=SpoolSettings(),
            gather_seconds=0,
        )
        pipeline.start()
        sent = len(writer.attempts)
        pipeline.offer(change(FakeState(state=str(number))))
        await pipeline.flush()
        async with asyncio.timeout(5):
            while len(writer.attempts) == sent:
                await asyncio.sleep(0.01)
        await pipeline.stop()
        assert (await pipeline.snapshot()).pending == 0

    assert SlowWriter.cancelled == 0
    assert len(writer.attempts) == 3
