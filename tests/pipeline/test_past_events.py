"""Events of the past are counted as all others, and what was captured is known after a kill."""

import errno
import json
from collections import Counter
from copy import deepcopy
from random import Random

import pytest

from custom_components.ha_ingestor.pipeline.build import build_pipeline
from custom_components.ha_ingestor.pipeline.clock import Clocks
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.export.settings import DeliverySettings
from custom_components.ha_ingestor.pipeline.model import Instance, StateEvent
from custom_components.ha_ingestor.pipeline.pipeline import Pipeline
from custom_components.ha_ingestor.pipeline.spool.captured_until import CapturedUntil
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings
from tests.pipeline.memory_files import MemoryFiles
from tests.pipeline.scripted_writer import UNAVAILABLE, ScriptedWriter
from tests.pipeline.state_events import NOON, FakeState, change, entity

FILE = "captured-until"


def make(
    files: MemoryFiles, writer: ScriptedWriter | None = None, *, clocks: Clocks | None = None
) -> Pipeline:
    return build_pipeline(
        profile=HomeIQ(dumps=json.dumps),
        files=files,
        writer=writer or ScriptedWriter(),
        settings=SpoolSettings(min_free_bytes=0),
        delivery=DeliverySettings(gather_seconds=0.0),
        clocks=clocks or Clocks(),
    )


def event(number: int, instance: Instance | None = None) -> StateEvent:
    moment = NOON + number
    state = FakeState(
        state=str(number), last_changed_timestamp=moment, last_updated_timestamp=moment
    )
    of = entity(instance=instance) if instance else entity()
    return change(state, of=of, time=moment)


async def recover(
    pipeline: Pipeline, state_events: list[StateEvent], filtered: Counter[str]
) -> int:
    past = pipeline.past_events.begin(is_gap=True)
    return await pipeline.past_events.store(past, state_events, filtered)


def stored(files: MemoryFiles) -> float:
    return float(files.read(FILE, 0, 99).split()[0])


async def test_events_of_the_past_are_stored_and_counted() -> None:
    writer = ScriptedWriter()
    pipeline = make(MemoryFiles(), writer)
    pipeline.start()
    pipeline.receive(event(500))
    points = await recover(pipeline, [event(number) for number in range(120)], Counter(excluded=3))
    snapshot = await pipeline.snapshot()
    await pipeline.stop()
    assert points == 120
    ledger = snapshot.ledger
    assert (ledger["received"], ledger["captured"], ledger["recovered"]) == (124, 121, 120)
    assert ledger["filtered"] == {"excluded": 3}
    assert snapshot.unbalanced == ""
    assert len(writer.stored) == 121
    assert 0 <= pipeline.past_events.spool_fill < 1


@pytest.mark.parametrize(("is_elsewhere", "here"), [(False, 60), (True, 0)])
async def test_events_of_the_past_are_in_the_rates_of_the_home_that_they_are_of(
    *, is_elsewhere: bool, here: int
) -> None:
    now = [1000.0]
    pipeline = make(MemoryFiles(), clocks=Clocks(monotonic=lambda: now[0]))
    pipeline.start()
    past = pipeline.past_events.begin(is_gap=True, is_elsewhere=is_elsewhere)
    await pipeline.past_events.store(past, [event(1), event(2)], Counter(excluded=3))
    now[0] += 5
    performance = (await pipeline.snapshot()).performance
    await pipeline.stop()
    assert performance.received_per_minute == 60
    assert performance.received_here_per_minute == here
    assert performance.captured_per_minute == 24


async def test_the_counts_of_recovered_points_outlive_the_process() -> None:
    files = MemoryFiles()
    pipeline = make(files)
    pipeline.start()
    await recover(pipeline, [event(1)], Counter())
    await pipeline.stop()
    pipeline = make(files)
    pipeline.start()
    snapshot = await pipeline.snapshot()
    await pipeline.stop()
    assert snapshot.ledger["recovered"] == 1


async def test_a_stopped_pipeline_and_a_disk_that_fails_take_no_past() -> None:
    files = MemoryFiles()
    pipeline = make(files)
    pipeline.start()
    await pipeline.commit()

    def broken(operation: str, _name: str) -> None:
        if operation in {"write", "create"}:
            raise OSError(errno.EIO, "Input/output error")

    files.fault = broken
    pipeline.receive(event(1))
    with pytest.raises(OSError, match="Input/output error"):
        await recover(pipeline, [event(2)], Counter())
    files.fault = lambda _operation, _name: None
    await pipeline.stop()
    with pytest.raises(OSError, match="not loaded"):
        await recover(pipeline, [event(2)], Counter())
    assert pipeline.ledger.received == 1


async def test_each_commit_tells_up_to_when_this_home_was_captured() -> None:
    files = MemoryFiles()
    pipeline = make(files)
    pipeline.start()
    assert await pipeline.past_events.load_captured_until() is None
    pipeline.receive(event(1))
    pipeline.receive(event(2))
    # Another home has a clock of its own, and a state that was there has no time.
    pipeline.receive(event(9, Instance(name="cabin")))
    pipeline.receive(event(7)._replace(time=0.0))
    await pipeline.commit()
    assert stored(files) == NOON + 2
    # Nothing is closed or written at the end of a process that is killed.
    assert CapturedUntil(files=files).load(2) == NOON + 2
    await recover(pipeline, [event(5)], Counter())
    await pipeline.stop()
    assert stored(files) == NOON + 2


async def test_until_a_gap_is_stored_the_moment_before_it_stays() -> None:
    files = MemoryFiles()
    pipeline = make(files)
    pipeline.start()
    pipeline.receive(event(1))
    await pipeline.stop()
    pipeline = make(files)
    pipeline.past_events.captured_until.hold()
    pipeline.start()
    pipeline.receive(event(3))
    await pipeline.commit()
    assert stored(files) == NOON + 1
    pipeline.past_events.captured_until.release(NOON + 2)
    await pipeline.commit()
    assert stored(files) == NOON + 3
    await pipeline.stop()


async def test_without_an_event_it_is_the_moment_of_the_start() -> None:
    files = MemoryFiles()
    pipeline = make(files)
    pipeline.past_events.captured_until.hold()
    pipeline.start()
    pipeline.past_events.captured_until.release(NOON)
    await pipeline.commit()
    assert stored(files) == NOON
    await pipeline.stop()


async def test_after_a_power_cut_it_is_not_newer_than_the_points() -> None:
    """Two points are on the disk for certain, and some of three more."""
    left = Counter[int]()
    for seed in range(60):
        files, now = MemoryFiles(), 0.0
        down = ScriptedWriter(judge=lambda _: UNAVAILABLE)
        pipeline = make(files, down, clocks=Clocks(monotonic=lambda: now))  # noqa: B023
        pipeline.start()
        for number in range(1, 6):
            pipeline.receive(event(number))
            await pipeline.commit()
            if number == 2:
                now += 6.0  # more than points wait for the disk
                await pipeline.commit()
        assert stored(files) == NOON + 5
        left_files = deepcopy(files)
        left_files.cut_power(Random(seed))
        later = make(left_files, down)
        later.start()
        moment = await later.past_events.load_captured_until()
        points = (await later.snapshot()).pending
        left[points] += 1
        assert moment is not None
        assert moment <= NOON + points, seed
        # What is read twice is little.
        assert moment >= NOON + 1
        await later.stop()
        await pipeline.stop()
    assert set(left) > {2, 5}


async def test_what_was_stored_by_an_earlier_version_is_known() -> None:
    files = MemoryFiles()
    fd = files.create(FILE)
    files.write(fd, repr(NOON + 0.5).ljust(24).encode(), 0)
    files.close(fd)
    assert CapturedUntil(files=files).load(0) == NOON + 0.5


async def test_a_clock_that_is_not_set_tells_nothing() -> None:
    files = MemoryFiles()
    pipeline = make(files)
    pipeline.start()
    pipeline.receive(event(1))
    pipeline.receive(event(0)._replace(time=5.0))
    await pipeline.commit()
    assert FILE not in files.names()
    await pipeline.stop()


@pytest.mark.parametrize("content", [b"", b"soon", b"5.0", b"nan"])
def test_a_captured_until_file_with_other_content_is_ignored(content: bytes) -> None:
    files = MemoryFiles()
    fd = files.create(FILE)
    files.write(fd, content, 0)
    files.close(fd)
    assert CapturedUntil(files=files).load(0) is None


async def test_a_file_that_cannot_be_written_costs_nothing_else() -> None:
    files = MemoryFiles()

    def broken(operation: str, name: str) -> None:
        if name == FILE and operation == "write":
            raise OSError(errno.EIO, "Input/output error")

    files.fault = broken
    pipeline = make(files)
    pipeline.start()
    pipeline.receive(event(1))
    assert await pipeline.commit()
    files.fault = lambda _operation, _name: None
    pipeline.receive(event(2))
    await pipeline.commit()
    assert stored(files) == NOON + 2
    await pipeline.stop()
