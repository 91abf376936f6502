"""Files of the quarantine that cannot be used, until they can."""

import asyncio
import errno
from collections.abc import Callable

import pytest

from custom_components.ha_ingestor.clients.influx.outcome import Outcome
from custom_components.ha_ingestor.pipeline.export import quarantine_recheck
from custom_components.ha_ingestor.pipeline.pipeline import Pipeline
from tests.pipeline.memory_files import MemoryFiles
from tests.pipeline.running import until
from tests.pipeline.scripted_writer import ScriptedWriter
from tests.pipeline.test_pause import make, offer

REFUSED = Outcome(status=400, body='{"code":"invalid"}', from_database=True)


def _unreadable(operation: str, name: str) -> None:
    if operation in {"open", "read"} and name.startswith("quarantine-0"):
        raise OSError(errno.EIO, "Input/output error", name)


async def _error(pipeline: Pipeline) -> str:
    return (await pipeline.snapshot()).spool_error


async def _until_told(pipeline: Pipeline, is_told: Callable[[str], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_told(await _error(pipeline)):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("is_paused", [False, True])
async def test_files_are_looked_at_again_although_no_further_point_comes(
    monkeypatch: pytest.MonkeyPatch, *, is_paused: bool
) -> None:
    monkeypatch.setattr(quarantine_recheck, "RECHECK_SECONDS", 0.05)
    files = MemoryFiles()
    first = make(files, ScriptedWriter(judge=lambda lines: REFUSED))
    first.start()
    offer(first, 0, 1)
    await until(lambda: first.ledger.quarantined == 1)
    await first.stop()

    pipeline = make(files, ScriptedWriter())
    pipeline.start()
    try:
        if is_paused:
            await pipeline.pause()
        # Nothing comes, so that it waits for ever.
        await asyncio.sleep(0.1)
        files.fault = _unreadable
        assert await pipeline.quarantine.records() == []
        await _until_told(pipeline, lambda error: "quarantine-0" in error)

        files.fault = lambda operation, name: None
        await _until_told(pipeline, lambda error: error == "")
        assert len(await pipeline.quarantine.records()) == 1
    finally:
        await pipeline.stop()
