"""T16: more than the disk or the database can take; memory stays bounded and the ledger exact."""

import asyncio
import threading
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from homeassistant.helpers.json import json_dumps

from custom_components.ha_ingestor.clients.exchange import Failure
from custom_components.ha_ingestor.clients.influx.outcome import Outcome
from custom_components.ha_ingestor.pipeline.build import build_pipeline
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.export.settings import DeliverySettings
from custom_components.ha_ingestor.pipeline.files import Files, OsFiles
from custom_components.ha_ingestor.pipeline.filter.intake import (
    INTAKE_BYTES,
    INTAKE_POINTS,
    UNSIZED_POINTS,
    estimate_size,
)
from custom_components.ha_ingestor.pipeline.model import OtherEvent
from custom_components.ha_ingestor.pipeline.pipeline import Pipeline
from custom_components.ha_ingestor.pipeline.snapshot import Snapshot
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings, WhenFull
from tests.pipeline.scripted_writer import OK, ScriptedWriter
from tests.pipeline.state_events import NOON, FakeContext, FakeState, change

RATE = 2_000
OUTAGE_SECONDS = 20
REFUSED = Outcome(failure=Failure.UNREACHABLE, detail="connection refused")


class StallingDisk(OsFiles):
    """A disk that does not answer while it is told not to."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.answers = threading.Event()
        self.answers.set()
        self.is_asked = threading.Event()

    def write(self, fd: int, data: bytes, offset: int) -> None:
        self.is_asked.set()
        self.answers.wait()
        super().write(fd, data, offset)


class Home:
    """Changes of one sensor, numbered; what it offered is in the points of its pipeline."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.offered = 0

    def changes(self, count: int, attributes: int = 0) -> None:
        """Let the sensor change, with text of its own in each state."""
        for _ in range(count):
            number, self.offered = self.offered, self.offered + 1
            text = {"text": f"{number:0{attributes}}"} if attributes else {}
            new = FakeState(
                state=str(number), attributes=text, last_updated_timestamp=NOON + number / 1000
            )
            self.pipeline.receive(change(new))

    async def settled(self) -> Snapshot:
        """Wait until nothing waits; every change has one place in the ledger then."""
        async with asyncio.timeout(30):
            while True:
                await self.pipeline.flush()
                snapshot = await self.pipeline.snapshot()
                if not snapshot.backlog:
                    break
                await asyncio.sleep(0.05)
        ledger = snapshot.ledger
        assert ledger["received"] == ledger["captured"] == self.offered
        gone = ledger["evicted"] + sum(ledger["lost"].values())
        assert ledger["written"] + gone == self.offered
        return snapshot


def numbers(writer: ScriptedWriter) -> list[int]:
    """Which changes are in the database, in the order of their arrival."""
    return [int(line.partition('state="')[2].partition('"')[0]) for line in writer.stored]


@asynccontextmanager
async def home(
    files: Files, writer: ScriptedWriter, settings: SpoolSettings | None = None
) -> AsyncIterator[Home]:
    pipeline = build_pipeline(
        profile=HomeIQ(dumps=json_dumps),
        files=files,
        writer=writer,
        settings=settings or SpoolSettings(),
        delivery=DeliverySettings(gather_seconds=0),
    )
    pipeline.start()
    try:
        yield Home(pipeline)
    finally:
        await pipeline.stop()


async def stall(disk: StallingDisk, there: Home) -> int:
    """Stop the disk in the middle of a commit; returns how many changes are in its hands."""
    await there.pipeline.flush()
    disk.is_asked.clear()
    disk.answers.clear()
    there.changes(RATE)
    assert await asyncio.to_thread(disk.is_asked.wait, 10)
    return there.offered


async def test_twenty_seconds_without_the_database_cost_what_the_bounds_say_and_the_oldest_first(
    tmp_path: Path,
) -> None:
    is_down = True
    writer = ScriptedWriter(judge=lambda _: REFUSED if is_down else OK)
    limit = 96 * 1024
    settings = SpoolSettings(max_bytes=limit, segment_bytes=limit // 8)
    async with home(OsFiles(tmp_path / "spool"), writer, settings) as there:
        for _ in range(OUTAGE_SECONDS):
            there.changes(RATE)
            await there.pipeline.flush()
            snapshot = await there.pipeline.snapshot()
            assert snapshot.waiting == 0
            assert snapshot.spool_bytes <= limit
        is_down = False
        ledger = (await there.settled()).ledger

    assert ledger["lost"] == {}
    assert ledger["evicted"] > 0
    assert numbers(writer) == list(range(ledger["evicted"], OUTAGE_SECONDS * RATE))


async def test_twenty_seconds_without_the_database_cost_the_newest_where_the_user_says_so(
    tmp_path: Path,
) -> None:
    is_down = True
    writer = ScriptedWriter(judge=lambda _: REFUSED if is_down else OK)
    limit = 96 * 1024
    settings = SpoolSettings(max_bytes=limit, segment_bytes=limit // 8, full=WhenFull.NEWEST)
    async with home(OsFiles(tmp_path / "spool"), writer, settings) as there:
        for _ in range(OUTAGE_SECONDS):
            there.changes(RATE)
            await there.pipeline.flush()
            snapshot = await there.pipeline.snapshot()
            assert (snapshot.waiting, snapshot.spool_error, snapshot.unbalanced) == (0, "", "")
            assert snapshot.spool_bytes <= limit
        refused = snapshot.ledger["evicted"]
        assert snapshot.pending == OUTAGE_SECONDS * RATE - refused
        is_down = False
        await there.settled()
        there.changes(RATE)
        ledger = (await there.settled()).ledger

    assert ledger["lost"] == {}
    assert ledger["evicted_for"] == {"newest_refused": refused}
    kept = numbers(writer)
    # What still fitted is whole up to there, but for the smaller commits at the end of the room.
    assert kept[: 3 * RATE] == list(range(3 * RATE))
    assert kept[-RATE:] == list(range(OUTAGE_SECONDS * RATE, (OUTAGE_SECONDS + 1) * RATE))


async def test_what_comes_while_the_disk_stalls_is_bounded_by_number_and_the_oldest_is_lost(
    tmp_path: Path,
) -> None:
    disk, writer = StallingDisk(tmp_path / "spool"), ScriptedWriter()
    async with home(disk, writer) as there:
        taken = await stall(disk, there)
        for _ in range(20):
            there.changes(RATE)
            await asyncio.sleep(0)
        disk.answers.set()
        ledger = (await there.settled()).ledger

    lost = there.offered - taken - INTAKE_POINTS
    assert ledger["lost"] == {"intake_full": lost}
    assert numbers(writer) == [*range(taken), *range(taken + lost, there.offered)]


async def test_what_comes_while_the_disk_stalls_is_bounded_by_size_and_the_oldest_is_lost(
    tmp_path: Path,
) -> None:
    disk, writer = StallingDisk(tmp_path / "spool"), ScriptedWriter()
    size = 5_000
    async with home(disk, writer) as there:
        taken = await stall(disk, there)
        tracemalloc.start()
        there.changes(10_000, attributes=size)
        held, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        disk.answers.set()
        ledger = (await there.settled()).ledger

    kept = there.offered - taken - ledger["lost"]["intake_full"]
    assert kept == pytest.approx(INTAKE_BYTES / size, rel=0.01)
    assert held <= most < 1.5 * INTAKE_BYTES
    assert numbers(writer) == [*range(taken), *range(there.offered - kept, there.offered)]


async def test_the_newest_events_are_kept_whatever_their_size(tmp_path: Path) -> None:
    disk, writer = StallingDisk(tmp_path / "spool"), ScriptedWriter()
    async with home(disk, writer) as there:
        for size in (9_000, 0):
            taken = await stall(disk, there)
            there.changes(UNSIZED_POINTS + 100, attributes=size)
            disk.answers.set()
            ledger = (await there.settled()).ledger
            # What was heavy then does not weigh any more.
            assert ledger["lost"] == {"intake_full": 100}
            kept = UNSIZED_POINTS if size else UNSIZED_POINTS + 100
            newest = range(there.offered - kept, there.offered)
            assert numbers(writer)[-kept - 1 :] == [taken - 1, *newest]


class Unprintable:
    """An attribute of an integration that is broken."""

    def __repr__(self) -> str:
        raise ValueError


def test_the_size_of_an_event_is_what_only_it_keeps_in_memory() -> None:
    text = {"text": "x" * 1000}
    state = FakeState(state="1", attributes=text)
    assert estimate_size(change(state)) == len(str(text))
    assert estimate_size(change(None, state)) == len(str(text))
    assert estimate_size(change(state, FakeState(state="0"))) == len(str(text))
    assert estimate_size(change(state, FakeState(state="0", attributes=text))) == 0
    assert estimate_size(OtherEvent("event", text, NOON, FakeContext())) == len(str(text))
    assert estimate_size(change(FakeState(state="1", attributes={"odd": Unprintable()}))) == 0
