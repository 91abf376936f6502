"""A database whose clock is ahead calls young points too old: they wait until it is right."""

import json

import pytest

from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.outcome import Outcome
from custom_components.ha_ingestor.pipeline.export.attempts import BLOCKED_RETRY
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from custom_components.ha_ingestor.pipeline.export.result import Problem
from custom_components.ha_ingestor.pipeline.export.settings import DeliverySettings
from tests.pipeline.scripted_writer import OK, ScriptedWriter
from tests.pipeline.state_events import NOON

from .rig import Rig

HOUR, DAY = 3600.0, 86_400.0
WEEK = 7 * DAY


class Database(ScriptedWriter):
    """Keeps a week by its own clock, and names that or not."""

    ahead: float = 0.0
    now: float = NOON
    names: str = " of duration 168h0m0s"
    tells_date: bool = False

    def __init__(self, dialect: Dialect = Dialect.V2, retention: float | None = None) -> None:
        super().__init__(dialect=dialect, retention_seconds=retention, judge=self.answer)

    def answer(self, lines: list[str]) -> Outcome:
        cutoff = self.now + self.ahead - WEEK
        if not (old := sum(int(line.rpartition(" ")[2]) < cutoff * 1e9 for line in lines)):
            return OK
        ahead = self.ahead if self.tells_date else None
        if self.dialect is Dialect.V1:
            body = f'{{"error":"partial write: points beyond retention policy dropped={old}"}}'
            return Outcome(status=400, from_database=True, body=body, ahead=ahead)
        message = f"partial write: dropped {old} points outside retention policy{self.names}"
        body = json.dumps({"code": "unprocessable entity", "message": message})
        return Outcome(status=422, from_database=True, body=body, ahead=ahead)


def aged(count: int, seconds: float, *, now: float = NOON) -> list[str]:
    first = int((now - seconds) * 1e9)
    return [f"m,s={number % 5} v={number} {first + number * 1000}" for number in range(count)]


def age(rig: Rig, database: Database, seconds: float) -> None:
    rig.now += seconds
    rig.monotonic += seconds
    database.now += seconds


@pytest.mark.parametrize("dialect", [Dialect.V1, Dialect.V2])
@pytest.mark.parametrize("evicts", [False, True])
@pytest.mark.parametrize("count", [1, 2, 500])
@pytest.mark.parametrize("ahead", [8 * DAY, 30 * DAY, 4000 * DAY])
async def test_points_of_a_second_ago_wait_until_the_clock_of_the_database_is_right(
    dialect: Dialect, count: int, ahead: float, *, evicts: bool
) -> None:
    database = Database(dialect)
    database.ahead = ahead
    lines = aged(count, 1)
    rig = Rig(database, lines, settings=DeliverySettings(evicts_expired=evicts))

    for _ in range(20):
        assert await rig.exporter.drain() == BLOCKED_RETRY
        age(rig, database, BLOCKED_RETRY)
    state = rig.exporter.state
    assert (state.status, state.problem) == (Status.BLOCKED, Problem.CLOCK_DIFFERS)
    assert "retention policy" in state.detail
    assert (rig.ledger.evicted, rig.ledger.quarantined, rig.ledger.written) == (0, 0, 0)

    database.ahead = 0
    assert await rig.exporter.drain() is None
    assert sorted(set(database.stored)) == sorted(lines)
    assert (rig.ledger.evicted, rig.ledger.quarantined) == (0, 0)
    assert rig.exporter.state.status is Status.OK


@pytest.mark.parametrize("evidence", ["its words", "what it told", "its date"])
async def test_a_backlog_within_the_retention_waits_as_well(evidence: str) -> None:
    is_told = evidence == "what it told"
    dialect = Dialect.V2 if evidence == "its words" else Dialect.V1
    database = Database(dialect, WEEK if is_told else None)
    database.ahead, database.tells_date = 6 * DAY, evidence == "its date"
    lines = aged(300, 3 * DAY)
    rig = Rig(database, lines)
    if is_told:
        await rig.exporter.ages.read_retention()

    for _ in range(3):
        assert await rig.exporter.drain() == BLOCKED_RETRY
        age(rig, database, BLOCKED_RETRY)
    assert rig.exporter.state.problem is Problem.CLOCK_DIFFERS
    database.ahead = 0
    assert await rig.exporter.drain() is None
    assert sorted(set(database.stored)) == sorted(lines)
    assert rig.ledger.quarantined == 0


@pytest.mark.parametrize("dialect", [Dialect.V1, Dialect.V2])
async def test_what_is_older_than_the_retention_is_put_aside_once_the_clock_is_right(
    dialect: Dialect,
) -> None:
    database = Database(dialect)
    database.ahead = 30 * DAY
    rig = Rig(database, aged(5, 1))
    assert await rig.exporter.drain() == BLOCKED_RETRY
    age(rig, database, 8 * DAY)
    database.ahead = 0
    rig.spool.append(aged(5, 1, now=rig.now))

    assert await rig.exporter.drain() is None
    assert (rig.ledger.quarantined, rig.ledger.written) == (5, 5)


async def test_a_shortened_retention_is_not_taken_for_a_wrong_clock() -> None:
    database = Database(Dialect.V1, 30 * DAY)
    rig = Rig(database, aged(10, 10 * DAY))
    await rig.exporter.ages.read_retention()
    database.retention_seconds = WEEK

    assert await rig.exporter.drain() is None
    assert rig.ledger.quarantined == 10


async def test_a_write_window_of_the_database_is_not_taken_for_a_wrong_clock() -> None:
    words = '{"error":"partial write: dropped 1 points outside retention policy of duration 168h - '
    words += 'oldest point m,s=0 at x dropped because it violates a Write Window Lower Bound at y"}'
    answer = Outcome(status=422, body=words, from_database=True)
    rig = Rig(ScriptedWriter(judge=lambda lines: answer), aged(3, 1200))

    assert await rig.exporter.drain() is None
    assert rig.ledger.quarantined == 3


async def test_a_clock_of_ours_that_was_never_set_says_nothing_of_the_databases() -> None:
    database = Database()
    rig = Rig(database, aged(3, 1, now=1_000.0))
    rig.now = 1_000.0

    assert await rig.exporter.drain() is None
    assert rig.ledger.quarantined == 3
