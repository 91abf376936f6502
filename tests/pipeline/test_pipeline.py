"""From the offer to the database: nothing waits longer than promised, nothing is lost at an end."""

import asyncio
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from custom_components.ha_ingestor.pipeline.clock import Clocks
from custom_components.ha_ingestor.pipeline.commit_schedule import COUNT_SECONDS
from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from custom_components.ha_ingestor.pipeline.export.result import Result
from custom_components.ha_ingestor.pipeline.export.settings import DeliverySettings
from custom_components.ha_ingestor.pipeline.files import OsFiles
from custom_components.ha_ingestor.pipeline.filter.filters import NoiseFilter
from custom_components.ha_ingestor.pipeline.filter.intake import INTAKE_POINTS
from custom_components.ha_ingestor.pipeline.model import Rules
from custom_components.ha_ingestor.pipeline.spool import held, packing
from custom_components.ha_ingestor.pipeline.spool.durability import Durability
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings, WhenFull

from .memory_files import MemoryFiles
from .running import (
    BrokenDisk,
    Switch,
    assert_balanced,
    make,
    offer,
    running,
    started,
    until,
)
from .scripted_writer import ScriptedWriter
from .state_events import NOON, FakeState, change, entity


async def test_points_reach_the_database(tmp_path: Path) -> None:
    writer = ScriptedWriter()
    async with running(OsFiles(tmp_path / "spool"), writer) as pipeline:
        offer(pipeline, 3)
        await until(lambda: len(writer.stored) == 3)
        await assert_balanced(pipeline, 3)


async def test_a_steady_trickle_is_gathered_into_few_requests(tmp_path: Path) -> None:
    writer = ScriptedWriter()
    async with running(
        OsFiles(tmp_path / "spool"), writer, delivery=DeliverySettings(gather_seconds=3600)
    ) as pipeline:
        offer(pipeline, 1)
        await until(lambda: len(writer.stored) == 1)
        offer(pipeline, 2, start=1)
        await until(lambda: pipeline.ledger.captured == 3)
        assert len(writer.stored) == 1

        await pipeline.flush()
        await until(lambda: len(writer.stored) == 3)
        assert len(writer.attempts) == 2


async def test_a_full_batch_waits_for_no_more_points(tmp_path: Path) -> None:
    writer = ScriptedWriter()
    async with running(
        OsFiles(tmp_path / "spool"), writer, delivery=DeliverySettings(gather_seconds=3600)
    ) as pipeline:
        offer(pipeline, 1)
        await until(lambda: len(writer.stored) == 1)
        offer(pipeline, 999, start=1)
        await until(lambda: pipeline.ledger.captured == 1000)
        assert len(writer.stored) == 1
        offer(pipeline, 1, start=1000)
        await until(lambda: len(writer.stored) == 1001)


@pytest.mark.parametrize("gzip", [True, False])
async def test_points_are_compressed_for_the_wire_where_there_is_one(
    tmp_path: Path, *, gzip: bool
) -> None:
    writer = ScriptedWriter()
    async with running(
        OsFiles(tmp_path / "spool"), writer, delivery=DeliverySettings(gzip=gzip)
    ) as pipeline:
        offer(pipeline, 100)
        await until(lambda: len(writer.stored) == 100)

    assert any(writer.gzipped) is gzip


async def test_a_stop_delivers_what_was_offered_a_moment_before(tmp_path: Path) -> None:
    writer = ScriptedWriter()
    async with running(OsFiles(tmp_path / "spool"), writer) as pipeline:
        offer(pipeline, 10)

    assert len(writer.stored) == 10
    await assert_balanced(pipeline, 10)


async def test_a_restart_without_the_database_loses_nothing(tmp_path: Path) -> None:
    switch = Switch()
    switch.up = False
    writer = ScriptedWriter(judge=switch)
    for start in (0, 100, 200):
        async with running(OsFiles(tmp_path / "spool"), writer) as pipeline:
            offer(pipeline, 100, start)
        await assert_balanced(pipeline, start + 100)
    assert writer.stored == []

    switch.up = True
    async with running(OsFiles(tmp_path / "spool"), writer) as pipeline:
        await until(lambda: len(writer.stored) == 300)
        assert len(set(writer.stored)) == 300
        await until(lambda: pipeline.export_state.status is Status.OK)
        await assert_balanced(pipeline, 300)


async def test_a_stop_does_not_wait_for_a_database_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.ha_ingestor.pipeline.pipeline.STOP_SECONDS", 0.1)
    files = OsFiles(tmp_path / "spool")

    class Hanging(ScriptedWriter):
        async def write(self, body: bytes, *, gzipped: bool = False) -> Result:
            await asyncio.sleep(3600)
            return await super().write(body, gzipped=gzipped)

    pipeline = make(files, Hanging())
    pipeline.start()
    offer(pipeline, 5)
    async with asyncio.timeout(30):
        await pipeline.stop()

    assert (await pipeline.snapshot()).pending == 5


async def test_stopping_twice_is_stopping_once(tmp_path: Path) -> None:
    pipeline = make(OsFiles(tmp_path / "spool"), ScriptedWriter())
    pipeline.start()
    offer(pipeline, 1)

    handover = await pipeline.stop()

    assert await pipeline.stop() is handover
    assert handover.ledger.captured == 1


async def test_a_disk_that_cannot_be_written_does_not_stop_delivery() -> None:
    files = MemoryFiles(fault=BrokenDisk())
    writer = ScriptedWriter()
    async with running(files, writer) as pipeline:
        offer(pipeline, 50)
        await until(lambda: len(writer.stored) == 50)
        snapshot = await pipeline.snapshot()
        assert snapshot.spool_error == "Read-only file system"
        assert snapshot.waiting == 0
        await assert_balanced(pipeline, 50)


async def test_points_held_in_memory_go_to_the_disk_as_soon_as_it_takes_them() -> None:
    disk, switch = BrokenDisk(), Switch()
    switch.up = False
    files = MemoryFiles(fault=disk)
    writer = ScriptedWriter(judge=switch)
    async with running(files, writer) as pipeline:
        offer(pipeline, 50)
        await asyncio.sleep(1.2)
        assert (await pipeline.snapshot()).waiting == 50

        disk.broken = False
        await asyncio.sleep(1.2)
        snapshot = await pipeline.snapshot()
        assert snapshot.spool_error == ""
        assert (snapshot.waiting, snapshot.pending) == (0, 50)
        await assert_balanced(pipeline, 50)

    switch.up = True
    async with running(files, writer) as pipeline:
        await until(lambda: len(writer.stored) == 50)
        await pipeline.flush()
        await assert_balanced(pipeline, 50)


async def test_the_age_of_what_waits_is_known_wherever_it_waits() -> None:
    """A state may be days old when it is captured; it does not wait since then."""
    disk, switch = BrokenDisk(), Switch()
    switch.up = False
    old = FakeState(state="1", last_updated_timestamp=NOON - 86_400)
    async with running(MemoryFiles(fault=disk), ScriptedWriter(judge=switch)) as pipeline:

        async def age() -> float:
            found = (await pipeline.snapshot()).oldest_age
            assert found is not None
            return found

        assert (await pipeline.snapshot()).oldest_age is None
        pipeline.receive(change(old, time=0.0))
        assert await age() < 1
        await pipeline.flush()
        await asyncio.sleep(0.5)
        assert (await pipeline.snapshot()).waiting == 1
        assert 0.5 <= await age() < 2
        disk.broken = False
        await pipeline.flush()
        assert (await pipeline.snapshot()).pending == 1
        assert await age() < 3
        switch.up = True
        await pipeline.flush()
        await until(lambda: pipeline.export_state.status is Status.OK)
        assert (await pipeline.snapshot()).oldest_age is None


async def test_memory_is_bounded_by_size_too() -> None:
    switch = Switch()
    switch.up = False
    files = MemoryFiles(fault=BrokenDisk())
    async with running(files, ScriptedWriter(judge=switch)) as pipeline:
        long = FakeState(state="x", attributes={"long": "y" * 30_000})
        for _ in range(1000):
            pipeline.receive(change(long))
        await pipeline.flush()
        snapshot = await pipeline.snapshot()
        assert 400 < snapshot.waiting < 600
        assert snapshot.ledger["lost"] == {"memory_full": 1000 - snapshot.waiting}


async def test_what_exceeds_the_memory_is_counted_as_lost(tmp_path: Path) -> None:
    writer = ScriptedWriter()
    async with running(OsFiles(tmp_path / "spool"), writer) as pipeline:
        await pipeline.flush()
        offer(pipeline, INTAKE_POINTS + 7)
        await until(lambda: len(writer.stored) == INTAKE_POINTS)
        snapshot = await pipeline.snapshot()
        assert snapshot.ledger["lost"] == {"intake_full": 7}
        await assert_balanced(pipeline, INTAKE_POINTS + 7)
        assert 'state="7"' in writer.stored[0]


async def test_filtered_and_captured_make_up_what_was_received(tmp_path: Path) -> None:
    async with running(OsFiles(tmp_path / "spool"), ScriptedWriter()) as pipeline:
        pipeline.intake.received += 3
        pipeline.intake.filtered["own_entity"] += 3
        offer(pipeline, 2)
        await pipeline.flush()
        assert (await pipeline.snapshot()).ledger["received"] == 5

    async with running(OsFiles(tmp_path / "spool"), ScriptedWriter()) as pipeline:
        pipeline.intake.received += 1
        pipeline.intake.filtered["own_entity"] += 1
        await pipeline.flush()
        snapshot = await pipeline.snapshot()
        assert snapshot.ledger["received"] == 6
        assert snapshot.ledger["filtered"] == {"own_entity": 4}


async def test_counts_of_what_is_filtered_at_once_are_stored_though_no_event_follows(
    tmp_path: Path,
) -> None:
    async with running(OsFiles(tmp_path / "spool"), ScriptedWriter()) as pipeline:
        await pipeline.commit()
        for _ in range(5999):
            pipeline.intake.received += 1
            pipeline.count_filtered("excluded")
        await asyncio.sleep(2 * COUNT_SECONDS)
        # What a killed process leaves.
        shutil.copytree(tmp_path / "spool", tmp_path / "left")

    async with running(OsFiles(tmp_path / "left"), ScriptedWriter()) as pipeline:
        ledger = (await pipeline.snapshot()).ledger
    assert (ledger["received"], ledger["filtered"]) == (5999, {"excluded": 5999})


async def test_nothing_runs_while_nothing_happens(tmp_path: Path) -> None:
    jobs = 0

    class Counting(ThreadPoolExecutor):
        def submit[**P, T](
            self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
        ) -> Future[T]:
            nonlocal jobs
            jobs += 1
            return super().submit(fn, *args, **kwargs)

    executor = Counting(1)
    async with running(
        OsFiles(tmp_path / "spool"), ScriptedWriter(), executor=executor
    ) as pipeline:
        offer(pipeline, 1)
        await asyncio.sleep(1.3)
        before, jobs = jobs, 0
        await asyncio.sleep(2.2)
        assert (before > 1, jobs <= 1) == (True, True)


async def test_a_restart_writes_no_restored_state_and_keeps_durations(tmp_path: Path) -> None:
    files, writer = OsFiles(tmp_path / "spool"), ScriptedWriter()
    async with running(files, writer) as pipeline:
        pipeline.receive(change(FakeState(state="on")))
        await until(lambda: len(writer.stored) == 1)
    again = FakeState(
        state="on", last_changed_timestamp=NOON + 60, last_updated_timestamp=NOON + 60
    )
    off = FakeState(state="off", last_changed_timestamp=NOON + 90, last_updated_timestamp=NOON + 90)
    async with running(files, writer) as pipeline:
        pipeline.receive(change(again))
        pipeline.receive(change(off, again))
        await until(lambda: len(writer.stored) == 2)
        assert pipeline.ledger.filtered == {"restart_echo": 1}

    assert "duration_in_state_seconds=90.000000" in writer.stored[1]


async def test_after_a_crash_every_state_is_new(tmp_path: Path) -> None:
    files, writer = OsFiles(tmp_path / "spool"), ScriptedWriter()
    async with running(files, writer) as pipeline:
        pipeline.receive(change(FakeState(state="on")))
        await until(lambda: len(writer.stored) == 1)
    stored = (tmp_path / "spool" / "recollection.json").read_bytes()
    async with running(files, writer) as pipeline:
        pipeline.receive(change(FakeState(state="off", last_updated_timestamp=NOON + 1)))
        await until(lambda: len(writer.stored) == 2)
    (tmp_path / "spool" / "recollection.json").write_bytes(stored)

    async with running(files, writer) as pipeline:
        pipeline.receive(change(FakeState(state="on", last_updated_timestamp=NOON + 2)))
        await until(lambda: len(writer.stored) == 3)


async def test_an_idle_pipeline_wakes_for_a_heartbeat(tmp_path: Path) -> None:
    files, writer = OsFiles(tmp_path / "spool"), ScriptedWriter()
    # Nothing else wakes it: there is no sync to wait for.
    relaxed = SpoolSettings(durability=Durability.RELAXED)
    async with running(
        files, writer, settings=relaxed, delivery=DeliverySettings(gather_seconds=0)
    ) as pipeline:
        beating = entity(rules=Rules(heartbeat=0.5))
        pipeline.receive(change(FakeState(state="21"), of=beating))
        await until(lambda: sum("heartbeat=true" in line for line in writer.stored) > 1)


async def test_what_is_held_back_is_counted_as_waiting_and_delivered_at_the_end(
    tmp_path: Path,
) -> None:
    files, writer = OsFiles(tmp_path / "spool"), ScriptedWriter()
    async with running(files, writer) as pipeline:
        slow = entity(rules=Rules(throttle=3600))
        for number in range(3):
            state = FakeState(state=str(number), last_updated_timestamp=NOON + number)
            pipeline.receive(change(state, of=slow))
        await until(lambda: len(writer.stored) == 1)
        assert (await pipeline.snapshot()).waiting == 1

    assert len(writer.stored) == 2
    assert "value=2.0" in writer.stored[1]
    assert pipeline.ledger.filtered == {"throttled": 1}


@pytest.mark.parametrize(
    ("owner", "name", "lost"),
    [
        (time, "sleep", 150),
        (Encoder, "encode", 50),
        (NoiseFilter, "filter", 50),
        (NoiseFilter, "due", 0),
    ],
)
async def test_events_that_an_error_in_a_commit_drops_are_counted_as_lost(
    owner: Any, name: str, lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = ScriptedWriter()
    pipeline = make(MemoryFiles(), writer)
    real = getattr(owner, name)
    calls = iter(range(1_000_000))

    def fails_once(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == 0:
            raise RuntimeError("a programming error")
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, fails_once)
    offer(pipeline, 200)
    await pipeline.commit()
    monkeypatch.undo()
    offer(pipeline, 10, start=200)
    async with started(pipeline):
        await until(lambda: len(writer.stored) == 210 - lost)
        found = await pipeline.snapshot()

    assert found.ledger["received"] == 210
    assert sum(found.ledger["lost"].values()) == lost
    assert found.ledger["lost"].keys() <= {"internal_error"}
    assert found.ledger["written"] == 210 - lost
    assert found.unbalanced == ""


async def test_a_ledger_that_does_not_add_up_is_told(tmp_path: Path) -> None:
    async with running(OsFiles(tmp_path / "spool"), ScriptedWriter()) as pipeline:
        offer(pipeline, 3)
        assert (await pipeline.snapshot()).unbalanced == ""
        pipeline.intake.received += 1  # an event that nothing accounts for
        assert (await pipeline.snapshot()).unbalanced == (
            "received 4 is not filtered and deduplicated 0 + captured 3 + waiting 0"
        )


class Busy:
    """A spool's thread that is busy with something else until it is told."""

    def __init__(self) -> None:
        self.executor = ThreadPoolExecutor(1)
        self.go_on = threading.Event()
        self.executor.submit(self.go_on.wait, 60)


@pytest.mark.parametrize("action", ["commit", "flush", "snapshot"])
async def test_cancelling_a_caller_while_the_disk_is_busy_loses_no_event(action: str) -> None:
    busy, writer = Busy(), ScriptedWriter()
    pipeline = make(MemoryFiles(), writer, executor=busy.executor)
    pipeline._thread.is_running = True
    offer(pipeline, 40)
    task = asyncio.create_task(getattr(pipeline, action)())
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    busy.go_on.set()

    found = await pipeline.snapshot()
    assert (found.ledger["received"], found.ledger["captured"]) == (40, 40)
    assert found.unbalanced == ""
    busy.executor.shutdown()


async def test_a_stop_while_the_disk_is_busy_loses_nothing() -> None:
    writer = ScriptedWriter()
    for life in range(5):
        busy = Busy()
        pipeline = make(MemoryFiles(), writer, executor=busy.executor)
        pipeline.start()
        offer(pipeline, 20, start=100 * life)
        # The commit is asked for, and waits for its turn.
        await asyncio.sleep(0.3)
        offer(pipeline, 5, start=100 * life + 20)
        stop = asyncio.create_task(pipeline.stop())
        await asyncio.sleep(0.01)
        busy.go_on.set()
        await stop
        assert len(writer.stored) == 25 * (life + 1)
        assert (await pipeline.snapshot()).ledger["written"] == 25


async def test_two_stops_at_once_end_with_the_same_and_a_cancelled_one_ends_too() -> None:
    slow = entity("sensor.slow", rules=Rules(throttle=60.0))
    pipeline = make(MemoryFiles(), ScriptedWriter())
    pipeline.start()
    for number in range(2):
        state = FakeState(state=str(number), last_updated_timestamp=NOON + number)
        pipeline.receive(change(state, of=slow))
    first = asyncio.create_task(pipeline.stop(hand_over=True))
    second = asyncio.create_task(pipeline.stop())
    await asyncio.sleep(0)
    second.cancel()
    handover = await first

    assert handover is await pipeline.stop()
    following = make(MemoryFiles(), writer := ScriptedWriter(), resume=handover)
    following.start()
    await following.stop()
    assert [line for line in writer.stored if 'state="1"' in line]
    found = await following.snapshot()
    assert (found.ledger["received"], found.ledger["captured"], found.waiting) == (2, 2, 0)
    assert found.unbalanced == ""


@pytest.mark.parametrize("wall", [-5.0, 0.0, 4_294_967_295.0, 4_294_967_296.0, 1e12])
async def test_no_clock_keeps_points_from_the_disk(wall: float) -> None:
    clocks = Clocks(wall=lambda: wall)
    async with running(MemoryFiles(), writer := ScriptedWriter(), clocks=clocks) as pipeline:
        offer(pipeline, 30)
        assert await pipeline.commit()
        await until(lambda: len(writer.stored) == 30)


@pytest.mark.parametrize(
    ("full", "kept"),
    [(WhenFull.OLDEST, range(200, 300)), (WhenFull.NEWEST, range(100))],
)
async def test_any_error_of_the_spool_is_told_and_holds_points_within_bounds(
    monkeypatch: pytest.MonkeyPatch, full: WhenFull, kept: range
) -> None:
    monkeypatch.setattr(held, "HELD_POINTS", 100)
    switch = Switch()
    switch.up = False
    writer = ScriptedWriter(judge=switch)
    async with running(MemoryFiles(), writer, settings=SpoolSettings(full=full)) as pipeline:
        await pipeline.commit()
        with monkeypatch.context() as broken:
            broken.setattr(packing, "pack", lambda *_, **__: 1 / 0)
            for start in range(0, 300, 50):
                offer(pipeline, 50, start=start)
                await pipeline.commit()
            found = await pipeline.snapshot()
        assert (found.waiting, found.spool_error) == (100, "ZeroDivisionError")
        assert found.ledger["lost"] == {"memory_full": 200}
        assert await pipeline.commit()
        assert (await pipeline.snapshot()).unbalanced == ""
        switch.up = True
        await pipeline.flush()
        await until(lambda: len(writer.stored) == 100)
        assert [
            f'state="{number}"' in line for number, line in zip(kept, writer.stored, strict=True)
        ] == [True] * 100
