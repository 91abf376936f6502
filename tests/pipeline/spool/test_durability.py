"""What a power cut may cost, and what it may not."""

import errno
import math
from collections.abc import Callable
from random import Random

import pytest

from custom_components.ha_ingestor.pipeline.ledger import Ledger
from custom_components.ha_ingestor.pipeline.spool.durability import SYNC_AFTER, Durability
from tests.pipeline.memory_files import MemoryFiles

from .rig import Clock, append, balanced, drain, lines, opened, segments


def test_points_delivered_before_their_sync_was_due_are_never_synced() -> None:
    files = MemoryFiles()
    spool = opened(files)
    before = files.syncs
    for first in range(1, 1000, 10):
        append(spool, lines(first, first + 9))
        drain(spool)
        spool.work()

    assert files.syncs == before


def test_points_that_wait_are_due_for_the_disk_after_five_seconds() -> None:
    files, clock = MemoryFiles(), Clock()
    spool = opened(files, clock)
    append(spool, lines(1, 10))
    before = files.syncs
    spool.work()
    assert (files.syncs, spool.due) == (before, clock.now + SYNC_AFTER[Durability.BALANCED])

    clock.now = spool.due
    spool.work()

    assert files.syncs == before + 1
    assert spool.due == math.inf


def test_synced_points_survive_a_power_cut() -> None:
    for seed in range(200):
        files = MemoryFiles()
        spool = opened(files)
        append(spool, lines(1, 600))
        files.sync_directory()
        spool.sync()
        append(spool, lines(601, 900))
        files.cut_power(Random(seed))

        again = opened(files)
        delivered = drain(again)

        assert delivered[:600] == lines(1, 600)
        assert set(delivered) <= set(lines(1, 900))
        assert balanced(again)


class NothingUnsynced(Random):
    """A power cut after which the disk holds what was synced, and not a byte more."""

    def random(self) -> float:
        return 0.99


def test_a_power_cut_does_not_turn_delivered_points_into_lost_ones() -> None:
    files = MemoryFiles()
    spool = opened(files)
    append(spool, lines(1, 10))
    drain(spool)
    append(spool, lines(11, 20))
    files.sync_directory()
    spool.sync()
    files.cut_power(NothingUnsynced())

    again = opened(files)

    assert again.ledger.as_dict() == Ledger(received=20, captured=20, written=10).as_dict()
    assert drain(again) == lines(11, 20)


def test_a_power_cut_after_synced_points_were_delivered_does_not_call_them_lost() -> None:
    files = MemoryFiles()
    spool = opened(files)
    append(spool, lines(1, 10))
    files.sync_directory()
    spool.sync()
    drain(spool)
    files.cut_power(NothingUnsynced())

    again = opened(files)

    assert drain(again) == []
    assert again.ledger.as_dict() == Ledger(received=10, captured=10, written=10).as_dict()


def fail_once(operation: str) -> Callable[[str, str], None]:
    """Fail the next operation of a kind on a segment."""
    faults = [OSError(errno.EIO, "Input/output error")]

    def fault(asked: str, name: str) -> None:
        if asked == operation and name.endswith(".seg") and faults:
            raise faults.pop()

    return fault


def test_after_a_failed_sync_the_points_are_written_to_another_file() -> None:
    files = MemoryFiles()
    spool = opened(files)
    append(spool, lines(1, 10))
    spool.sync()
    append(spool, lines(11, 20))
    files.fault = fail_once("sync")
    with pytest.raises(OSError, match="Input/output"):
        spool.sync()
    assert spool.unsynced
    (doubtful,) = segments(files)

    append(spool, lines(21, 30))
    spool.sync()
    # What a failed sync leaves behind: pages that the system believes to be on the disk.
    files.forget(doubtful, lines(11, 11)[0].encode())
    files.cut_power(NothingUnsynced())

    again = opened(files)
    assert drain(again) == lines(1, 30)
    assert again.ledger.lost == {}


@pytest.mark.parametrize(
    ("durability", "syncs"),
    [(Durability.STRICT, 4), (Durability.BALANCED, 1), (Durability.RELAXED, 0)],
)
def test_durability_says_when_points_have_to_be_on_disk(durability: Durability, syncs: int) -> None:
    files, clock = MemoryFiles(), Clock()
    spool = opened(files, clock, durability=durability)
    before = files.syncs
    for first in (1, 11, 21, 31):
        append(spool, lines(first, first + 9))
        spool.work()
        clock.now += 1.7
    spool.work()

    assert files.syncs - before == syncs
