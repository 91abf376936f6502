"""No point older than the retention is sent, and the usual points are not looked at for it."""

import errno
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_components.ha_ingestor.pipeline.clock import Clocks
from custom_components.ha_ingestor.pipeline.encode.encoder import LATER, Encoder
from custom_components.ha_ingestor.pipeline.encode.profiles.core import Core
from custom_components.ha_ingestor.pipeline.export import expiry, request
from custom_components.ha_ingestor.pipeline.export.settings import DeliverySettings
from custom_components.ha_ingestor.pipeline.ledger import Ledger
from custom_components.ha_ingestor.pipeline.model import OwnPoint
from custom_components.ha_ingestor.pipeline.pipeline import Pipeline
from custom_components.ha_ingestor.pipeline.spool.buffer import Buffer
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings
from custom_components.ha_ingestor.pipeline.spool.spool import Spool

from .memory_files import MemoryFiles
from .running import Switch, make, running, until
from .scripted_writer import ScriptedWriter
from .state_events import NOON, FakeState, change, entity

DAY = 86_400.0
WEEK = 7 * DAY


def keeps_a_week(switch: Switch | None = None) -> ScriptedWriter:
    """A database that tells its retention, and stores whatever it gets."""
    writer = ScriptedWriter(retention_seconds=WEEK)
    if switch:
        writer.judge = switch
    return writer


def at(age: float, number: int = 0) -> Any:
    """A change of so many seconds ago."""
    time = NOON - age
    state = FakeState(state=str(number), last_changed_timestamp=time, last_updated_timestamp=time)
    return change(state, of=entity(f"sensor.n{number}"), time=time)


def started_at_noon(files: MemoryFiles, writer: ScriptedWriter, **more: Any) -> Any:
    return running(
        files,
        writer,
        clocks=Clocks(wall=lambda: NOON),
        delivery=DeliverySettings(gather_seconds=0.0),
        **more,
    )


async def settled(pipeline: Pipeline, points: int) -> None:
    await pipeline.flush()
    await until(lambda: pipeline.ledger.written + pipeline.ledger.quarantined == points)


@pytest.fixture(name="looks")
def _looks(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The lines of which a request read the time."""
    seen: list[bytes] = []
    read: Callable[[bytes], int | None] = expiry.time_of

    def look(line: bytes) -> int | None:
        seen.append(line)
        return read(line)

    monkeypatch.setattr(request, "time_of", look)
    return seen


async def test_no_line_is_looked_at_while_everything_is_young(looks: list[bytes]) -> None:
    writer = keeps_a_week()
    async with started_at_noon(MemoryFiles(), writer) as pipeline:
        pipeline.receive(at(0))
        await settled(pipeline, 1)
        looks.clear()
        for number in range(3000):
            pipeline.receive(at(DAY, number % 50))
        await settled(pipeline, 3001)
        assert looks == []
        assert len(writer.stored) == 3001


async def test_an_old_point_among_young_ones_is_put_aside_and_no_other_one() -> None:
    writer = keeps_a_week()
    async with started_at_noon(MemoryFiles(), writer) as pipeline:
        pipeline.receive(at(0))
        await settled(pipeline, 1)
        for number in range(1, 400):
            pipeline.receive(at(30 * DAY if number == 200 else 1, number))
        await settled(pipeline, 400)
        (record,) = await pipeline.quarantine.records()
        assert "n200" in record["line"]
        assert not any("n200" in line for line in writer.stored)


async def test_after_an_old_point_was_put_aside_no_line_is_looked_at(looks: list[bytes]) -> None:
    async with started_at_noon(MemoryFiles(), keeps_a_week()) as pipeline:
        pipeline.receive(at(30 * DAY))
        await settled(pipeline, 1)
        looks.clear()
        pipeline.receive(at(0, 1))
        await settled(pipeline, 2)
        assert looks == []
        assert pipeline.ledger.quarantined == 1


async def test_a_point_that_a_user_writes_may_be_of_any_time() -> None:
    async with started_at_noon(MemoryFiles(), keeps_a_week()) as pipeline:
        pipeline.receive(at(0))
        await settled(pipeline, 1)
        old = OwnPoint("m", f"m v=1 {int(NOON - 8 * DAY)}000000000")
        assert await pipeline.write_points([old, OwnPoint("m", f"m v=2 {int(NOON)}000000000")])
        await settled(pipeline, 3)
        (record,) = await pipeline.quarantine.records()
        assert record["line"] == old.line


async def test_points_of_an_earlier_process_are_looked_at() -> None:
    files, switch = MemoryFiles(), Switch()
    switch.up = False
    async with started_at_noon(files, keeps_a_week(switch)) as pipeline:
        pipeline.receive(at(8 * DAY))
        pipeline.receive(at(0, 1))
        await pipeline.commit()
    writer = keeps_a_week()
    async with started_at_noon(files, writer) as pipeline:
        pipeline.receive(at(0, 2))
        await settled(pipeline, 3)
        assert pipeline.ledger.quarantined == 1
        assert len(writer.stored) == 2


async def test_points_that_became_too_old_while_the_database_was_away_are_put_aside() -> None:
    now, switch, writer = [NOON, 0.0], Switch(), keeps_a_week()
    writer.judge = switch
    pipeline = make(
        MemoryFiles(),
        writer,
        clocks=Clocks(wall=lambda: now[0], monotonic=lambda: now[1]),
        delivery=DeliverySettings(gather_seconds=0.0),
    )
    pipeline.start()
    pipeline.receive(at(0))
    await settled(pipeline, 1)
    switch.up = False
    pipeline.receive(at(0, 1))
    await pipeline.flush()
    await until(lambda: len(writer.attempts) > 1)
    now[:] = [NOON + 8 * DAY, 8 * DAY]
    pipeline.receive(at(-8 * DAY, 2))
    await pipeline.commit()
    switch.up = True
    await settled(pipeline, 3)
    await pipeline.stop()
    assert pipeline.ledger.quarantined == 1
    assert ["n1" in line for line in writer.stored] == [False, False]


async def test_points_from_before_the_clock_was_set_are_put_aside_once_it_is() -> None:
    now, writer = [NOON, 0.0], keeps_a_week()
    clocks = Clocks(wall=lambda: now[0], monotonic=lambda: now[1])
    async with running(
        MemoryFiles(), writer, clocks=clocks, delivery=DeliverySettings(gather_seconds=0.0)
    ) as pipeline:
        pipeline.receive(at(0))
        await settled(pipeline, 1)
        pipeline.receive(at(NOON - 100, 1))  # the clock says 1970 for a moment
        pipeline.receive(at(0, 2))
        await settled(pipeline, 3)
        (record,) = await pipeline.quarantine.records()
        assert "n1" in record["line"]


def time_of(line: str) -> int:
    return int(line.rpartition(" ")[2])


@given(ages=st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=20))
@settings(deadline=None)
def test_no_line_of_the_encoder_is_older_than_it_says(ages: list[int]) -> None:
    encoded = Encoder(profile=Core()).encode([at(age / 1000, age % 3) for age in ages])
    assert encoded.oldest * 1000 <= min(map(time_of, encoded.lines))


class Home:
    """A buffer on a disk that may fail."""

    def __init__(self) -> None:
        self.fails = False
        self.files = MemoryFiles(fault=self.fault)
        self.start([])

    def fault(self, operation: str, _name: str) -> None:
        if self.fails and operation in {"write", "create"}:
            raise OSError(errno.EIO, "Input/output error")

    def start(self, held: list[str]) -> None:
        settings = SpoolSettings(segment_bytes=99)
        self.spool = Spool(self.files, Ledger(), lambda: 0.0, lambda: NOON, settings)
        self.spool.ledger.held = len(held)
        self.buffer = Buffer(self.spool, self.spool.ledger, held)
        self.buffer.commit([])

    def commit(self, moments: list[int]) -> None:
        lines = [f"m v=1 {moment}000" for moment in moments]
        self.buffer.commit(lines, min(moments, default=LATER))

    def deliver(self, points: int) -> None:
        if batch := self.buffer.read(points, 1 << 20):
            self.buffer.settle(batch, "written")

    def requeue(self, moment: int) -> None:
        with suppress(OSError):
            self.buffer.requeue([f"m v=1 {moment}000"])

    def evict(self, _: None) -> None:
        self.spool.eviction.evict_oldest()

    def break_disk(self, fails: bool) -> None:  # noqa: FBT001
        self.fails = fails

    def restart(self, hand_over: bool) -> None:  # noqa: FBT001
        if not self.fails:
            self.start(self.buffer.close(hand_over=hand_over))

    @property
    def waiting(self) -> list[str]:
        batch = self.spool.read(10_000, 1 << 30) if self.spool.is_open else None
        on_disk = batch.payload.decode().split("\n") if batch else []
        return [*on_disk, *self.buffer._held._lines]


MOMENTS = st.integers(1, 1000)
STEPS: dict[Callable[..., None], st.SearchStrategy[Any]] = {
    Home.commit: st.lists(MOMENTS, max_size=5),
    Home.deliver: st.integers(1, 8),
    Home.requeue: MOMENTS,
    Home.evict: st.none(),
    Home.break_disk: st.booleans(),
    Home.restart: st.booleans(),
}
ANY_STEP = st.sampled_from(list(STEPS)).flatmap(lambda step: st.tuples(st.just(step), STEPS[step]))


@given(steps=st.lists(ANY_STEP, max_size=40))
@settings(deadline=None, max_examples=300)
def test_no_waiting_point_is_older_than_the_buffer_says(
    steps: list[tuple[Callable[..., None], Any]],
) -> None:
    home = Home()
    for step, value in steps:
        step(home, value)
        assert all(home.buffer.oldest * 1000 <= time_of(line) for line in home.waiting)
