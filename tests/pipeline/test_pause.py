"""The user pauses the export: nothing is sent, nothing is lost, and it outlives the process."""

import asyncio
import errno
import json
import os
from typing import Any

import pytest

from custom_components.ha_ingestor.pipeline.build import build_pipeline
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from custom_components.ha_ingestor.pipeline.export.result import Problem, Result
from custom_components.ha_ingestor.pipeline.export.settings import DeliverySettings
from custom_components.ha_ingestor.pipeline.handover import Handover
from custom_components.ha_ingestor.pipeline.pipeline import Pipeline
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings
from tests.pipeline.memory_files import MemoryFiles
from tests.pipeline.running import REFUSED, until
from tests.pipeline.scripted_writer import ScriptedWriter
from tests.pipeline.state_events import NOON, FakeState, change


def make(files: MemoryFiles, writer: ScriptedWriter, resume: Handover | None = None) -> Pipeline:
    return build_pipeline(
        profile=HomeIQ(dumps=json.dumps),
        files=files,
        writer=writer,
        settings=SpoolSettings(min_free_bytes=0),
        delivery=DeliverySettings(gather_seconds=0.0),
        resume=resume,
    )


def offer(pipeline: Pipeline, first: int, count: int) -> None:
    for number in range(first, first + count):
        state = FakeState(state=str(number), last_updated_timestamp=NOON + number)
        pipeline.receive(change(state))


def status(pipeline: Pipeline) -> Status:
    return pipeline.export_state.status


async def test_nothing_is_sent_while_it_is_paused_and_everything_afterwards() -> None:
    writer = ScriptedWriter()
    pipeline = make(MemoryFiles(), writer)
    pipeline.start()
    offer(pipeline, 0, 1)
    await until(lambda: len(writer.stored) == 1)

    await pipeline.pause()
    offer(pipeline, 1, 20)
    await pipeline.flush()
    await asyncio.sleep(0.1)

    assert len(writer.attempts) == 1
    assert status(pipeline) is Status.PAUSED
    assert pipeline.export_state.connected is None
    assert pipeline.export_state.last_write is not None
    snapshot = await pipeline.snapshot()
    assert (snapshot.pending, snapshot.unbalanced) == (20, "")

    await pipeline.resume()
    await until(lambda: len(writer.stored) == 21)
    await until(lambda: status(pipeline) is Status.OK)
    await pipeline.stop()
    assert len(writer.stored) == 21


async def test_a_pause_outlives_a_reload_and_a_restart() -> None:
    files, writer = MemoryFiles(), ScriptedWriter()
    pipeline = make(files, writer)
    pipeline.start()
    await pipeline.pause()
    offer(pipeline, 0, 5)
    reloaded = make(files, writer, await pipeline.stop(hand_over=True))
    reloaded.start()
    offer(reloaded, 5, 5)
    await until(lambda: status(reloaded) is Status.PAUSED)
    await reloaded.stop()
    restarted = make(files, writer)
    restarted.start()
    await until(lambda: status(restarted) is Status.PAUSED)
    assert not writer.attempts
    assert (await restarted.snapshot()).pending == 10

    await restarted.resume()
    await until(lambda: len(writer.stored) == 10)
    await restarted.stop()
    last = make(files, writer)
    last.start()
    await until(lambda: status(last) is Status.OK)
    await last.stop()


async def test_the_stop_of_home_assistant_sends_nothing_while_it_is_paused() -> None:
    writer = ScriptedWriter()
    pipeline = make(MemoryFiles(), writer)
    pipeline.start()
    await pipeline.pause()
    offer(pipeline, 0, 5)
    await pipeline.stop()
    assert not writer.attempts


async def test_a_pause_waits_for_the_request_under_way() -> None:
    answer = asyncio.Event()

    class Slow(ScriptedWriter):
        async def write(self, body: bytes, *, gzipped: bool = False) -> Result:
            result = await super().write(body, gzipped=gzipped)
            await answer.wait()
            return result

    writer = Slow()
    pipeline = make(MemoryFiles(), writer)
    pipeline.start()
    offer(pipeline, 0, 1)
    await until(lambda: len(writer.attempts) == 1)

    paused = asyncio.create_task(pipeline.pause())
    await asyncio.sleep(0.05)
    assert not paused.done()
    answer.set()
    await paused
    await asyncio.sleep(0.05)

    assert status(pipeline) is Status.PAUSED
    snapshot = await pipeline.snapshot()
    assert (snapshot.ledger["written"], snapshot.pending) == (1, 0)
    await pipeline.stop()


@pytest.mark.parametrize("question", ["check", "retention"])
async def test_a_pause_waits_for_a_question_under_way_and_no_other_is_asked(
    question: str,
) -> None:
    answer, asked = asyncio.Event(), 0
    ask = getattr(ScriptedWriter, question)

    async def slowly(self: ScriptedWriter) -> Any:
        nonlocal asked
        asked += 1
        await answer.wait()
        return await ask(self)

    pipeline = make(MemoryFiles(), type("Slow", (ScriptedWriter,), {question: slowly})())
    pipeline.start()
    await until(lambda: asked == 1)
    paused = asyncio.create_task(pipeline.pause())
    await asyncio.sleep(0.05)
    assert not paused.done()
    answer.set()
    await paused
    await pipeline.flush()
    await asyncio.sleep(0.05)
    assert (asked, status(pipeline)) == (1, Status.PAUSED)
    await pipeline.stop()


@pytest.mark.parametrize("question", ["check", "retention"])
async def test_a_stop_does_not_wait_for_a_question_under_way(question: str) -> None:
    asked = asyncio.Event()

    async def never(_: ScriptedWriter) -> Any:
        asked.set()
        await asyncio.Event().wait()

    writer = type("Silent", (ScriptedWriter,), {question: never})()
    pipeline = make(MemoryFiles(), writer)
    pipeline.start()
    await asked.wait()
    offer(pipeline, 0, 1)
    async with asyncio.timeout(30):
        await pipeline.stop()
    assert len(writer.stored) == 1


async def test_a_database_that_is_away_is_left_alone_while_it_is_paused() -> None:
    writer = ScriptedWriter(judge=lambda _: REFUSED)
    pipeline = make(MemoryFiles(), writer)
    pipeline.start()
    offer(pipeline, 0, 1)
    await until(lambda: status(pipeline) is Status.RETRYING)

    await pipeline.pause()
    await until(lambda: status(pipeline) is Status.PAUSED)
    assert pipeline.export_state.problem is Problem.NONE
    assert pipeline.export_state.next_retry is None
    before = len(writer.attempts)
    await pipeline.flush()
    await asyncio.sleep(0.1)
    assert len(writer.attempts) == before

    await pipeline.resume()
    await until(lambda: status(pipeline) is Status.RETRYING)
    await pipeline.stop()


@pytest.mark.parametrize("operation", ["create", "sync_directory"])
async def test_a_pause_that_the_disk_does_not_take_does_not_begin(operation: str) -> None:
    files, writer = MemoryFiles(), ScriptedWriter()
    pipeline = make(files, writer)
    pipeline.start()
    offer(pipeline, 0, 1)
    await until(lambda: len(writer.stored) == 1)

    def broken(asked: str, name: str) -> None:
        if asked == operation:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), name)

    files.fault = broken
    with pytest.raises(OSError, match="Read-only"):
        await pipeline.pause()
    assert not pipeline.is_paused
    files.fault = lambda *_: None
    offer(pipeline, 1, 1)
    await until(lambda: len(writer.stored) == 2)
    await pipeline.stop()
    restarted = make(files, writer)
    restarted.start()
    await until(lambda: status(restarted) is Status.OK)
    await restarted.stop()


async def test_a_second_pause_that_the_disk_does_not_take_leaves_the_first_one() -> None:
    files, writer = MemoryFiles(), ScriptedWriter()
    pipeline = make(files, writer)
    pipeline.start()
    await pipeline.pause()

    def broken(asked: str, name: str) -> None:
        if asked == "sync_directory":
            raise OSError(errno.EIO, os.strerror(errno.EIO), name)

    files.fault = broken
    with pytest.raises(OSError, match="Input/output"):
        await pipeline.pause()
    files.fault = lambda *_: None
    assert pipeline.is_paused
    await pipeline.stop()
    restarted = make(files, writer)
    restarted.start()
    await until(lambda: status(restarted) is Status.PAUSED)
    await restarted.stop()


async def test_delivery_can_be_resumed_although_the_disk_takes_nothing() -> None:
    files, writer = MemoryFiles(), ScriptedWriter()
    pipeline = make(files, writer)
    pipeline.start()
    offer(pipeline, 0, 3)
    await pipeline.commit()
    await pipeline.pause()

    def broken(asked: str, name: str) -> None:
        if asked == "remove":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), name)

    files.fault = broken
    with pytest.raises(OSError, match="Read-only"):
        await pipeline.resume()
    offer(pipeline, 3, 3)
    await until(lambda: len(writer.stored) >= 6)
    # Also after a reload, as that is known without the disk.
    reloaded = make(files, writer, await pipeline.stop(hand_over=True))
    reloaded.start()
    await until(lambda: status(reloaded) is Status.OK)
    await reloaded.stop()


async def test_the_status_is_known_again_soon_after_it_was_resumed_without_points() -> None:
    pipeline = make(MemoryFiles(), ScriptedWriter())
    pipeline.start()
    await until(lambda: status(pipeline) is Status.OK)
    await pipeline.pause()
    await pipeline.resume()
    assert status(pipeline) is not Status.PAUSED
    await until(lambda: status(pipeline) is Status.OK)
    await pipeline.stop()
