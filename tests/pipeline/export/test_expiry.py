"""Points that the database keeps no more are put aside, and stop no other point."""

import asyncio
from collections.abc import Callable

import pytest

from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.outcome import Outcome
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from custom_components.ha_ingestor.pipeline.export.result import Problem
from custom_components.ha_ingestor.pipeline.export.settings import DeliverySettings
from custom_components.ha_ingestor.pipeline.slices import complete
from tests.pipeline.scripted_writer import OK, UNAVAILABLE, ScriptedWriter
from tests.pipeline.state_events import NOON

from .rig import REJECTED, UNAUTHORIZED, Rig, points

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
