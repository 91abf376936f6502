"""The disk takes nothing, and the database refuses a point: those behind it are delivered."""

import asyncio
import errno
from dataclasses import dataclass

import pytest

from custom_components.ha_ingestor.pipeline.export.result import Result
from custom_components.ha_ingestor.pipeline.spool import held
from tests.pipeline.memory_files import MemoryFiles
from tests.pipeline.state_events import NOON

from .rig import Database, Rig, points, quarantined

REFUSED = {points(number, number)[0] for number in (11, 14, 60)}
DAY = 86_400
ERRORS = [errno.ENOSPC, errno.EROFS, errno.EIO]


@dataclass(slots=True)
class Asked(Database):
    """Counts its requests, and says how long it keeps points."""

    requests: int = 0
    keeps: float | None = None

    async def write(self, body: bytes, *, gzipped: bool = False) -> Result:
        self.requests += 1
        return await Database.write(self, body, gzipped=gzipped)

    async def retention(self) -> float | None:
        return self.keeps


def broken_disk(code: int) -> MemoryFiles:
    """All but the counts, which have their room from the beginning, cannot be written any more."""
    files = MemoryFiles()

    def fault(operation: str, name: str) -> None:
        if operation in {"write", "create"} and not name.startswith("cursor"):
            raise OSError(code, "broken")

    files.fault = fault
    return files


async def refusing(files: MemoryFiles, database: Database) -> Rig:
    """Deliver a hundred points of which some are refused, all of them from memory."""
    fault, files.fault = files.fault, lambda operation, name: None
    rig = Rig(files, database)
    rig.commit()
    files.fault = fault
    for first in range(1, 101, 10):
        rig.commit(points(first, first + 9))
        await rig.deliver(10)
    return rig


@pytest.mark.parametrize("code", ERRORS)
async def test_points_behind_a_refused_one_are_delivered(code: int) -> None:
    database = Asked(bad_lines=REFUSED)
    files = broken_disk(code)
    rig = await refusing(files, database)

    assert sorted(database.stored) == sorted(set(points(1, 100)) - REFUSED)
    assert rig.ledger.written == 97
    assert rig.ledger.waiting == rig.buffer.held == 3
    assert rig.ledger.quarantined == 0
    assert rig.buffer.disk_error
    rig.assert_adds_up()


@pytest.mark.parametrize("code", ERRORS)
async def test_refused_points_are_put_into_quarantine_once_the_disk_takes_them(code: int) -> None:
    database = Asked(bad_lines=REFUSED)
    files = broken_disk(code)
    rig = await refusing(files, database)
    files.fault = lambda operation, name: None
    rig.commit(points(101, 110))
    await rig.deliver(10)

    assert set(quarantined(rig)) == REFUSED
    assert rig.ledger.quarantined == 3
    assert rig.ledger.written == len(database.stored) == 107
    assert rig.ledger.waiting == rig.pending == 0
    assert rig.buffer.disk_error == ""
    rig.assert_adds_up()


async def test_the_database_is_not_asked_again_while_only_refused_points_wait() -> None:
    database = Asked(bad_lines=REFUSED)
    rig = await refusing(broken_disk(errno.ENOSPC), database)
    before = database.requests
    for _ in range(20):
        rig.commit()
        await rig.deliver(3)

    assert database.requests == before


async def test_the_exporter_sleeps_while_only_refused_points_wait() -> None:
    files = broken_disk(errno.ENOSPC)
    rig = await refusing(files, Asked(bad_lines=REFUSED))
    assert rig.buffer.held == 3
    waits = asyncio.create_task(rig.exporter.gathering.wait(0.0))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waits.done()
    files.fault = lambda operation, name: None
    rig.commit(points(101, 110))
    rig.exporter.notify()
    await waits


async def test_refused_points_that_wait_for_the_disk_are_handed_over() -> None:
    rig = await refusing(broken_disk(errno.ENOSPC), Asked(bad_lines=REFUSED))

    assert set(rig.buffer.close(hand_over=True)) == REFUSED


async def test_refused_points_that_wait_for_the_disk_are_lost_at_the_end() -> None:
    rig = await refusing(broken_disk(errno.ENOSPC), Asked(bad_lines=REFUSED))
    rig.buffer.close()

    assert rig.ledger.lost == {"stopped": 3}
    assert rig.ledger.waiting == 0
    rig.assert_adds_up()


async def test_memory_is_for_the_newest_points_also_beside_refused_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = Asked(bad_lines=REFUSED)
    rig = await refusing(broken_disk(errno.ENOSPC), database)
    monkeypatch.setattr(held, "HELD_POINTS", 10)
    database.is_down = True
    rig.commit(points(101, 109))

    assert rig.buffer.held == rig.ledger.waiting == 10
    assert rig.ledger.lost == {"memory_full": 2}
    database.is_down = False
    rig.clocks.monotonic += 3600
    await rig.deliver(10)
    assert database.stored[-9:] == points(101, 109)
    assert set(rig.buffer.close(hand_over=True)) == {points(60, 60)[0]}
    rig.assert_adds_up()


async def test_points_behind_expired_ones_are_delivered() -> None:
    database = Asked(keeps=30 * DAY)
    files = broken_disk(errno.ENOSPC)
    fault, files.fault = files.fault, lambda operation, name: None
    rig = Rig(files, database)
    rig.commit()
    rig.clocks.wall = NOON + 40 * DAY
    await rig.exporter.ages.read_retention()
    files.fault = fault
    old, fresh = points(1, 50), points(39 * DAY * 1000, 39 * DAY * 1000 + 49)
    mixed = [line for pair in zip(old, fresh, strict=True) for line in pair]
    for first in range(0, 100, 20):
        rig.commit(mixed[first : first + 20])
        await rig.deliver(5)

    assert database.stored == fresh
    assert rig.ledger.waiting == 50
    rig.assert_adds_up()
    files.fault = lambda operation, name: None
    rig.commit()
    await rig.deliver(5)
    assert quarantined(rig) == old
    assert database.stored == fresh
    assert (rig.ledger.quarantined, rig.ledger.written, rig.ledger.waiting) == (50, 50, 0)
    rig.assert_adds_up()
