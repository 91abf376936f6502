"""A spool that has no room gives points up, and counts them."""

import errno

import pytest

from custom_components.ha_ingestor.pipeline.spool.room import SpoolFullError
from custom_components.ha_ingestor.pipeline.spool.settings import WhenFull
from tests.pipeline.memory_files import MemoryFiles

from .rig import NOON, Clock, append, balanced, drain, lines, opened


def test_a_full_spool_gives_up_its_oldest_points_and_counts_them() -> None:
    spool = opened(MemoryFiles(), segment_bytes=5_000, max_bytes=20_000)
    append(spool, lines(1, 3000))

    assert spool.disk_bytes <= 20_000
    assert spool.ledger.evicted > 0
    assert drain(spool) == lines(spool.ledger.evicted + 1, 3000)
    assert balanced(spool)


def test_a_full_spool_that_keeps_its_oldest_points_takes_no_new_ones_until_there_is_room() -> None:
    spool = opened(MemoryFiles(), segment_bytes=5_000, max_bytes=20_000, full=WhenFull.NEWEST)
    refused = lines(1, 3000)
    with pytest.raises(SpoolFullError):
        append(spool, refused)
    first = 3000 - len(refused)

    assert 0 < spool.disk_bytes <= 20_000
    assert refused == lines(first + 1, 3000)
    assert drain(spool) == lines(1, first)
    assert spool.ledger.evicted == 0
    append(spool, lines(3001, 3010))
    assert drain(spool) == lines(3001, 3010)


def test_a_low_disk_makes_a_spool_that_keeps_its_oldest_points_take_no_new_ones() -> None:
    files = MemoryFiles()
    spool = opened(files, segment_bytes=5_000, full=WhenFull.NEWEST)
    append(spool, lines(1, 3000))
    size = spool.disk_bytes
    files.free = 100 * 1024 * 1024
    with pytest.raises(SpoolFullError):
        append(spool, lines(3001, 6000))

    assert spool.disk_bytes == size
    assert drain(spool) == lines(1, 3000)
    append(spool, lines(6001, 6010))
    assert drain(spool) == lines(6001, 6010)


def test_points_that_are_too_old_are_evicted_from_a_spool_that_keeps_its_oldest_ones() -> None:
    clock = Clock()
    spool = opened(MemoryFiles(), clock, segment_bytes=1_000, max_age=3600.0, full=WhenFull.NEWEST)
    append(spool, lines(1, 100))
    clock.now += 3601
    append(spool, lines(101, 110))

    assert drain(spool) == lines(101, 110)
    assert spool.ledger.as_dict()["evicted_for"] == {"too_old": 100}


def test_a_batch_evicted_while_under_way_is_counted_once() -> None:
    spool = opened(MemoryFiles(), segment_bytes=5_000, max_bytes=20_000)
    append(spool, lines(1, 100))
    batch = spool.read(100, 1 << 20)
    assert batch is not None
    append(spool, lines(101, 3000))

    spool.settle(batch, "written")
    drain(spool)

    assert spool.ledger.evicted + spool.ledger.written == 3000
    assert balanced(spool)


def test_a_full_disk_keeps_what_does_not_fit_and_still_frees_space() -> None:
    files = MemoryFiles()
    spool = opened(files)
    files.capacity = files.used + 30_000
    waiting = lines(1, 5000)
    with pytest.raises(OSError, match="No space") as error:
        spool.append(waiting)
    assert error.value.errno == errno.ENOSPC
    appended = 5000 - len(waiting)
    assert 0 < appended < 5000
    assert waiting == lines(appended + 1, 5000)

    assert drain(spool) == lines(1, appended)
    while waiting:
        try:
            spool.append(waiting)
        except OSError:
            drain(spool)
    drain(spool)

    assert spool.ledger.written == 5000
    assert balanced(spool)


def test_points_too_old_for_the_user_are_evicted_and_counted() -> None:
    clock = Clock()
    spool = opened(MemoryFiles(), clock, segment_bytes=1_000, max_age=3600.0)
    append(spool, lines(1, 100))
    clock.now += 3601
    append(spool, lines(101, 110))

    assert drain(spool) == lines(101, 110)
    assert spool.ledger.as_dict()["evicted_for"] == {"too_old": 100}


@pytest.mark.parametrize("fast", [3600.0, 30 * 86_400.0])
def test_a_start_with_a_clock_that_is_fast_evicts_nothing(fast: float) -> None:
    files = MemoryFiles()
    append(opened(files), lines(1, 100))
    files.kill()
    clock, wall = Clock(), Clock(NOON + fast)
    spool = opened(files, clock, wall, segment_bytes=1_000, max_age=3000.0)
    append(spool, lines(101, 110))
    # The network tells what time it is.
    wall.now = NOON
    clock.now += 600
    append(spool, lines(111, 120))

    assert spool.ledger.evicted == 0
    assert drain(spool) == lines(1, 120)


def test_points_of_an_earlier_process_are_evicted_once_they_are_surely_too_old() -> None:
    files = MemoryFiles()
    append(opened(files), lines(1, 100))
    files.kill()
    clock, wall = Clock(), Clock(NOON + 8000)
    spool = opened(files, clock, wall, segment_bytes=1_000, max_age=9000.0)
    clock.now += 3700
    wall.now += 3700
    append(spool, lines(101, 110))

    assert drain(spool) == lines(101, 110)
    assert spool.ledger.as_dict()["evicted_for"] == {"too_old": 100}


def test_a_low_disk_is_left_to_home_assistant() -> None:
    files = MemoryFiles()
    spool = opened(files, segment_bytes=5_000)
    append(spool, lines(1, 3000))
    size = spool.disk_bytes

    files.free = 100 * 1024 * 1024
    append(spool, lines(3001, 6000))

    assert spool.disk_bytes <= size + 30_000
    assert drain(spool)[-1:] == lines(6000, 6000)
    assert balanced(spool)
    append(spool, lines(6001, 6010))
    assert drain(spool) == lines(6001, 6010)
