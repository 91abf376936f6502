"""I10, I12: what is held grows with nothing, and the event loop never waits for a file."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from homeassistant.helpers.json import json_dumps

from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.verdict import classify
from custom_components.ha_ingestor.pipeline.build import build_pipeline
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.export.result import Result
from custom_components.ha_ingestor.pipeline.export.settings import DeliverySettings
from custom_components.ha_ingestor.pipeline.files import OsFiles
from custom_components.ha_ingestor.pipeline.pipeline import Pipeline
from custom_components.ha_ingestor.pipeline.slices import complete
from custom_components.ha_ingestor.pipeline.spool.quarantine.numbered_files import (
    FILE_BYTES,
    FILES_MAX,
)
from custom_components.ha_ingestor.pipeline.spool.quarantine.quarantine import Quarantine
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings
from tests.pipeline.memory_files import MemoryFiles
from tests.pipeline.state_events import NOON, FakeState, change

from .rig import ACCEPTED, DOWN, REFUSED

LINE = 200_000


def test_a_full_quarantine_gives_up_its_oldest_records() -> None:
    files = MemoryFiles()
    quarantine = Quarantine(files)
    count = 2 * FILES_MAX * FILE_BYTES // LINE
    for seq in range(count):
        quarantine.add(seq=seq, line="x" * LINE, status=400, reason="no")

    assert files.used < FILES_MAX * (FILE_BYTES + 2 * LINE)
    kept = [record["seq"] for record in complete(quarantine.records())]
    assert len(kept) * LINE > (FILES_MAX - 1) * FILE_BYTES
    assert kept == list(range(kept[0], count))
    assert files.descriptors == 0


class RecordingFiles:
    """Files that tell which threads asked for them."""

    def __init__(self, directory: Path) -> None:
        self._files = OsFiles(directory)
        self.threads: dict[str, set[int]] = {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*args: Any) -> Any:
            self.threads.setdefault(name, set()).add(threading.get_ident())
            return getattr(self._files, name)(*args)

        return ask


class FailingDatabase:
    """A database that refuses one point and is down at times; it sees how many speak at once."""

    dialect = Dialect.V2

    def __init__(self) -> None:
        self.is_down = False
        self.speaking = self.most = self.requests = 0

    async def write(self, body: bytes, *, gzipped: bool = False) -> Result:
        self.requests += 1
        self.speaking += 1
        self.most = max(self.most, self.speaking)
        try:
            await asyncio.sleep(0.01)
        finally:
            self.speaking -= 1
        if self.is_down:
            return classify(DOWN, self.dialect)
        is_refused = not gzipped and b'state="2990"' in body
        return classify(REFUSED if is_refused else ACCEPTED, self.dialect)

    async def retention(self) -> float | None:
        return None

    async def check(self) -> Result:
        return classify(DOWN if self.is_down else ACCEPTED, self.dialect)


async def test_one_request_at_a_time_and_no_file_in_the_event_loop(tmp_path: Path) -> None:
    files, database = RecordingFiles(tmp_path / "spool"), FailingDatabase()
    for life in range(2):
        pipeline = build_pipeline(
            profile=HomeIQ(dumps=json_dumps),
            files=files,
            writer=database,
            settings=SpoolSettings(max_bytes=40_000, segment_bytes=4_000, compress=False),
            delivery=DeliverySettings(gzip=False),
        )
        pipeline.start()
        try:
            await a_busy_day(pipeline, database, NOON + life * 86_400)
        finally:
            await asyncio.gather(pipeline.stop(), pipeline.snapshot())

    assert database.requests > 10
    assert database.most == 1
    assert files.threads.keys() >= {"create", "write", "sync", "read", "remove", "lock"}
    here = threading.get_ident()
    assert [name for name, threads in files.threads.items() if here in threads] == []


async def a_busy_day(pipeline: Pipeline, database: FailingDatabase, since: float) -> None:
    """Everything that asks for files or for the database, and much of it at once."""
    for number in range(3000):
        database.is_down = number % 1000 > 500
        state = FakeState(state=str(number), last_updated_timestamp=since + number)
        pipeline.receive(change(state))
        if number % 100 == 99:
            await asyncio.gather(pipeline.flush(), pipeline.flush(), pipeline.snapshot())
    database.is_down = False
    async with asyncio.timeout(30):
        while (await pipeline.snapshot()).backlog:
            await pipeline.flush()
            await asyncio.sleep(0.01)
    ledger = (await pipeline.snapshot()).ledger
    assert ledger["evicted"] > 0
    assert await pipeline.quarantine.records()
    await asyncio.gather(pipeline.quarantine.replay(), pipeline.flush())
    await pipeline.quarantine.purge()
