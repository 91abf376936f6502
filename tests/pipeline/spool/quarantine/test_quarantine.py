"""The quarantine: whatever fails in between, a record is replayed once, and none is forgotten."""

import contextlib
import errno
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from custom_components.ha_ingestor.pipeline.ledger import Ledger
from custom_components.ha_ingestor.pipeline.slices import Slices, complete
from custom_components.ha_ingestor.pipeline.spool.buffer import Buffer
from custom_components.ha_ingestor.pipeline.spool.quarantine.numbered_files import FILE_BYTES
from custom_components.ha_ingestor.pipeline.spool.quarantine.position import NAME as POSITION_FILE
from custom_components.ha_ingestor.pipeline.spool.quarantine.quarantine import Quarantine
from custom_components.ha_ingestor.pipeline.spool.quarantine.records import RejectedPoint
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings, WhenFull
from custom_components.ha_ingestor.pipeline.spool.spool import Spool
from tests.pipeline.memory_files import MemoryFiles
from tests.pipeline.state_events import NOON

LINES = [f'm,s={number % 9} v={number},t="{"x" * 150}" {number}000' for number in range(1200)]


class Killed(BaseException):
    """The process ends here."""


class Process:
    """A spool, a buffer and a quarantine of one process on a directory."""

    def __init__(self, files: MemoryFiles, **limits: Any) -> None:
        self.files = files
        self.ledger = Ledger()
        settings = SpoolSettings(segment_bytes=20_000, compress=False, **limits)
        self.spool = Spool(files, self.ledger, lambda: 0.0, lambda: NOON, settings)
        self.buffer = Buffer(self.spool, self.ledger)
        self.quarantine = Quarantine(files, "the database")
        self.buffer.when_opened = self.quarantine.resume
        self.buffer.commit([])

    def replay(self) -> int:
        return complete(self.quarantine.replay(self.buffer.requeue, lambda: self.buffer.appended))

    def commit(self, *lines: str) -> None:
        self.ledger.received += len(lines)
        self.buffer.commit(list(lines))

    def found(self) -> list[str]:
        """Everything that waits in the spool, and what is in quarantine."""
        lines: list[str] = []
        while batch := self.buffer.read(5000, 1 << 20):
            lines += batch.payload.decode().split("\n")
            self.buffer.settle(batch, "written")
        return lines + [record["line"] for record in complete(self.quarantine.records())]


def filled(files: MemoryFiles) -> Process:
    """Put all lines into quarantine, as an exporter does: they were in the spool before."""
    process = Process(files)
    process.commit(*LINES)
    while batch := process.buffer.read(400, 1 << 20):
        numbers = [seq for first, last in batch.spans for seq in range(first, last + 1)]
        lines = batch.payload.decode().split("\n")
        process.quarantine.add_all(list(zip(numbers, lines, strict=True)), status=422, reason="no")
        process.buffer.settle(batch, "quarantined")
    return process


def assert_once(found: list[str], *more: str) -> None:
    counts = Counter(found)
    expected = [*LINES, *more]
    assert {line: count for line, count in counts.items() if count > 1} == {}
    assert sorted(counts) == sorted(expected)


def at(
    number: int, error: Callable[[], BaseException], *, stays: bool
) -> Callable[[str, str], None]:
    """Fail at an operation of this number, and for ever after if it stays."""
    seen = 0

    def fault(_operation: str, _name: str) -> None:
        nonlocal seen
        seen += 1
        if seen == number or (stays and seen > number):
            raise error()

    return fault


def operations(act: Callable[[Process], object]) -> int:
    """Count the operations on files that an action takes."""
    process = filled(MemoryFiles())
    count = 0

    def fault(_operation: str, _name: str) -> None:
        nonlocal count
        count += 1

    process.files.fault = fault
    act(process)
    return count


def steps(act: Callable[[Process], object]) -> Iterator[int]:
    count = operations(act)
    assert count > 5
    return iter(range(1, count + 1, max(count // 60, 1)))


def no_fault(_operation: str, _name: str) -> None:
    """Nothing fails."""


def test_a_replay_brings_every_record_to_the_spool_and_leaves_none() -> None:
    process = filled(MemoryFiles())

    assert process.replay() == 1200
    assert complete(process.quarantine.records()) == []
    assert [name for name in process.files.names() if name.endswith(".ndjson")] == []
    assert_once(process.found())
    assert process.replay() == 0


@pytest.mark.parametrize("stays", [False, True], ids=["once", "for ever"])
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_replay_that_fails_can_be_repeated_and_brings_each_record_once(
    code: int, *, stays: bool
) -> None:
    for step in steps(Process.replay):
        process = filled(MemoryFiles())
        process.files.fault = at(step, lambda: OSError(code, "no"), stays=stays)
        for _ in range(3):
            try:
                process.replay()
            except OSError:
                process.commit(f"m between=1 {step}")
                break
        process.files.fault = no_fault
        process.commit()
        process.replay()

        found = process.found()
        assert_once([line for line in found if "between" not in line])
        assert complete(process.quarantine.records()) == []
        assert process.ledger.quarantined >= 0


def test_what_a_full_spool_does_not_take_of_a_replay_stays_in_quarantine() -> None:
    filled(files := MemoryFiles()).spool.close()
    process = Process(files, max_bytes=100_000, full=WhenFull.NEWEST)
    with pytest.raises(OSError, match="full"):
        process.replay()
    left = [record["line"] for record in complete(process.quarantine.records())]

    assert 0 < len(left) < len(LINES)
    assert process.ledger.evicted == 0
    assert process.ledger.replayed == len(LINES) - len(left)
    assert_once(process.found())


def in_slices(slices: Slices[int], between: Callable[[int], None]) -> int:
    """Do something between any two slices, and say after how many."""
    for number in itertools.count(1):
        try:
            next(slices)
        except StopIteration as end:
            result: int = end.value
            return result
        between(number)
    raise AssertionError("it never ends")


def replay_beside_commits(process: Process) -> int:
    replay = process.quarantine.replay(process.buffer.requeue, lambda: process.buffer.appended)
    return in_slices(replay, lambda number: process.commit(f"m n={number} 1"))


def test_points_that_are_committed_during_a_replay_are_neither_lost_nor_counted_as_replayed() -> (
    None
):
    process = filled(MemoryFiles())

    assert replay_beside_commits(process) == process.ledger.replayed == 1200
    found = process.found()
    committed = [line for line in found if line.startswith("m n=")]
    assert len(committed) > 3
    assert_once(found, *committed)


@pytest.mark.parametrize("after", range(1, 7))
def test_records_that_are_added_during_a_replay_stay_in_quarantine(after: int) -> None:
    process = filled(MemoryFiles())

    def add(number: int) -> None:
        if number == after:
            process.quarantine.add(seq=5000, line="m new=1 1", status=422, reason="no")

    replay = process.quarantine.replay(process.buffer.requeue, lambda: process.buffer.appended)
    in_slices(replay, add)
    records = complete(process.quarantine.records())
    assert "m new=1 1" in [record["line"] for record in records] or process.ledger.replayed == 1201
    assert_once(process.found(), "m new=1 1")


@pytest.mark.parametrize("after", range(1, 4))
def test_records_that_are_added_during_a_purge_are_counted_if_they_are_deleted(after: int) -> None:
    process = filled(MemoryFiles())

    def add(number: int) -> None:
        if number == after:
            process.quarantine.add(seq=5000, line="m new=1 1", status=422, reason="no")

    purged = in_slices(process.quarantine.purge(), add)
    assert purged + len(complete(process.quarantine.records())) == 1201


@pytest.mark.parametrize("replay", [Process.replay, replay_beside_commits])
def test_a_process_killed_in_a_replay_leaves_each_record_once(
    replay: Callable[[Process], int],
) -> None:
    for step in steps(replay):
        process = filled(MemoryFiles())
        process.files.fault = at(step, Killed, stays=True)
        with pytest.raises(Killed):
            replay(process)
        process.files.fault = no_fault
        process.files.kill()

        second = Process(process.files)
        assert second.ledger.imbalance(second.spool.pending) == ""
        second.commit("m later=1 1", "m later=2 2")
        process.files.kill()

        third = Process(process.files)
        third.replay()
        assert complete(third.quarantine.records()) == []
        found = [line for line in third.found() if not line.startswith("m n=")]
        assert_once(found, "m later=1 1", "m later=2 2")
        # But for a point that was being committed when the process was killed.
        assert third.ledger.lost.total() <= (replay is replay_beside_commits)
        assert third.ledger.imbalance(third.spool.pending) == ""


def test_what_a_killed_replay_has_left_stays_when_its_position_cannot_be_stored_for_long() -> None:
    def broken(operation: str, name: str) -> None:
        if (operation, name) == ("write", POSITION_FILE):
            raise OSError(errno.EIO, "Input/output error")

    later = [f"m later={number} {number}" for number in range(700)]
    for step in steps(Process.replay):
        process = filled(MemoryFiles())
        process.files.fault = at(step, Killed, stays=True)
        with pytest.raises(Killed):
            process.replay()
        process.files.kill()

        process.files.fault = broken
        second = Process(process.files)
        second.commit(*later)
        process.files.kill()

        process.files.fault = no_fault
        third = Process(process.files)
        third.replay()
        assert_once(third.found(), *later)
        assert third.ledger.lost.total() == 0


def test_a_power_cut_in_a_replay_leaves_each_record_once() -> None:
    for step in steps(Process.replay):
        process = filled(MemoryFiles())
        process.files.sync_directory()
        process.files.fault = at(step, Killed, stays=True)
        with pytest.raises(Killed):
            process.replay()
        process.files.fault = no_fault
        process.files.cut_power(Random(step))

        second = Process(process.files)
        second.replay()
        assert_once(second.found())


def test_a_purge_is_complete_even_where_no_file_can_be_removed() -> None:
    process = filled(MemoryFiles())

    def no_removal(operation: str, _name: str) -> None:
        if operation == "remove":
            raise OSError(errno.EACCES, "Permission denied")

    process.files.fault = no_removal
    assert complete(process.quarantine.purge()) == 1200
    assert complete(process.quarantine.records()) == []
    process.files.kill()
    second = Process(process.files)
    assert complete(second.quarantine.records()) == []
    assert complete(second.quarantine.purge()) == 0

    second.quarantine.add(seq=9999, line="m new=1 1", status=400, reason="no")
    assert [record["line"] for record in complete(second.quarantine.records())] == ["m new=1 1"]
    process.files.fault = no_fault
    assert complete(second.quarantine.purge()) == 1
    assert [name for name in process.files.names() if name.endswith(".ndjson")] == []


def test_a_purge_works_on_a_disk_that_takes_nothing() -> None:
    process = filled(MemoryFiles())

    def read_only(operation: str, _name: str) -> None:
        if operation in {"create", "write"}:
            raise OSError(errno.ENOSPC, "No space left on device")

    process.files.fault = read_only
    assert complete(process.quarantine.purge()) == 1200
    assert complete(process.quarantine.records()) == []


def test_a_purge_that_can_change_nothing_says_so_and_changes_nothing() -> None:
    process = filled(MemoryFiles())
    reads = {"read", "names"}

    def dead(operation: str, _name: str) -> None:
        if operation not in reads:
            raise OSError(errno.EIO, "no")

    process.files.fault = dead
    for _ in range(3):
        with pytest.raises(OSError, match="no"):
            complete(process.quarantine.purge())
        assert len(complete(process.quarantine.records())) == 1200

    process.files.fault = no_fault
    assert complete(process.quarantine.purge()) == 1200
    assert complete(process.quarantine.records()) == []


def test_a_purge_that_fails_or_is_killed_leaves_all_or_nothing() -> None:
    for step in steps(lambda process: complete(process.quarantine.purge())):
        for error in (Killed, OSError):
            process = filled(MemoryFiles())
            process.files.fault = at(step, error, stays=True)
            with contextlib.suppress(Killed, OSError):
                complete(process.quarantine.purge())
            process.files.fault = no_fault
            process.files.kill()

            second = Process(process.files)
            assert len(complete(second.quarantine.records())) in {0, 1200}
            complete(second.quarantine.purge())
            assert complete(second.quarantine.records()) == []


def test_thousands_of_records_cost_a_write_for_each_file() -> None:
    files = MemoryFiles()
    quarantine = Quarantine(files)
    quarantine.add_all(list(enumerate(LINES, 1)), status=422, reason="no")

    assert files.syncs <= 1 + files.used // FILE_BYTES
    assert [record["line"] for record in complete(quarantine.records())] == LINES


def test_records_that_are_added_again_after_a_failure_count_once() -> None:
    for step in range(1, 12):
        files = MemoryFiles()
        quarantine = Quarantine(files)
        points = list(enumerate(LINES[:50], 1))
        quarantine.add_all(points[:10], status=422, reason="no")
        files.fault = at(step, lambda: OSError(errno.EIO, "no"), stays=False)
        for _ in range(2):
            try:
                quarantine.add_all(points[10:], status=422, reason="no")
            except OSError:
                continue
            break
        files.fault = no_fault

        assert [record["line"] for record in complete(quarantine.records())] == LINES[:50]
        restarted = Quarantine(files)
        restarted.add_all(points[10:], status=422, reason="no")
        assert [record["seq"] for record in complete(restarted.records())] == list(range(1, 51))


def test_only_a_point_that_was_refused_for_what_it_is_is_found_by_a_later_process() -> None:
    files = MemoryFiles()
    first = Quarantine(files)
    first.add(seq=3, line="a v=1 3", status=400, reason="no")
    first.add_all([(4, "b v=1 4")], status=0, reason="Older than the retention")

    second = Quarantine(files)
    complete(second.find_newest())
    assert second.newest == RejectedPoint(line="a v=1 3", reason="no", seq=3)
    second.forget()

    third = Quarantine(files)
    complete(third.find_newest())
    assert third.newest is None
    third.add(seq=5, line="a v=1 3", status=400, reason="no")

    fourth = Quarantine(files)
    complete(fourth.find_newest())
    assert fourth.newest
    assert fourth.newest.seq == 5
    assert len(complete(fourth.records())) == 3
