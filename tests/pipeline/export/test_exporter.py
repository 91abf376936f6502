"""The exporter passes nothing over, and settles each point by what was said of it alone."""

import asyncio
import json
from collections.abc import Callable
from hashlib import sha512
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_components.ha_ingestor.clients.exchange import Failure
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.outcome import Outcome
from custom_components.ha_ingestor.pipeline.clock import Clocks
from custom_components.ha_ingestor.pipeline.export.attempts import BLOCKED_RETRY
from custom_components.ha_ingestor.pipeline.export.backoff import MAXIMUM, backoff
from custom_components.ha_ingestor.pipeline.export.breaker import BreakerState
from custom_components.ha_ingestor.pipeline.export.build import build_exporter
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from custom_components.ha_ingestor.pipeline.export.isolation import SURGE_WINDOW
from custom_components.ha_ingestor.pipeline.export.pause import Pause
from custom_components.ha_ingestor.pipeline.export.result import Problem, Result
from custom_components.ha_ingestor.pipeline.export.settings import DeliverySettings
from custom_components.ha_ingestor.pipeline.ledger import Ledger
from custom_components.ha_ingestor.pipeline.spool.buffer import Buffer
from custom_components.ha_ingestor.pipeline.spool.quarantine import Quarantine
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings
from custom_components.ha_ingestor.pipeline.spool.slices import complete
from custom_components.ha_ingestor.pipeline.spool.spool import Spool
from tests.pipeline.memory_files import MemoryFiles
from tests.pipeline.scripted_writer import OK, UNAVAILABLE, ScriptedWriter
from tests.pipeline.state_events import NOON

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

    def __init__(
        self,
        writer: ScriptedWriter,
        lines: list[str],
        settings: DeliverySettings = DeliverySettings(),  # noqa: B008  frozen
    ) -> None:
        self.now, self.monotonic = NOON, 1000.0
        self.files = MemoryFiles()
        self.spool = Spool(self.files, Ledger(), lambda: 0.0, lambda: NOON, SpoolSettings())
        self.spool.open()
        self.spool.append(list(lines))
        self.quarantine = Quarantine(self.files, "ha on db.lan")
        self.changes: list[Status] = []
        self.buffer = Buffer(self.spool, self.spool.ledger)
        self.exporter = build_exporter(
            buffer=self.buffer,
            quarantine=self.quarantine,
            writer=writer,
            pause=Pause(files=self.files),
            run=run_at_once,
            jitter=lambda: 1.0,
            on_change=lambda: self.changes.append(self.exporter.state.status),
            settings=settings,
            clocks=Clocks(monotonic=lambda: self.monotonic, wall=lambda: self.now),
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


@settings(deadline=None, max_examples=30)
@given(bad_lines=st.sets(st.integers(0, 599), max_size=6))
async def test_only_points_that_were_rejected_alone_are_quarantined(bad_lines: set[int]) -> None:
    bad = {points(600)[number] for number in bad_lines}
    writer = ScriptedWriter(judge=lambda lines: REJECTED if bad & set(lines) else OK)
    rig = Rig(writer, points(600))

    assert await rig.exporter.drain() is None

    assert writer.stored == [point for point in points(600) if point not in bad]
    records = complete(rig.quarantine.records())
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


async def test_a_server_that_refuses_everything_gets_its_points_again() -> None:
    writer = ScriptedWriter(judge=lambda lines: REJECTED)
    rig = Rig(writer, points(1000))

    assert await rig.exporter.drain() == BLOCKED_RETRY

    assert rig.exporter.state.problem is Problem.REJECTION_SURGE
    assert rig.ledger.quarantined < SURGE_WINDOW
    assert rig.spool.pending == 1000 - rig.ledger.quarantined

    writer.judge = lambda lines: OK
    assert await rig.exporter.drain() is None
    assert rig.ledger.written == 1000 - rig.ledger.quarantined
    # What was put aside is told as well.
    assert [status for status, _ in groupby(rig.changes)] == [Status.OK, Status.BLOCKED, Status.OK]


async def test_the_user_may_put_everything_aside_all_the_same() -> None:
    old = set(points(100))
    writer = ScriptedWriter(judge=lambda lines: REJECTED if old & set(lines) else OK)
    rig = Rig(writer, [*points(100), "m new=1 1"])
    await rig.exporter.drain()

    rig.exporter.quarantine_all()

    assert await rig.exporter.drain() is None
    assert rig.ledger.quarantined == 100
    assert writer.stored == ["m new=1 1"]


async def test_steady_rejections_among_good_points_are_no_surge() -> None:
    bad = {points(5000)[number] for number in range(0, 5000, 50)}
    writer = ScriptedWriter(judge=lambda lines: REJECTED if bad & set(lines) else OK)
    rig = Rig(writer, points(5000))

    assert await rig.exporter.drain() is None
    assert rig.ledger.quarantined == 100
    assert rig.ledger.written == 4900


def of_entities(count: int) -> list[str]:
    return [f"m,entity_id=sensor.s{number} v={number} {number}000" for number in range(count)]


async def test_points_that_a_user_made_up_are_put_aside_while_entities_are_stored() -> None:
    own = points(300)
    writer = ScriptedWriter(judge=lambda lines: REJECTED if {*own} & {*lines} else OK)
    rig = Rig(writer, [*of_entities(2), *own, *of_entities(3)])

    assert await rig.exporter.drain() is None

    assert (rig.ledger.written, rig.ledger.quarantined) == (5, 300)
    assert Problem.REJECTION_SURGE not in {change.problem for change in rig.exporter.history}


async def test_a_server_that_begins_to_refuse_entities_is_not_obeyed() -> None:
    writer = ScriptedWriter()
    rig = Rig(writer, of_entities(200))
    assert await rig.exporter.drain() is None

    writer.judge = lambda lines: REJECTED
    rig.spool.append([*of_entities(1), *points(100)])
    assert await rig.exporter.drain() == BLOCKED_RETRY
    assert rig.exporter.state.problem is Problem.REJECTION_SURGE
    assert rig.ledger.quarantined < SURGE_WINDOW


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
    assert [record["line"] for record in complete(rig.quarantine.records())] == [bad]


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
    assert [record["line"] for record in complete(rig.quarantine.records())] == [bad]
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


async def test_a_quarantined_point_says_why_and_where() -> None:
    rig = Rig(ScriptedWriter(judge=lambda lines: REJECTED), points(1))

    await rig.exporter.drain()

    (record,) = complete(rig.quarantine.records())
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
async def test_failures_before_a_doubtful_answer_do_not_confirm_it(
    answer: Outcome, count: int
) -> None:
    writer = ScriptedWriter(script=[*[UNAVAILABLE] * 12, answer, answer])
    rig = Rig(writer, points(count))

    while rig.spool.pending:
        await rig.exporter.drain()

    assert writer.stored == points(count)
    assert rig.ledger.quarantined == 0


async def test_an_accepted_point_starts_the_count_of_refusals_anew() -> None:
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
def test_a_wait_is_at_least_half_of_its_step_and_what_the_server_asked_for(
    attempt: int, jitter: float, retry_after: float
) -> None:
    wait = backoff(attempt, jitter, retry_after)

    assert retry_after <= wait <= max(MAXIMUM, retry_after)
    assert wait >= min(2.0 ** min(attempt - 1, 16), MAXIMUM) / 2


EXPIRED_V1 = '{"error":"partial write: points beyond retention policy dropped=%d"}\n'
EXPIRED_V2 = (
    '{"code":"unprocessable entity","message":"failure writing points to database: partial write: '
    "dropped %d points outside retention policy of duration 168h0m0s - oldest point m,s=1 at "
    '1970-01-01T00:00:00Z, latest point m,s=2 at 1970-01-01T00:00:01Z"}'
)
DAY_NS = 86_400 * 10**9
NOW_NS = int(NOON) * 10**9


def dated(first: int, last: int, age_days: float) -> list[str]:
    """Points of so many days ago, a millisecond apart."""
    since = NOW_NS - int(age_days * DAY_NS)
    return [
        f"m,s={number % 7} v={number} {since + number * 10**6}" for number in range(first, last)
    ]


def keeps_a_week(body: str, status: int) -> Callable[[list[str]], Outcome]:
    """Judge as a database does that stores the rest of a batch."""

    def judge(lines: list[str]) -> Outcome:
        oldest = NOW_NS - 7 * DAY_NS
        expired = sum(int(line.rpartition(" ")[2]) < oldest for line in lines)
        return Outcome(status=status, body=body % expired, from_database=True) if expired else OK

    return judge


SERVERS_WITH_RETENTION = pytest.mark.parametrize(
    ("dialect", "body", "status"),
    [(Dialect.V1, EXPIRED_V1, 400), (Dialect.V2, EXPIRED_V2, 422)],
)


def interleaved(old: list[str], new: list[str]) -> list[str]:
    return [line for pair in zip(old, new, strict=True) for line in pair]


ORDERS: dict[str, Callable[[list[str], list[str]], list[str]]] = {
    "in front": lambda old, new: [*old, *new],
    "behind": lambda old, new: [*new, *old],
    "alternating": interleaved,
    "between": lambda old, new: [*new[:3000], *old, *new[3000:]],
}


@SERVERS_WITH_RETENTION
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("retention", [None, 7 * 86_400.0], ids=["not told", "told"])
async def test_ten_thousand_expired_points_do_not_stop_the_fresh_ones(
    dialect: Dialect,
    body: str,
    status: int,
    order: Callable[[list[str], list[str]], list[str]],
    retention: float | None,
) -> None:
    old, new = dated(0, 10_000, 30), dated(20_000, 30_000, 1)
    writer = ScriptedWriter(
        dialect=dialect, judge=keeps_a_week(body, status), retention_seconds=retention
    )
    first = dated(40_000, 40_001, 1)
    rig = Rig(writer, first)
    assert await rig.exporter.drain() is None

    rig.spool.append(order(old, new))
    assert await rig.exporter.drain() is None

    assert sorted(set(writer.stored)) == sorted([*new, *first])
    assert (rig.ledger.written, rig.ledger.quarantined) == (10_001, 10_000)
    records = complete(rig.quarantine.records())
    assert sorted(record["line"] for record in records) == sorted(old)
    assert len({record["seq"] for record in records}) == 10_000
    assert all("retention" in record["reason"].lower() for record in records)
    assert len(writer.attempts) < 90
    if retention:
        assert not set(old) & {line for attempt in writer.attempts for line in attempt}
    # No rejection surge, and nothing that somebody should look after.
    assert rig.exporter.state.status is Status.OK
    assert Problem.REJECTION_SURGE not in {change.problem for change in rig.exporter.history}
    assert rig.files.syncs < 400


@SERVERS_WITH_RETENTION
async def test_expired_points_are_evicted_where_the_user_says_so(
    dialect: Dialect, body: str, status: int
) -> None:
    old, new = dated(0, 300, 30), dated(300, 600, 1)
    writer = ScriptedWriter(dialect=dialect, judge=keeps_a_week(body, status))
    rig = Rig(writer, interleaved(old, new), settings=DeliverySettings(evicts_expired=True))

    assert await rig.exporter.drain() is None

    assert sorted(set(writer.stored)) == sorted(new)
    assert (rig.ledger.written, rig.ledger.evicted, rig.ledger.quarantined) == (300, 300, 0)
    assert complete(rig.quarantine.records()) == []


@SERVERS_WITH_RETENTION
async def test_points_that_age_from_one_batch_to_the_next_cost_few_requests(
    dialect: Dialect, body: str, status: int
) -> None:
    writer = ScriptedWriter(dialect=dialect, judge=keeps_a_week(body, status))
    rig = Rig(writer, dated(0, 50_000, 30))

    assert await rig.exporter.drain() is None

    assert rig.ledger.quarantined == 50_000
    assert len(writer.attempts) <= 2 * 10 + 2


async def test_expired_and_refused_points_are_each_put_aside_for_their_own_reason() -> None:
    old, new = dated(0, 300, 30), dated(300, 600, 1)
    bad = {new[7], new[200]}
    by_age = keeps_a_week(EXPIRED_V1, 400)

    def judge(lines: list[str]) -> Outcome:
        return REJECTED if bad & set(lines) else by_age(lines)

    writer = ScriptedWriter(dialect=Dialect.V1, judge=judge)
    rig = Rig(writer, interleaved(old, new))

    assert await rig.exporter.drain() is None

    records = complete(rig.quarantine.records())
    refused = {record["line"] for record in records if "conflict" in record["reason"]}
    assert refused == bad
    assert len(records) == rig.ledger.quarantined == 302
    assert rig.ledger.written == 298
    assert sorted(set(writer.stored)) == sorted(set(new) - bad)


async def test_a_point_of_the_future_that_is_refused_in_the_same_words_says_nothing_of_others() -> (
    None
):
    future = dated(0, 1, -400)
    new = dated(1, 300, 1)

    def judge(lines: list[str]) -> Outcome:
        is_refused = future[0] in lines
        return Outcome(status=422, body=EXPIRED_V2 % 1, from_database=True) if is_refused else OK

    rig = Rig(ScriptedWriter(judge=judge), [*new[:100], *future, *new[100:]])

    assert await rig.exporter.drain() is None
    assert [record["line"] for record in complete(rig.quarantine.records())] == future
    assert rig.ledger.written == 299


async def test_a_clock_that_was_set_since_the_retention_was_told_puts_nothing_aside() -> None:
    new = dated(0, 100, 1)
    writer = ScriptedWriter(retention_seconds=7 * 86_400.0)
    rig = Rig(writer, new[:50])
    assert await rig.exporter.drain() is None

    rig.now += 30 * 86_400
    rig.spool.append(new[50:])
    assert await rig.exporter.drain() is None
    assert rig.ledger.quarantined == 0
    assert writer.stored == new


async def test_a_retention_that_cannot_be_read_stops_nothing() -> None:
    writer = ScriptedWriter(retention_seconds=RuntimeError("no"))
    rig = Rig(writer, points(10))

    assert await rig.exporter.drain() is None
    assert writer.stored == points(10)


async def test_what_was_acknowledged_does_not_wait_for_the_answer_about_the_retention() -> None:
    is_asked, answers = asyncio.Event(), asyncio.Event()

    class SlowToTell(ScriptedWriter):
        async def retention(self) -> float | None:
            is_asked.set()
            await answers.wait()
            return None

    rig = Rig(SlowToTell(), points(10))
    async with asyncio.timeout(10):
        drained = asyncio.create_task(rig.exporter.drain())
        await is_asked.wait()
        assert (rig.ledger.written, rig.spool.pending) == (10, 0)
        assert rig.exporter.state.last_write is not None
        answers.set()
        assert await drained is None


async def test_the_retention_is_asked_for_once_an_hour() -> None:
    writer = ScriptedWriter(retention_seconds=7 * 86_400.0)
    rig = Rig(writer, [])
    for minute in range(0, 180, 10):
        rig.monotonic = minute * 60.0
        rig.now = NOON + minute * 60
        rig.spool.append(dated(minute, minute + 1, 0))
        await rig.exporter.drain()

    assert writer.asked == 3


async def test_an_error_while_the_limit_is_searched_keeps_everything() -> None:
    judge = keeps_a_week(EXPIRED_V1, 400)
    old, new = dated(0, 100, 30), dated(100, 200, 1)
    for place in range(8):
        writer = ScriptedWriter(dialect=Dialect.V1, judge=judge)
        rig = Rig(writer, [*old, *new])
        answers = [judge([*old, *new]), judge(new[-1:]), *[judge(old[:1])] * place]
        writer.script = [*answers, UNAVAILABLE, UNAUTHORIZED]
        waits = 0
        while await rig.exporter.drain() is not None:
            waits += 1
        assert waits == 2
        assert rig.ledger.quarantined + rig.ledger.written == 200


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


async def test_points_that_no_disk_takes_expire_like_all_others() -> None:
    old, new = dated(0, 30, 30), dated(30, 60, 1)
    judge = keeps_a_week(EXPIRED_V1, 400)
    rig = Rig(ScriptedWriter(dialect=Dialect.V1, judge=judge), [])

    def full(operation: str, name: str) -> None:
        if operation == "write" and name.endswith(".seg"):
            raise OSError(28, "No space left on device")

    rig.files.fault = full
    rig.buffer.commit(interleaved(old, new))
    assert rig.buffer.held == 60
    assert await rig.exporter.drain() is None

    assert rig.buffer.held == 0
    assert (rig.ledger.captured, rig.ledger.written, rig.ledger.quarantined) == (60, 30, 30)
    assert [record["line"] for record in complete(rig.quarantine.records())] == old


async def test_an_expired_point_is_no_reason_to_change_anything() -> None:
    judge = keeps_a_week(EXPIRED_V1, 400)
    writer = ScriptedWriter(dialect=Dialect.V1, judge=judge)
    rig = Rig(writer, [*dated(0, 1, 30), *dated(1, 2, 1), *dated(2, 40, 30)])

    assert await rig.exporter.drain() is None
    assert rig.ledger.quarantined == 39
    assert rig.quarantine.newest is None


async def test_a_point_that_is_put_aside_is_told_although_the_status_stays() -> None:
    bad = points(3)[1]
    writer = ScriptedWriter(judge=lambda lines: REJECTED if bad in lines else OK)
    rig = Rig(writer, points(1))
    await rig.exporter.drain()
    assert rig.changes == [Status.OK]

    rig.spool.append(points(3)[1:])
    await rig.exporter.drain()
    await rig.exporter.drain()

    assert rig.ledger.quarantined == 1
    assert rig.changes == [Status.OK, Status.OK]


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
