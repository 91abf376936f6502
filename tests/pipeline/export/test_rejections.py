"""Only a point that was refused alone, for what it is, goes to the quarantine."""

import json
from collections.abc import Callable
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.outcome import Outcome
from custom_components.ha_ingestor.pipeline.export.attempts import BLOCKED_RETRY
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from custom_components.ha_ingestor.pipeline.export.isolation import SURGE_WINDOW
from custom_components.ha_ingestor.pipeline.export.result import Problem
from custom_components.ha_ingestor.pipeline.slices import complete
from tests.pipeline.scripted_writer import OK, UNAVAILABLE, ScriptedWriter

from .rig import REJECTED, TOO_LARGE, Rig, points


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
    # Halving and doubling again: a refused point costs a logarithm of requests, not a request each.
    assert len(writer.attempts) <= 2 + len(bad) * 32


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


async def test_the_user_may_quarantine_all_points_of_a_surge() -> None:
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


async def test_a_quarantined_point_says_why_and_where() -> None:
    rig = Rig(ScriptedWriter(judge=lambda lines: REJECTED), points(1))

    await rig.exporter.drain()

    (record,) = complete(rig.quarantine.records())
    assert record["status"] == 422
    assert record["reason"] == "field type conflict"
    assert record["destination"] == "ha on db.lan"
    assert record["seq"] == 1


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
    await rig.exporter.drain()

    assert rig.spool.disk_error == "No space left on device"
    assert rig.spool.pending == 1
    assert rig.ledger.quarantined == 0


async def test_quarantine_files_are_readable_line_by_line() -> None:
    rig = Rig(ScriptedWriter(judge=lambda lines: REJECTED), points(3))

    await rig.exporter.drain()

    content = rig.files.read("quarantine-000001.ndjson", 0, 1 << 20)
    assert [json.loads(line)["line"] for line in content.splitlines()] == points(3)


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
