"""Refused points are on the disk, which then takes no record of them: others are delivered."""

import errno
from collections.abc import Callable
from contextlib import suppress

import pytest

from custom_components.ha_ingestor.pipeline.spool import deferred
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings
from tests.pipeline.memory_files import MemoryFiles

from .rig import Database, Rig, points, quarantined

REFUSED = {points(number, number)[0] for number in (14, 33, 60)}
CHANGES = {"write", "create", "truncate", "remove", "sync"}
SMALL = SpoolSettings(segment_bytes=2000, compress=False)


class Killed(BaseException):
    """The process ends here."""


def but_the_counts(operation: str, name: str) -> bool:
    return operation in CHANGES and not name.startswith("cursor")


def quarantine_alone(operation: str, name: str) -> bool:
    return operation in CHANGES and name.startswith("quarantine")


def everything(operation: str, _name: str) -> bool:
    return operation in CHANGES


BROKEN = [but_the_counts, quarantine_alone, everything]


def well(operation: str, name: str) -> None:
    """Let the disk do what it is asked."""


def killed_at(operation: int) -> Callable[[str, str], None]:
    left = iter(range(operation))

    def kill(_operation: str, _name: str) -> None:
        if next(left, None) is None:
            raise Killed

    return kill


async def delivered(
    broken: Callable[[str, str], bool], settings: SpoolSettings | None = None
) -> tuple[Rig, Database, MemoryFiles]:
    """Let a hundred points come to the disk before it breaks, and as many after it."""
    files, database = MemoryFiles(), Database(bad_lines=REFUSED)
    rig = Rig(files, database, settings=settings)
    rig.commit(points(1, 100))

    def fault(operation: str, name: str) -> None:
        if broken(operation, name):
            raise OSError(errno.EIO, "broken")

    files.fault = fault
    for first in range(101, 200, 10):
        rig.commit(points(first, first + 9))
        rig.clocks.monotonic += 61
        await rig.deliver(20)
    return rig, database, files


def assert_exact(rig: Rig, database: Database) -> None:
    """Everything is in one place, and counted there."""
    assert set(database.stored) == set(points(1, 200)) - REFUSED
    assert sorted(quarantined(rig)) == sorted(REFUSED)
    assert (rig.ledger.written, rig.ledger.quarantined) == (197, 3)
    assert rig.ledger.captured == rig.ledger.received == 200
    assert rig.pending == rig.buffer.held == rig.buffer.deliverable == 0
    assert rig.buffer.disk_error == ""
    rig.assert_adds_up()


@pytest.mark.parametrize("broken", BROKEN)
async def test_points_behind_refused_ones_are_delivered(
    broken: Callable[[str, str], bool],
) -> None:
    rig, database, _ = await delivered(broken)

    assert sorted(database.stored) == sorted(set(points(1, 200)) - REFUSED)
    assert rig.buffer.deliverable == 0
    assert rig.buffer.disk_error
    assert rig.ledger.quarantined == 0
    rig.assert_adds_up()


@pytest.mark.parametrize("broken", BROKEN)
async def test_refused_points_are_put_into_quarantine_once_the_disk_takes_them(
    broken: Callable[[str, str], bool],
) -> None:
    rig, database, files = await delivered(broken)
    sent = len(database.stored)
    files.fault = well
    for _ in range(3):
        rig.clocks.monotonic += 6
        rig.commit()
        await rig.deliver(3)

    assert len(database.stored) == sent
    assert_exact(rig, database)
    assert rig.quarantine.newest
    assert rig.quarantine.newest.line == points(60, 60)[0]


@pytest.mark.parametrize("broken", BROKEN)
async def test_a_kill_loses_none_and_counts_none_twice(
    broken: Callable[[str, str], bool],
) -> None:
    for operation in range(1, 60):
        rig, database, files = await delivered(broken)
        assert rig.buffer.held == 0
        files.fault = killed_at(operation)
        rig.clocks.monotonic += 6
        with suppress(Killed):
            rig.commit()
        files.fault = well
        files.kill()
        again = Rig(files, database)
        again.commit()
        await again.deliver(9)

        assert sorted(quarantined(again)) == sorted(REFUSED)
        assert again.ledger.quarantined == 3
        assert set(database.stored) == set(points(1, 200)) - REFUSED
        assert again.ledger.captured == again.ledger.written + 3
        again.assert_adds_up()


async def test_what_was_delivered_is_not_counted_as_evicted() -> None:
    settings = SpoolSettings(segment_bytes=2000, compress=False, max_bytes=9000)
    rig, database, files = await delivered(quarantine_alone, settings)
    for first in range(201, 600, 10):
        rig.commit(points(first, first + 9))
        await rig.deliver(3)
    files.fault = well
    for _ in range(3):
        rig.clocks.monotonic += 6
        rig.commit()
        await rig.deliver(3)

    assert set(database.stored) == set(points(1, 600)) - REFUSED
    assert rig.ledger.written == len(database.stored) == 597
    assert rig.ledger.evicted + rig.ledger.quarantined == 3
    rig.assert_adds_up()


async def test_too_many_refused_points_wait_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deferred, "ASIDE_MAX", 2)
    rig, database, files = await delivered(but_the_counts)
    assert set(database.stored) == set(points(1, 59)) - REFUSED
    files.fault = well
    # It was refused again and again, for which a person would be asked.
    rig.exporter.quarantine_all()
    for _ in range(3):
        rig.clocks.monotonic += 61
        rig.commit()
        await rig.deliver(9)

    assert_exact(rig, database)


async def test_a_disk_that_works_again_is_given_time_for_commits_between_many_refused_points() -> (
    None
):
    refused = {points(number, number)[0] for number in range(1, 100, 4)}
    files, database = MemoryFiles(), Database(bad_lines=refused)
    rig = Rig(files, database)
    rig.commit(points(1, 100))

    def fault(operation: str, name: str) -> None:
        if quarantine_alone(operation, name):
            raise OSError(errno.EIO, "broken")

    def slow(operation: str, _name: str) -> None:
        if operation == "sync":
            rig.clocks.monotonic += 0.02

    files.fault = fault
    await rig.deliver(20)
    assert rig.buffer.deliverable == 0
    rig.commit()
    files.fault = slow
    rig.clocks.monotonic += 6
    done: list[int] = []
    while rig.pending and len(done) < 25:
        before = rig.clocks.monotonic
        rig.commit()
        assert rig.clocks.monotonic - before < 0.3
        is_due = rig.buffer.next_due(lambda: rig.clocks.monotonic) <= rig.clocks.monotonic
        assert is_due or not rig.pending
        done.append(rig.ledger.quarantined)

    assert 4 < len(done) < 25
    assert rig.ledger.quarantined == len(refused)
    assert set(database.stored) == set(points(1, 100)) - refused
    rig.assert_adds_up()
