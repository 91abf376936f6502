"""T12: the clock on the wall may jump; points keep their times and timers theirs."""

import itertools
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import format_datetime
from typing import Any

import pytest

from custom_components.ha_ingestor.clients.exchange import RETRY_AFTER_MAX
from custom_components.ha_ingestor.clients.influx import verdict
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.outcome import Outcome
from custom_components.ha_ingestor.clients.influx.verdict import classify
from custom_components.ha_ingestor.pipeline.build import build_pipeline
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.export.attempts import BLOCKED_RETRY
from custom_components.ha_ingestor.pipeline.files import Files
from custom_components.ha_ingestor.pipeline.pipeline import Pipeline
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings
from tests.pipeline.memory_files import MemoryFiles
from tests.pipeline.running import until
from tests.pipeline.scripted_writer import UNAVAILABLE, ScriptedWriter
from tests.pipeline.state_events import NOON, FakeState, change

from .rig import Clocks, Database, Rig, points

HOUR = 3600.0
DAY = 24 * HOUR
JUMPS = {
    "an hour ahead": [HOUR],
    "an hour back": [-HOUR],
    "to 1970": [-NOON],
    "to and fro": [HOUR, -HOUR],
    "from 1970": [-NOON, 0],
}

each_jump = pytest.mark.parametrize("jumps", JUMPS.values(), ids=JUMPS)


class Wall:
    """The clock on the wall, which is moved at every look."""

    def __init__(self, jumps: list[float]) -> None:
        self.jumps: Iterator[float] = itertools.cycle([0.0, *jumps])

    def __call__(self) -> float:
        return NOON + next(self.jumps)


@asynccontextmanager
async def running(files: Files, writer: ScriptedWriter) -> AsyncIterator[Pipeline]:
    pipeline = build_pipeline(
        profile=HomeIQ(dumps=json.dumps),
        files=files,
        writer=writer,
        settings=SpoolSettings(max_age=7 * DAY),
    )
    pipeline.start()
    try:
        yield pipeline
    finally:
        await pipeline.stop()


def offer(pipeline: Pipeline, first: int, last: int) -> None:
    for number in range(first, last + 1):
        state = FakeState(state=str(number), last_updated_timestamp=NOON + number / 1000)
        pipeline.receive(change(state))


@each_jump
async def test_points_arrive_in_time_with_their_own_times_while_the_clock_jumps(
    jumps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", Wall(jumps))
    began = time.monotonic()
    writer = ScriptedWriter(script=[UNAVAILABLE])
    async with running(MemoryFiles(), writer) as pipeline:
        for first in (1, 11, 21):
            offer(pipeline, first, first + 9)
            await pipeline.flush()
        await until(lambda: len(writer.stored) == 30)
        # The retry after a second, and not after an hour or at once for ever.
        assert time.monotonic() - began < 5
        assert len(writer.attempts) < 10
        ledger = (await pipeline.snapshot()).ledger

    times = [int(line.rpartition(" ")[2]) for line in writer.stored]
    assert times == [int(NOON * 1000 + number) * 10**6 for number in range(1, 31)]
    assert ledger["written"] == ledger["captured"] == 30


@each_jump
async def test_a_batch_that_is_sent_again_after_a_jump_is_the_same_byte_for_byte(
    jumps: list[float],
) -> None:
    files, clocks = MemoryFiles(), Clocks()
    writer = ScriptedWriter(script=[UNAVAILABLE for _ in jumps * 2])
    rig = Rig(files, writer, clocks=clocks)
    rig.commit(points(1, 50))
    for jump in jumps:
        clocks.wall = NOON + jump
        await rig.deliver()
        files.kill()
        rig = Rig(files, writer, clocks=clocks)
        rig.commit()
        await rig.deliver()
    await rig.deliver(5)

    assert {tuple(attempt) for attempt in writer.attempts} == {tuple(points(1, 50))}
    assert rig.ledger.written == rig.ledger.captured == 50


@pytest.mark.parametrize("jump", [HOUR, -HOUR, -DAY, -NOON])
async def test_no_jump_evicts_points_that_are_not_too_old(jump: float) -> None:
    clocks = Clocks()
    settings = SpoolSettings(max_age=7 * DAY, segment_bytes=1000, compress=False)
    rig = Rig(MemoryFiles(), database := Database(), settings=settings, clocks=clocks)
    for first in range(1, 101, 10):
        clocks.wall = NOON + (jump if first % 20 == 1 else 0)
        clocks.monotonic += 10
        rig.commit(points(first, first + 9))
    await rig.deliver()

    assert rig.ledger.evicted == 0
    assert database.stored == points(1, 100)


async def test_points_from_before_the_clock_was_set_are_not_too_old() -> None:
    clocks = Clocks(wall=120.0)
    settings = SpoolSettings(max_age=7 * DAY, segment_bytes=1000, compress=False)
    rig = Rig(MemoryFiles(), database := Database(), settings=settings, clocks=clocks)
    for first in range(1, 51, 10):
        clocks.monotonic += 10
        clocks.wall += 10
        rig.commit(points(first, first + 9))
    # A minute after the start the network tells what time it is.
    clocks.wall = NOON
    rig.commit(points(51, 60))
    await rig.deliver()

    assert rig.ledger.evicted == 0
    assert database.stored == points(1, 60)


async def test_points_that_are_too_old_are_still_evicted_after_the_clock_was_set_back() -> None:
    clocks = Clocks()
    settings = SpoolSettings(max_age=7 * DAY, segment_bytes=1000, compress=False)
    rig = Rig(MemoryFiles(), Database(is_down=True), settings=settings, clocks=clocks)
    for first in range(1, 51, 10):
        rig.commit(points(first, first + 9))
    clocks.wall = NOON - HOUR
    rig.commit(points(51, 60))
    assert rig.ledger.evicted == 0

    clocks.wall = NOON + 8 * DAY
    clocks.monotonic += 8 * DAY
    rig.commit(points(61, 70))
    assert rig.ledger.evicted >= 50
    rig.assert_adds_up()


@pytest.mark.parametrize("jump", [HOUR, -HOUR, -NOON])
async def test_a_jump_of_the_wall_clock_does_not_change_when_points_are_synced(jump: float) -> None:
    files, clocks = MemoryFiles(), Clocks()
    rig = Rig(files, Database(is_down=True), clocks=clocks)
    rig.commit(points(1, 10))
    before = files.syncs
    clocks.wall += jump
    clocks.monotonic += 4
    rig.commit()
    assert files.syncs == before

    clocks.monotonic += 1.1
    rig.commit()
    assert files.syncs > before


@each_jump
async def test_waits_do_not_depend_on_the_wall_clock(
    jumps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", Wall(jumps))
    unauthorized = Outcome(status=401, from_database=True)
    writer = ScriptedWriter(script=[UNAVAILABLE, UNAVAILABLE, unauthorized])
    rig = Rig(MemoryFiles(), writer)
    rig.commit(points(1, 5))

    assert await rig.deliver(5) == [1, 2, BLOCKED_RETRY]
    assert writer.stored == points(1, 5)


@pytest.mark.parametrize(
    ("clock", "seconds"),
    [
        (timedelta(), 60),
        (timedelta(hours=1), 0),
        (timedelta(hours=-1), RETRY_AFTER_MAX),
        (-timedelta(seconds=NOON), RETRY_AFTER_MAX),
    ],
    ids=["right", "an hour fast", "an hour slow", "in 1970"],
)
def test_a_retry_after_date_is_at_most_a_quarter_of_an_hour_away(
    clock: timedelta, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = datetime.fromtimestamp(NOON, UTC)

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return noon + clock

    monkeypatch.setattr(verdict, "datetime", Wrong)
    header = format_datetime(noon + timedelta(seconds=60), usegmt=True)
    outcome = Outcome(status=503, retry_after=header, from_database=True)

    assert classify(outcome, Dialect.V2).retry_after == seconds


async def test_two_changes_at_once_stay_apart_when_the_clock_is_set_back() -> None:
    writer = ScriptedWriter()
    async with running(MemoryFiles(), writer) as pipeline:
        for moment in (NOON, NOON, NOON - HOUR, NOON - HOUR, NOON + 1):
            pipeline.receive(change(FakeState(state="1", last_updated_timestamp=moment)))
        await pipeline.flush()
        await until(lambda: len(writer.stored) == 5)

    times = [int(line.rpartition(" ")[2]) for line in writer.stored]
    assert len(set(times)) == 5
