"""What a pipeline measures of itself: how long each stage takes, how it goes, what it costs."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from homeassistant.helpers.json import json_dumps

from custom_components.ha_ingestor.clients.exchange import Failure
from custom_components.ha_ingestor.clients.influx.outcome import Outcome
from custom_components.ha_ingestor.pipeline.build import build_pipeline
from custom_components.ha_ingestor.pipeline.clock import Clocks
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from custom_components.ha_ingestor.pipeline.export.settings import DeliverySettings
from custom_components.ha_ingestor.pipeline.files import OsFiles
from custom_components.ha_ingestor.pipeline.handover import Handover
from custom_components.ha_ingestor.pipeline.histogram import Histogram
from custom_components.ha_ingestor.pipeline.pipeline import Pipeline
from custom_components.ha_ingestor.pipeline.rate import Rate
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings

from .running import Switch, make, offer, running, started, until
from .scripted_writer import ScriptedWriter

REFUSED = Outcome(failure=Failure.UNREACHABLE, detail="connection refused")
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Time:
    """A clock that stands still until it is moved; it begins shortly after noon."""

    def __init__(self) -> None:
        # Frames know whole seconds only.
        self.now = 1000.5

    def __call__(self) -> float:
        return self.now

    def wall(self) -> float:
        return NOON.timestamp() + self.now - 1000.0


def timed(
    directory: Path, writer: ScriptedWriter, clock: Time, resume: Handover | None = None
) -> Pipeline:
    clocks = Clocks(monotonic=clock, wall=clock.wall)
    return make(
        OsFiles(directory),
        writer,
        clocks=clocks,
        delivery=DeliverySettings(gather_seconds=0.0),
        resume=resume,
    )


async def delivered(pipeline: Pipeline, points: int) -> None:
    await until(lambda: pipeline.ledger.written == points)


def test_a_duration_is_counted_in_the_first_bucket_that_it_fits_in() -> None:
    histogram = Histogram()
    for seconds in (0.0, 0.0005, 0.00051, 5.0, 86_400.0, 86_400.1, -3.0):
        histogram.observe(seconds)
    found = histogram.copy()
    assert found.counts == (3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1)
    assert found.count == 7
    assert found.seconds == pytest.approx(172_805.10101)


def test_a_rate_is_of_the_last_whole_minute() -> None:
    clock = Time()
    rate = Rate(clock)
    rate.add(10)
    assert rate.per_minute() is None
    clock.now += 5
    assert rate.per_minute() == 120  # ten in five seconds
    clock.now += 5
    rate.add(1000)  # its slot is not over
    assert rate.per_minute() == 60
    clock.now += 50
    assert rate.per_minute() == 1010
    clock.now += 5
    assert rate.per_minute() == 1000
    clock.now += 10
    assert rate.per_minute() == 0
    rate.add(7)
    clock.now += 3600
    assert rate.per_minute() == 0


def test_a_rate_over_five_minutes_is_told_by_the_minute() -> None:
    clock = Time()
    rate = Rate(clock)
    rate.add(300)
    clock.now += 120
    assert (rate.per_minute(5), rate.per_minute()) == (150, 0)
    rate.add(30)
    clock.now += 180
    assert rate.per_minute(5) == 66
    clock.now += 5
    assert rate.per_minute(5) == 6
    clock.now += 3600
    assert rate.per_minute(5) == 0


async def test_the_rates_go_on_over_a_reload(tmp_path: Path) -> None:
    clock = Time()
    before = timed(tmp_path / "spool", ScriptedWriter(), clock)
    before.start()
    offer(before, 30)
    await delivered(before, 30)
    handover = await before.stop(hand_over=True)
    clock.now += 60
    async with started(
        timed(tmp_path / "spool", ScriptedWriter(), clock, resume=handover)
    ) as after:
        told = await after.snapshot()
        assert told.points_per_minute == 30
        # The panel shows them beside each other, so all are of the same minute.
        performance = told.performance
        assert performance.written_per_minute == 30
        assert performance.captured_per_minute == 30
        assert performance.received_per_minute == 30
        assert performance.received_here_per_minute == 30


async def test_the_time_from_the_event_to_the_acknowledgement_is_of_the_oldest_point(
    tmp_path: Path,
) -> None:
    clock, switch = Time(), Switch()
    writer = ScriptedWriter(judge=switch)
    async with started(timed(tmp_path / "spool", writer, clock)) as pipeline:
        await until(lambda: pipeline.export_state.status is Status.OK)
        switch.up = False
        offer(pipeline, 1)
        await pipeline.commit()
        await until(lambda: pipeline.export_state.status is Status.RETRYING)
        clock.now += 20  # a later commit does not make the first point younger
        offer(pipeline, 1, start=1)
        await pipeline.commit()
        clock.now += 7
        switch.up = True
        await pipeline.flush()
        await delivered(pipeline, 2)
        performance = (await pipeline.snapshot()).performance
    whole = performance.captured_to_acknowledged
    assert (whole.count, whole.seconds) == (1, 27.0)
    assert performance.captured_to_committed.count == 2
    assert performance.captured_to_committed.seconds == 0.0


async def test_points_of_an_earlier_process_are_timed_by_their_frames(tmp_path: Path) -> None:
    clock, switch = Time(), Switch()
    switch.up = False
    writer = ScriptedWriter(judge=switch)
    async with started(timed(tmp_path / "spool", writer, clock)) as earlier:
        offer(earlier, 1)
        await earlier.commit()
    clock.now += 100
    switch.up = True
    async with started(timed(tmp_path / "spool", writer, clock)) as pipeline:
        await until(lambda: len(writer.stored) == 1)
        performance = (await pipeline.snapshot()).performance
    whole = performance.captured_to_acknowledged
    assert whole.count == 1
    assert whole.seconds == pytest.approx(100, abs=1)


async def test_an_event_that_waits_for_its_commit_is_timed(tmp_path: Path) -> None:
    clock = Time()
    async with started(timed(tmp_path / "spool", ScriptedWriter(), clock)) as pipeline:
        await pipeline.commit()
        offer(pipeline, 1)
        clock.now += 0.2
        await pipeline.commit()
        performance = (await pipeline.snapshot()).performance
    waited = performance.captured_to_committed
    assert waited.count == 1
    assert waited.seconds == pytest.approx(0.2)


async def test_requests_are_counted_by_their_result_and_failures_by_their_problem(
    tmp_path: Path,
) -> None:
    switch = Switch()
    writer = ScriptedWriter(judge=switch)
    async with running(OsFiles(tmp_path / "spool"), writer) as pipeline:
        await until(lambda: pipeline.export_state.status is Status.OK)
        before = (await pipeline.snapshot()).performance
        assert before.requests == {"accepted": 1}  # the check before the first point
        assert (before.failures, before.last_failure) == ({}, None)
        switch.up = False
        offer(pipeline, 1)
        await until(lambda: pipeline.export_state.status is Status.RETRYING)
        after = (await pipeline.snapshot()).performance
        assert after.requests == {"accepted": 1, "kept": 1}
        assert after.failures == {"unreachable": 1}
        assert after.last_failure
        assert before.last_success
        assert after.last_failure > before.last_success == after.last_success
        assert after.request.count == 2
        assert after.sent_bytes > 100


async def test_a_rate_counts_what_was_received_captured_and_written(tmp_path: Path) -> None:
    clock = Time()
    async with started(timed(tmp_path / "spool", ScriptedWriter(), clock)) as pipeline:
        offer(pipeline, 30)
        await pipeline.commit()
        await delivered(pipeline, 30)
        clock.now += 5
        performance = (await pipeline.snapshot()).performance
        assert performance.received_per_minute == 360
        assert performance.captured_per_minute == 360
        assert performance.written_per_minute == 360
        assert performance.last_received
        assert datetime.now(UTC) - performance.last_received < timedelta(seconds=60)
        assert performance.uptime == 5.0


async def test_the_rate_of_this_home_is_without_what_other_sources_sent(tmp_path: Path) -> None:
    clock = Time()
    async with started(timed(tmp_path / "spool", ScriptedWriter(), clock)) as pipeline:
        pipeline.intake.receive_elsewhere(20)
        pipeline.count_filtered("excluded", 20)
        offer(pipeline, 10)
        await pipeline.commit()
        # What is counted once is not counted again by the next commit.
        offer(pipeline, 10, start=10)
        await pipeline.commit()
        clock.now += 5
        performance = (await pipeline.snapshot()).performance
        assert performance.received_per_minute == 40 * 12
        assert performance.received_here_per_minute == 20 * 12
        assert performance.captured_per_minute == 20 * 12


async def test_what_an_earlier_process_captured_is_in_no_rate(tmp_path: Path) -> None:
    clock, switch = Time(), Switch()
    switch.up = False
    nobody = ScriptedWriter(judge=switch)
    async with started(timed(tmp_path / "spool", nobody, clock)) as pipeline:
        offer(pipeline, 30)
        await pipeline.commit()
    async with started(timed(tmp_path / "spool", nobody, clock)) as pipeline:
        offer(pipeline, 5, start=30)
        await pipeline.commit()
        clock.now += 5
        snapshot = await pipeline.snapshot()
        assert snapshot.pending == 35
        assert snapshot.performance.captured_per_minute == 60


async def test_the_processor_time_of_the_thread_grows_with_its_work(tmp_path: Path) -> None:
    async with running(OsFiles(tmp_path / "spool"), ScriptedWriter()) as pipeline:
        before = (await pipeline.snapshot()).performance
        for start in range(0, 5000, 500):
            offer(pipeline, 500, start=start)
            await pipeline.commit()
        after = (await pipeline.snapshot()).performance
        # Less than a microsecond for each point is not possible.
        assert after.thread_seconds > before.thread_seconds + 0.005
        assert after.commit.count >= 10
        assert after.commit.seconds > 0.005


async def test_what_is_written_to_the_disk_is_counted_byte_by_byte(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    switch = Switch()
    switch.up = False
    pipeline = build_pipeline(
        profile=HomeIQ(dumps=json_dumps),
        files=OsFiles(spool),
        writer=ScriptedWriter(judge=switch),
        settings=SpoolSettings(),
    )
    async with started(pipeline):
        await pipeline.commit()
        before = (await pipeline.snapshot()).performance.disk_bytes
        offer(pipeline, 100)
        await pipeline.commit()
        written = (await pipeline.snapshot()).performance.disk_bytes - before
        stored = sum(each.stat().st_size for each in spool.glob("*.seg"))
        # The cursor is written beside it.
        assert stored < written < stored + 20_000


async def test_points_that_the_disk_refuses_are_counted_in_memory(tmp_path: Path) -> None:
    blocked = tmp_path / "spool"
    blocked.write_text("a file where the directory should be")
    switch = Switch()
    switch.up = False
    async with running(OsFiles(blocked), ScriptedWriter(judge=switch)) as pipeline:
        offer(pipeline, 10)
        await pipeline.commit()
        held = (await pipeline.snapshot()).performance.queue_bytes
        assert 10 * 100 < held < 10 * 1000
        blocked.unlink()
        await asyncio.sleep(0)
        await pipeline.commit()
        assert (await pipeline.snapshot()).performance.queue_bytes < held
