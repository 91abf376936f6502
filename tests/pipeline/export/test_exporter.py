"""The exporter passes nothing over, and settles each point by what was said of it alone."""

import asyncio
from hashlib import sha512

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_components.ha_ingestor.clients.exchange import Failure
from custom_components.ha_ingestor.clients.influx.outcome import Outcome
from custom_components.ha_ingestor.pipeline.export.attempts import BLOCKED_RETRY
from custom_components.ha_ingestor.pipeline.export.backoff import MAXIMUM, backoff
from custom_components.ha_ingestor.pipeline.export.breaker import BreakerState
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from custom_components.ha_ingestor.pipeline.export.result import Problem, Result
from custom_components.ha_ingestor.pipeline.export.settings import DeliverySettings
from tests.pipeline.scripted_writer import OK, UNAVAILABLE, ScriptedWriter

from .rig import REFUSED, TOO_LARGE, UNAUTHORIZED, Rig, points


async def test_everything_is_delivered_in_order() -> None:
    writer = ScriptedWriter()
    rig = Rig(writer, points(12_345))

    assert await rig.exporter.drain() is None

    assert writer.stored == points(12_345)
    assert rig.ledger.written == 12_345
    assert rig.exporter.state.status is Status.OK
    assert rig.exporter.state.connected is True


async def test_no_request_has_more_points_than_were_chosen() -> None:
    writer = ScriptedWriter()
    rig = Rig(writer, points(345), settings=DeliverySettings(request_points=100))

    await rig.exporter.drain()

    assert writer.stored == points(345)
    assert [len(lines) for lines in writer.attempts] == [100, 100, 100, 45]


@pytest.mark.parametrize("answer", [UNAVAILABLE, REFUSED, Outcome(status=502, body="<html>")])
async def test_a_failed_batch_is_kept_and_sent_again_byte_for_byte(answer: Outcome) -> None:
    writer = ScriptedWriter(script=[answer])
    rig = Rig(writer, points(10))

    assert await rig.exporter.drain() == 1.0
    assert rig.ledger.written == 0
    assert rig.exporter.state.status is Status.RETRYING
    assert rig.exporter.state.connected is False

    assert await rig.exporter.drain() is None
    assert writer.attempts == [points(10), points(10)]
    assert rig.changes == [Status.RETRYING, Status.OK]


async def test_waits_grow_until_a_minute_and_start_anew_after_a_success() -> None:
    writer = ScriptedWriter(script=[UNAVAILABLE] * 9)
    rig = Rig(writer, points(1))

    waits = [await rig.exporter.drain() for _ in range(9)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]

    await rig.exporter.drain()
    rig.spool.append(points(1))
    writer.script = [UNAVAILABLE]
    assert await rig.exporter.drain() == 1.0


async def test_a_longer_retry_after_is_respected() -> None:
    writer = ScriptedWriter(script=[Outcome(status=429, retry_after="120", from_database=True)])

    assert await Rig(writer, points(1)).exporter.drain() == 120.0


async def test_refused_credentials_lose_nothing_and_block() -> None:
    writer = ScriptedWriter(script=[UNAUTHORIZED] * 50)
    rig = Rig(writer, points(10))

    for _ in range(50):
        assert await rig.exporter.drain() == BLOCKED_RETRY
    assert rig.exporter.state.status is Status.BLOCKED
    assert rig.exporter.state.problem is Problem.INVALID_AUTH
    assert rig.spool.pending == 10

    await rig.exporter.drain()
    assert writer.stored == points(10)


async def test_a_database_that_comes_back_is_asked_with_few_points_first() -> None:
    writer = ScriptedWriter(script=[REFUSED])
    rig = Rig(writer, points(12_000))
    states = []
    for _ in range(2):
        await rig.exporter.drain()
        states.append(rig.exporter.breaker)

    assert [len(attempt) for attempt in writer.attempts][:3] == [5000, 100, 5000]
    assert writer.stored == points(12_000)
    assert states == [BreakerState.OPEN, BreakerState.CLOSED]


async def test_one_lost_reply_does_not_open_the_breaker_and_three_do() -> None:
    writer = ScriptedWriter(script=[UNAVAILABLE] * 3)
    rig = Rig(writer, points(10))
    states = []
    for _ in range(3):
        await rig.exporter.drain()
        states.append(rig.exporter.breaker)

    assert states == [BreakerState.CLOSED, BreakerState.CLOSED, BreakerState.OPEN]


@pytest.mark.parametrize("failure", [Failure.TIMEOUT, Failure.RESET])
async def test_bodies_that_never_arrive_become_smaller(failure: Failure) -> None:
    long = [f'm,s={number} v="{sha512(b"%d" % number).hexdigest()}" 1' for number in range(5000)]
    writer = ScriptedWriter(
        judge=lambda lines: Outcome(failure=failure) if len(lines) > 2000 else OK
    )
    rig = Rig(writer, long)

    waits = 0
    while await rig.exporter.drain() is not None:
        rig.exporter.attempts.breaker.state = BreakerState.CLOSED
        waits += 1
        assert waits < 10

    assert writer.stored == long


async def test_the_history_of_the_export_lists_the_changes_of_status() -> None:
    rig = Rig(ScriptedWriter(script=[UNAVAILABLE, UNAUTHORIZED]), points(1))
    for _ in range(3):
        await rig.exporter.drain()

    assert [(change.status, change.problem) for change in rig.exporter.history] == [
        (Status.RETRYING, Problem.BUSY),
        (Status.BLOCKED, Problem.INVALID_AUTH),
        (Status.OK, Problem.NONE),
    ]


async def test_a_body_that_is_too_large_is_halved_until_it_fits() -> None:
    writer = ScriptedWriter(judge=lambda lines: TOO_LARGE if len(lines) > 100 else OK)
    rig = Rig(writer, points(5000))

    assert await rig.exporter.drain() is None

    assert writer.stored == points(5000)
    assert rig.ledger.quarantined == 0


async def test_export_goes_on_when_the_disk_fails_for_a_moment() -> None:
    writer = ScriptedWriter()
    rig = Rig(writer, points(10))
    faults = [OSError("I/O error")]

    def fail_once(operation: str, name: str) -> None:
        if operation == "read" and faults:
            raise faults.pop()

    rig.files.fault = fail_once
    task = asyncio.create_task(rig.exporter.export_forever())
    async with asyncio.timeout(10):
        while not writer.stored:
            rig.exporter.retry_now()
            await asyncio.sleep(0.01)
    task.cancel()

    assert writer.stored == points(10)


@given(attempt=st.integers(1, 10**6), jitter=st.floats(0, 1), retry_after=st.floats(0, 900))
def test_a_wait_is_at_least_half_of_its_step_and_what_the_server_asked_for(
    attempt: int, jitter: float, retry_after: float
) -> None:
    wait = backoff(attempt, jitter, retry_after)

    assert retry_after <= wait <= max(MAXIMUM, retry_after)
    assert wait >= min(2.0 ** min(attempt - 1, 16), MAXIMUM) / 2


async def test_one_reset_connection_is_an_accident_and_three_are_an_outage() -> None:
    reset = Outcome(failure=Failure.RESET)
    writer = ScriptedWriter(script=[reset] * 3)
    rig = Rig(writer, points(10))
    states = []
    for _ in range(3):
        await rig.exporter.drain()
        states.append(rig.exporter.breaker)

    assert states == [BreakerState.CLOSED, BreakerState.CLOSED, BreakerState.OPEN]


async def test_a_size_that_was_refused_is_remembered_and_tried_again_rarely() -> None:
    writer = ScriptedWriter(judge=lambda lines: TOO_LARGE if len(lines) > 300 else OK)
    rig = Rig(writer, points(60_000))

    assert await rig.exporter.drain() is None

    refused = [len(attempt) for attempt in writer.attempts if len(attempt) > 300]
    assert writer.stored == points(60_000)
    assert len(refused) <= 12
    assert len(writer.attempts) < 60_000 / 150 + 30

    # A limit that is gone is noticed.
    writer.judge = lambda lines: OK
    rig.spool.append(points(60_000))
    writer.attempts.clear()
    assert await rig.exporter.drain() is None
    assert max(len(attempt) for attempt in writer.attempts) == 5000


@pytest.mark.parametrize(
    "answer", [Outcome(status=504, body="<html>"), Outcome(failure=Failure.RESET)]
)
async def test_a_server_that_gives_up_again_and_again_gets_less_at_once(answer: Outcome) -> None:
    writer = ScriptedWriter(judge=lambda lines: answer if len(lines) > 700 else OK)
    rig = Rig(writer, points(20_000))

    waits = 0
    while await rig.exporter.drain() is not None:
        waits += 1
        assert waits < 30

    assert writer.stored == points(20_000)
    assert [len(attempt) for attempt in writer.attempts][:2] == [5000, 5000]
    # Not again and again after each batch that is taken.
    assert sum(len(attempt) > 700 for attempt in writer.attempts) < 16


async def test_an_error_of_our_own_is_named_logged_once_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    writer = ScriptedWriter(script=[KeyError("secret value")] * 3)
    rig = Rig(writer, points(10))
    told = []
    task = asyncio.create_task(rig.exporter.export_forever())
    async with asyncio.timeout(10):
        while not writer.stored:
            told.append((rig.exporter.state.status, rig.exporter.state.problem))
            rig.exporter.retry_now()
            await asyncio.sleep(0.01)
    task.cancel()

    assert (Status.RETRYING, Problem.INTERNAL_ERROR) in told
    assert Problem.DISK not in {problem for _, problem in told}
    assert writer.stored == points(10)
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.message == "Export failed; retrying"
    assert all("secret value" not in change.detail for change in rig.exporter.history)


class SlowWriter(ScriptedWriter):
    """Answers when it is told to."""

    def begin(self) -> None:
        self.arrived, self.answers = asyncio.Event(), asyncio.Event()
        self.cancelled = 0

    async def write(self, body: bytes, *, gzipped: bool = False) -> Result:
        self.arrived.set()
        try:
            await self.answers.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return await super().write(body, gzipped=gzipped)


async def test_a_stop_lets_the_request_in_flight_finish_and_sends_the_rest() -> None:
    writer = SlowWriter()
    writer.begin()
    rig = Rig(writer, points(8000))
    task = asyncio.create_task(rig.exporter.export_forever())
    await writer.arrived.wait()
    stop = asyncio.create_task(rig.exporter.stop(5))
    await asyncio.sleep(0.05)
    writer.answers.set()
    await stop

    assert writer.cancelled == 0
    assert writer.stored == points(8000)
    assert rig.ledger.written == 8000
    await asyncio.wait_for(task, 1)


async def test_a_stop_does_not_wait_for_ever() -> None:
    writer = SlowWriter()
    writer.begin()
    rig = Rig(writer, points(10))
    task = asyncio.create_task(rig.exporter.export_forever())
    await writer.arrived.wait()
    await asyncio.wait_for(rig.exporter.stop(0.05), 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert writer.cancelled == 1
    assert rig.spool.pending == 10


@pytest.mark.parametrize("answer", [UNAVAILABLE, UNAUTHORIZED])
async def test_a_stop_while_it_waits_tries_once_and_ends(answer: Outcome) -> None:
    writer = ScriptedWriter(judge=lambda lines: answer)
    rig = Rig(writer, points(10))
    task = asyncio.create_task(rig.exporter.export_forever())
    while not writer.attempts:
        await asyncio.sleep(0.01)
    await asyncio.wait_for(rig.exporter.stop(5), 1)
    await asyncio.wait_for(task, 1)

    assert len(writer.attempts) == 2


async def test_a_check_that_succeeds_after_trouble_lets_waits_start_anew() -> None:
    writer = ScriptedWriter(script=[UNAVAILABLE] * 5)
    rig = Rig(writer, points(1))
    for _ in range(5):
        await rig.exporter.drain()
    # What waited is gone, so that only a check tells how things are.
    batch = rig.buffer.read(10, 1000)
    assert batch is not None
    rig.buffer.settle(batch, "evicted", "retention")

    async def until(status: Status) -> None:
        while rig.exporter.state.status is not status:
            rig.exporter.retry_now()
            await asyncio.sleep(0.001)

    task = asyncio.create_task(rig.exporter.export_forever())
    async with asyncio.timeout(10):
        await until(Status.OK)
        rig.spool.append(points(1))
        writer.script = [UNAVAILABLE]
        rig.exporter.notify()
        await until(Status.RETRYING)
    task.cancel()

    assert rig.exporter.state.attempts == 1
