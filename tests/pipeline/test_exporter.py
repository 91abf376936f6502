"""The exporter passes nothing over, and settles each point by what was said of it alone."""

import asyncio
import json
from collections.abc import Callable
from hashlib import sha512

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_components.ha_ingestor.pipeline.backoff import MAXIMUM, backoff
from custom_components.ha_ingestor.pipeline.breaker import BreakerState
from custom_components.ha_ingestor.pipeline.buffer import Buffer
from custom_components.ha_ingestor.pipeline.export_state import Status
from custom_components.ha_ingestor.pipeline.exporter import BLOCKED_RETRY, Exporter
from custom_components.ha_ingestor.pipeline.isolation import STORM_WINDOW
from custom_components.ha_ingestor.pipeline.ledger import Ledger
from custom_components.ha_ingestor.pipeline.outcome import Dialect, Failure, Outcome
from custom_components.ha_ingestor.pipeline.quarantine import Quarantine
from custom_components.ha_ingestor.pipeline.spool import Spool
from custom_components.ha_ingestor.pipeline.spool_settings import SpoolSettings
from custom_components.ha_ingestor.pipeline.verdict import Problem

from .captures import NOON
from .memory_files import MemoryFiles
from .scripted_writer import OK, UNAVAILABLE, ScriptedWriter

REJECTED = Outcome(status=422, body="field type conflict", from_database=True)
TOO_LARGE = Outcome(status=413, from_database=True)
UNAUTHORIZED = Outcome(status=401, from_database=True)
REFUSED = Outcome(failure=Failure.UNREACHABLE, detail="connection refused")


def points(count: int) -> list[str]:
    return [f"m,s={number} v={number} {number}000" for number in range(count)]


async def run_at_once[**P, T](function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return function(*args, **kwargs)


class Rig:
    """An exporter on a spool in memory."""

    def __init__(self, writer: ScriptedWriter, lines: list[str]) -> None:
        self.files = MemoryFiles()
        self.spool = Spool(self.files, Ledger(), lambda: 0.0, lambda: NOON, SpoolSettings())
        self.spool.open()
        self.spool.append(list(lines))
        self.quarantine = Quarantine(self.files, "ha on db.lan")
        self.changes: list[Status] = []
        self.exporter = Exporter(
            buffer=Buffer(self.spool, self.spool.ledger),
            quarantine=self.quarantine,
            writer=writer,
            run=run_at_once,
            jitter=lambda: 1.0,
            on_change=lambda: self.changes.append(self.exporter.state.status),
        )

    @property
    def ledger(self) -> Ledger:
        return self.spool.ledger


async def test_everything_is_delivered_in_order() -> None:
    writer = ScriptedWriter()
    rig = Rig(writer, points(12_345))

    assert await rig.exporter.drain() is None

    assert writer.stored == points(12_345)
    assert rig.ledger.written == 12_345
    assert rig.exporter.state.status is Status.OK
    assert rig.exporter.state.connected is True


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


async def test_the_server_may_ask_for_more_patience() -> None:
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


@settings(deadline=None, max_examples=30)
@given(poison=st.sets(st.integers(0, 599), max_size=6))
async def test_only_points_that_were_rejected_alone_are_quarantined(poison: set[int]) -> None:
    bad = {points(600)[number] for number in poison}
    writer = ScriptedWriter(judge=lambda lines: REJECTED if bad & set(lines) else OK)
    rig = Rig(writer, points(600))

    assert await rig.exporter.drain() is None

    assert writer.stored == [point for point in points(600) if point not in bad]
    records = rig.quarantine.records()
    assert {record["line"] for record in records} == bad
    assert len(records) == rig.ledger.quarantined == len(bad)
    assert rig.ledger.captured == rig.ledger.settled == 600
    # Halving and doubling again: a poison point costs a logarithm of requests, not a request each.
    assert len(writer.attempts) <= 2 + len(bad) * 32


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


async def test_a_server_that_refuses_everything_is_not_obeyed() -> None:
    writer = ScriptedWriter(judge=lambda lines: REJECTED)
    rig = Rig(writer, points(1000))

    assert await rig.exporter.drain() == BLOCKED_RETRY

    assert rig.exporter.state.problem is Problem.STORM
    assert rig.ledger.quarantined < STORM_WINDOW
    assert rig.spool.pending == 1000 - rig.ledger.quarantined

    writer.judge = lambda lines: OK
    assert await rig.exporter.drain() is None
    assert rig.ledger.written == 1000 - rig.ledger.quarantined
    assert rig.changes == [Status.OK, Status.BLOCKED, Status.OK]


async def test_the_user_may_put_everything_aside_all_the_same() -> None:
    old = set(points(100))
    writer = ScriptedWriter(judge=lambda lines: REJECTED if old & set(lines) else OK)
    rig = Rig(writer, [*points(100), "m new=1 1"])
    await rig.exporter.drain()

    rig.exporter.quarantine_all()

    assert await rig.exporter.drain() is None
    assert rig.ledger.quarantined == 100
    assert writer.stored == ["m new=1 1"]


async def test_steady_poison_among_good_points_is_no_storm() -> None:
    bad = {points(5000)[number] for number in range(0, 5000, 50)}
    writer = ScriptedWriter(judge=lambda lines: REJECTED if bad & set(lines) else OK)
    rig = Rig(writer, points(5000))

    assert await rig.exporter.drain() is None
    assert rig.ledger.quarantined == 100
    assert rig.ledger.written == 4900


@pytest.mark.parametrize(
    ("dialect", "reply"),
    [
        (
            Dialect.V2,
            lambda line, _: json.dumps(
                {"code": "invalid", "message": f"unable to parse '{line}': missing fields"}
            ),
        ),
        (
            Dialect.V1,
            lambda line, _: json.dumps(
                {"error": f"partial write: unable to parse '{line}': bad dropped=0"}
            ),
        ),
        (
            Dialect.V3,
            lambda line, index: json.dumps(
                {
                    "error": "partial write of line protocol occurred",
                    "data": [{"original_line": line, "line_number": index + 1}],
                }
            ),
        ),
        (Dialect.VICTORIAMETRICS, lambda line, _: f'incorrect influx line "{line}\nmore"'),
    ],
)
async def test_a_line_that_the_reply_names_costs_three_requests(
    dialect: Dialect, reply: Callable[[str, int], str]
) -> None:
    bad = points(5000)[3333]

    def judge(lines: list[str]) -> Outcome:
        if bad not in lines:
            return OK
        return Outcome(status=400, body=reply(bad, lines.index(bad)), from_database=True)

    writer = ScriptedWriter(judge=judge, dialect=dialect)
    rig = Rig(writer, points(5000))

    assert await rig.exporter.drain() is None
    assert rig.ledger.quarantined == 1
    assert rig.ledger.written == 4999
    assert [len(attempt) for attempt in writer.attempts] == [5000, 3333, 1, 1666]


async def test_a_reply_that_names_the_wrong_line_does_not_stop_the_search() -> None:
    bad = points(64)[40]
    body = json.dumps({"message": f"unable to parse '{points(64)[3]}': no"})
    refused = Outcome(status=400, body=body, from_database=True)
    writer = ScriptedWriter(judge=lambda lines: refused if bad in lines else OK)
    rig = Rig(writer, points(64))

    assert await rig.exporter.drain() is None
    assert [record["line"] for record in rig.quarantine.records()] == [bad]


async def test_a_point_answered_with_500_for_ever_is_put_aside_when_others_are_taken() -> None:
    bad = points(300)[200]
    broken = Outcome(status=500, body="panic", from_database=True)
    writer = ScriptedWriter(judge=lambda lines: broken if bad in lines else OK)
    rig = Rig(writer, points(300))

    waits = 0
    while await rig.exporter.drain() is not None:
        waits += 1
        assert waits < 30

    assert waits >= 10
    assert [record["line"] for record in rig.quarantine.records()] == [bad]
    assert rig.ledger.written == 299


async def test_a_server_that_answers_500_to_everything_quarantines_nothing() -> None:
    writer = ScriptedWriter(judge=lambda lines: Outcome(status=500, from_database=True))
    rig = Rig(writer, points(300))

    for _ in range(50):
        assert await rig.exporter.drain() is not None

    assert rig.ledger.quarantined == 0
    assert rig.spool.pending == 300


@pytest.mark.parametrize("failure", [Failure.TIMEOUT, Failure.RESET])
async def test_bodies_that_never_arrive_become_smaller(failure: Failure) -> None:
    long = [f'm,s={number} v="{sha512(b"%d" % number).hexdigest()}" 1' for number in range(5000)]
    writer = ScriptedWriter(
        judge=lambda lines: Outcome(failure=failure) if len(lines) > 2000 else OK
    )
    rig = Rig(writer, long)

    waits = 0
    while await rig.exporter.drain() is not None:
        rig.exporter._breaker.state = BreakerState.CLOSED
        waits += 1
        assert waits < 10

    assert writer.stored == long


async def test_the_history_tells_how_it_came_to_this() -> None:
    rig = Rig(ScriptedWriter(script=[UNAVAILABLE, UNAUTHORIZED]), points(1))
    for _ in range(3):
        await rig.exporter.drain()

    assert [(turn.status, turn.problem) for turn in rig.exporter.history] == [
        (Status.RETRYING, Problem.BUSY),
        (Status.BLOCKED, Problem.INVALID_AUTH),
        (Status.OK, Problem.NONE),
    ]


async def test_a_quarantined_point_says_why_and_where() -> None:
    rig = Rig(ScriptedWriter(judge=lambda lines: REJECTED), points(1))

    await rig.exporter.drain()

    (record,) = rig.quarantine.records()
    assert record["status"] == 422
    assert record["reason"] == "field type conflict"
    assert record["destination"] == "ha on db.lan"
    assert record["seq"] == 1


async def test_a_body_that_is_too_large_is_halved_until_it_fits() -> None:
    writer = ScriptedWriter(judge=lambda lines: TOO_LARGE if len(lines) > 100 else OK)
    rig = Rig(writer, points(5000))

    assert await rig.exporter.drain() is None

    assert writer.stored == points(5000)
    assert rig.ledger.quarantined == 0


async def test_a_single_line_that_is_always_too_large_is_put_aside() -> None:
    rig = Rig(ScriptedWriter(judge=lambda lines: TOO_LARGE), points(1))

    waits = [await rig.exporter.drain() for _ in range(4)]

    assert waits == [1, 2, 4, None]
    assert rig.ledger.quarantined == 1


@pytest.mark.parametrize(
    ("answer", "count"), [(TOO_LARGE, 1), (Outcome(status=500, from_database=True), 2)]
)
async def test_other_trouble_before_it_makes_an_answer_no_more_believable(
    answer: Outcome, count: int
) -> None:
    writer = ScriptedWriter(script=[*[UNAVAILABLE] * 12, answer, answer])
    rig = Rig(writer, points(count))

    while rig.spool.pending:
        await rig.exporter.drain()

    assert writer.stored == points(count)
    assert rig.ledger.quarantined == 0


async def test_an_answer_counts_anew_after_every_point_that_was_taken() -> None:
    writer = ScriptedWriter(script=[TOO_LARGE, TOO_LARGE, OK] * 5)
    rig = Rig(writer, [])
    for number in range(5):
        rig.spool.append(points(5)[number : number + 1])
        while rig.spool.pending:
            await rig.exporter.drain()

    assert writer.stored == points(5)
    assert rig.ledger.quarantined == 0


async def test_a_quarantine_that_cannot_be_written_keeps_the_point() -> None:
    writer = ScriptedWriter(judge=lambda lines: REJECTED)
    rig = Rig(writer, points(1))

    def no_space(operation: str, name: str) -> None:
        if operation == "sync" and name.startswith("quarantine"):
            raise OSError(28, "No space left on device")

    rig.files.fault = no_space
    with pytest.raises(OSError, match="No space"):
        await rig.exporter.drain()

    assert rig.spool.pending == 1
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


async def test_quarantine_files_are_readable_line_by_line() -> None:
    rig = Rig(ScriptedWriter(judge=lambda lines: REJECTED), points(3))

    await rig.exporter.drain()

    content = rig.files.read("quarantine-000001.ndjson", 0, 1 << 20)
    assert [json.loads(line)["line"] for line in content.splitlines()] == points(3)


@given(attempt=st.integers(1, 10**6), jitter=st.floats(0, 1), retry_after=st.floats(0, 900))
def test_a_wait_is_never_short_of_half_its_step_nor_of_what_was_asked(
    attempt: int, jitter: float, retry_after: float
) -> None:
    wait = backoff(attempt, jitter, retry_after)

    assert retry_after <= wait <= max(MAXIMUM, retry_after)
    assert wait >= min(2.0 ** min(attempt - 1, 16), MAXIMUM) / 2
