"""A stop or a reload cancels no request, and sends nothing twice."""

import asyncio
from decimal import Decimal

import pytest
from homeassistant.helpers.json import json_dumps

from custom_components.ha_ingestor.pipeline.build import build_pipeline
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.export.result import Result
from custom_components.ha_ingestor.pipeline.export.settings import DeliverySettings
from custom_components.ha_ingestor.pipeline.pipeline import Pipeline
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings

from .memory_files import MemoryFiles
from .scripted_writer import OK, UNAVAILABLE, ScriptedWriter
from .state_events import NOON, FakeState, change


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
            delivery=DeliverySettings(gather_seconds=0),
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


def _pipeline(files: MemoryFiles, writer: ScriptedWriter) -> Pipeline:
    return build_pipeline(
        profile=HomeIQ(dumps=json_dumps),
        files=files,
        writer=writer,
        settings=SpoolSettings(),
        delivery=DeliverySettings(gather_seconds=0),
    )


async def _attempts(writer: ScriptedWriter, count: int) -> None:
    async with asyncio.timeout(5):
        while len(writer.attempts) < count:
            await asyncio.sleep(0.01)


async def test_a_programming_error_in_the_last_delivery_does_not_keep_the_files() -> None:
    files, writer = MemoryFiles(), ScriptedWriter(judge=lambda _: UNAVAILABLE)
    first = _pipeline(files, writer)
    first.start()
    first.receive(change(FakeState(state="1")))
    await first.flush()
    await _attempts(writer, 1)
    writer.script = [RuntimeError("not expected")] * 9

    await first.stop(hand_over=True)

    writer.script, writer.judge = [], lambda _: OK
    second = _pipeline(files, writer)
    second.start()
    await second.flush()
    await second.stop()
    found = await second.snapshot()
    assert (found.is_open, found.pending, found.ledger["written"]) == (True, 0, 1)


async def test_states_that_cannot_be_kept_for_the_next_start_do_not_keep_the_files() -> None:
    files, writer = MemoryFiles(), ScriptedWriter()
    first = _pipeline(files, writer)
    first.start()
    noon = Decimal(int(NOON))  # no time that can be added to others
    odd = FakeState(state="1", last_changed_timestamp=noon, last_updated_timestamp=noon)  # type: ignore[arg-type]
    first.receive(change(odd))
    await first.flush()

    await first.stop()

    second = _pipeline(files, writer)
    second.start()
    second.receive(change(FakeState(state="2")))
    await second.flush()
    await second.stop()
    found = await second.snapshot()
    assert (found.is_open, found.ledger["written"], found.unbalanced) == (True, 2, "")


class Unclosable(MemoryFiles):
    """Files that cannot be brought to the disk, for a reason that nobody expected."""

    is_broken = False

    def sync(self, fd: int) -> None:
        if self.is_broken:
            raise ValueError("not expected")
        super().sync(fd)


async def test_a_programming_error_while_the_files_are_closed_costs_no_point() -> None:
    files, writer = Unclosable(), ScriptedWriter(judge=lambda _: UNAVAILABLE)
    first = _pipeline(files, writer)
    first.start()
    first.receive(change(FakeState(state="1")))
    await first.commit()
    files.is_broken = True

    await first.stop(hand_over=True)

    files.is_broken, writer.judge = False, lambda _: OK
    second = _pipeline(files, writer)
    second.start()
    await second.flush()
    await second.stop()
    found = await second.snapshot()
    assert (found.is_open, found.pending, found.ledger["written"]) == (True, 0, 1)


class CancellingWriter(ScriptedWriter):
    """A library that passes on that a task of its own was cancelled, so many times."""

    times: dict[str, int]

    def _cancel(self, question: str) -> None:
        if self.times.get(question):
            self.times[question] -= 1
            raise asyncio.CancelledError

    async def write(self, body: bytes, *, gzipped: bool = False) -> Result:
        self._cancel("write")
        return await super().write(body, gzipped=gzipped)

    async def check(self) -> Result:
        self._cancel("check")
        return await super().check()

    async def retention(self) -> float | None:
        self._cancel("retention")
        return await super().retention()


@pytest.mark.parametrize("question", ["write", "check", "retention"])
async def test_a_cancellation_that_is_not_of_the_export_does_not_end_it(question: str) -> None:
    writer, files = CancellingWriter(), MemoryFiles()
    writer.times = {question: 1}
    pipeline = _pipeline(files, writer)
    pipeline.start()
    async with asyncio.timeout(5):
        for number in range(3):
            pipeline.receive(change(FakeState(state=str(number))))
            while len(writer.stored) <= number:
                await asyncio.sleep(0.01)
                await pipeline.flush()
    await pipeline.stop()
    assert pipeline.ledger.written == len(writer.stored) == 3


async def test_a_cancellation_that_is_not_of_the_stop_does_not_end_it() -> None:
    writer, files = CancellingWriter(), MemoryFiles()
    writer.times = {"write": 100}
    pipeline = _pipeline(files, writer)
    pipeline.start()
    pipeline.receive(change(FakeState(state="1")))
    await pipeline.commit()
    handover = await pipeline.stop(hand_over=True)
    assert writer.times["write"] < 100
    assert (handover.position, files.descriptors) == ((0, 1), 0)
