"""The spool keeps what it was given, in order, through every way a process or a disk can end."""

import errno
import os
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from custom_components.ha_ingestor.pipeline.files import OsFiles
from custom_components.ha_ingestor.pipeline.ledger import Ledger
from custom_components.ha_ingestor.pipeline.spool.packing import FRAME_POINTS
from custom_components.ha_ingestor.pipeline.spool.segments import frame
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings
from custom_components.ha_ingestor.pipeline.spool.spool import Spool
from tests.pipeline.memory_files import MemoryFiles

from .rig import NOON, Clock, append, balanced, drain, lines, opened, segments


def test_lines_are_read_from_the_spool_as_they_were_appended() -> None:
    spool = opened(MemoryFiles())
    append(spool, lines(1, 1234))
    append(spool, lines(1235, 1300))

    assert drain(spool) == lines(1, 1300)
    assert spool.pending == 0
    assert spool.ledger.written == spool.ledger.captured == 1300


def test_append_takes_the_lines_out_of_the_list_it_was_given() -> None:
    spool = opened(MemoryFiles())
    waiting = lines(1, 3)
    append(spool, waiting)

    assert waiting == []


def test_an_unsettled_batch_is_read_again_unchanged() -> None:
    spool = opened(MemoryFiles())
    append(spool, lines(1, 700))

    assert spool.read(5000, 1 << 20) == spool.read(5000, 1 << 20)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 499, 500, 501])
def test_batches_of_any_size_deliver_every_line_once(size: int) -> None:
    spool = opened(MemoryFiles())
    append(spool, lines(1, 1201))

    assert drain(spool, size) == lines(1, 1201)


def test_a_killed_process_loses_nothing_that_was_appended() -> None:
    files = MemoryFiles()
    spool = opened(files)
    append(spool, lines(1, 900))
    batch = spool.read(333, 1 << 20)
    assert batch is not None
    spool.settle(batch, "written")
    files.kill()

    again = opened(files)

    assert again.ledger.captured == 900
    assert again.ledger.written == 333
    assert drain(again) == lines(334, 900)
    assert balanced(again)


def test_an_emptied_spool_remembers_its_counts() -> None:
    files = MemoryFiles()
    spool = opened(files)
    spool.ledger.received += 5
    spool.ledger.filtered["own_entity"] += 5
    append(spool, lines(1, 10))
    drain(spool)
    spool.close()

    again = opened(files)

    assert (again.ledger.captured, again.ledger.written, again.pending) == (10, 10, 0)
    assert again.ledger.as_dict()["filtered"] == {"own_entity": 5}
    assert again.ledger.as_dict()["received"] == 15


def test_what_was_delivered_takes_no_disk_space() -> None:
    files = MemoryFiles()
    spool = opened(files, segment_bytes=10_000)
    append(spool, lines(1, 5000))
    assert len(segments(files)) > 5

    drain(spool)

    assert spool.disk_bytes == 0
    assert len(segments(files)) <= 1


def test_a_tail_torn_at_any_byte_costs_only_the_frame_it_tore() -> None:
    cut = 0
    ends = [1]
    while cut < ends[-1]:
        files = MemoryFiles()
        spool = opened(files)
        ends = []
        for first in (1, 6, 11, 16):
            append(spool, lines(first, first + 4))
            ends.append(spool.disk_bytes)
        (name,) = segments(files)
        files.kill()
        files.cut(name, cut)
        whole = sum(1 for end in ends if end <= cut)

        assert drain(opened(files)) == lines(1, whole * 5)
        cut += 1


def test_flipped_bits_never_come_out_as_points() -> None:
    good = set(lines(1, 200))
    for position in range(0, 6000, 7):
        files = MemoryFiles()
        spool = opened(files)
        for first in range(1, 200, 10):
            append(spool, lines(first, first + 9))
        (name,) = segments(files)
        files.kill()
        files.damage(name, position % spool.disk_bytes)

        again = opened(files)
        delivered = drain(again)

        assert set(delivered) <= good
        assert len(delivered) == len(set(delivered))
        assert balanced(again)
        if len(delivered) < 200 and delivered[-1] == lines(200, 200)[0]:
            assert again.ledger.lost == {"damaged": 200 - len(delivered)}


def test_the_oldest_pending_point_is_as_old_as_its_frame() -> None:
    files, clock, wall = MemoryFiles(), Clock(), Clock(NOON)
    limits: dict[str, Any] = {"segment_bytes": 5_000, "max_bytes": 20_000}
    spool = opened(files, clock, wall, **limits)
    for number in range(6):
        append(spool, lines(number * 10 + 1, number * 10 + 10))
        clock.now += 3600
    assert spool.oldest_age == 6 * 3600
    for _ in range(2):
        batch = spool.read(15, 1 << 20)
        assert batch is not None
        spool.settle(batch, "written")
    assert spool.read(1, 1 << 20)
    assert spool.oldest_age == 3 * 3600

    # What is evicted was the oldest, whether it was read or not.
    append(spool, lines(61, 2000))
    assert spool.ledger.evicted > 0
    assert spool.oldest_age == 0
    clock.now += 60
    assert spool.oldest_age == 60
    files.kill()
    again = opened(files, Clock(5.0), Clock(NOON + 6 * 3600 + 100), **limits)
    assert again.oldest_age == 100
    drain(again)
    assert again.oldest_age is None


@pytest.mark.parametrize("jump", [-NOON, -3600.0, 3600.0, 30 * 86_400.0])
def test_the_age_of_a_point_does_not_depend_on_the_wall_clock(jump: float) -> None:
    clock, wall = Clock(), Clock(NOON)
    spool = opened(MemoryFiles(), clock, wall)
    append(spool, lines(1, 10))
    clock.now += 7
    wall.now += jump

    assert spool.oldest_age == 7


def test_the_age_of_points_from_before_the_clock_was_set_is_unknown() -> None:
    files = MemoryFiles()
    append(opened(files, wall=Clock(7.0)), lines(1, 10))
    files.kill()

    spool = opened(files, wall=Clock(NOON))

    assert spool.oldest_age is None
    assert spool.pending == 10


def test_a_damaged_cursor_costs_repetitions_and_no_points() -> None:
    files = MemoryFiles()
    spool = opened(files)
    append(spool, lines(1, 100))
    batch = spool.read(40, 1 << 20)
    assert batch is not None
    spool.settle(batch, "written")
    files.kill()
    files.cut("cursor", 100)

    again = opened(files)

    assert drain(again)[-60:] == lines(41, 100)
    assert balanced(again)


def test_foreign_files_in_the_directory_are_left_alone() -> None:
    files = MemoryFiles()
    for name, content in {"notes.txt": b"mine", "00000000000000000007.seg": b"no frame"}.items():
        fd = files.create(name)
        files.write(fd, content, 0)
    spool = opened(files)
    append(spool, lines(1, 10))

    assert drain(spool) == lines(1, 10)
    assert "notes.txt" in files.names()


def test_huge_lines_are_spread_over_frames() -> None:
    spool = opened(MemoryFiles())
    long = [f'm,s={number} v="{"x" * 30_000}" {number}' for number in range(40)]
    append(spool, list(long))

    assert drain(spool) == long


class SpoolMachine(RuleBasedStateMachine):
    """The spool against a list: kills lose nothing, power cuts only what was not synced."""

    @initialize()
    def start(self) -> None:
        self.files = MemoryFiles()
        self.spool = opened(self.files, segment_bytes=2_000)
        self.appended = 0
        self.settled = 0
        self.synced = 0

    @rule(count=st.integers(1, FRAME_POINTS + 20))
    def append(self, count: int) -> None:
        append(self.spool, lines(self.appended + 1, self.appended + count))
        self.appended += count

    @rule()
    def sync(self) -> None:
        self.spool.sync()
        self.files.sync_directory()
        self.synced = self.appended

    @rule(size=st.integers(1, 800), verdict=st.sampled_from(["written", "quarantined"]))
    def deliver(self, size: int, verdict: str) -> None:
        batch = self.spool.read(size, 1 << 20)
        if batch is None:
            assert self.settled == self.appended
            return
        expected = lines(self.settled + 1, min(self.settled + size, self.appended))
        got = batch.payload.decode().split("\n")
        assert got == expected[: len(got)]
        self.spool.settle(batch, verdict)  # type: ignore[arg-type]
        self.settled += batch.count

    @rule()
    def kill(self) -> None:
        self.files.kill()
        self.spool = opened(self.files, segment_bytes=2_000)
        assert self.spool.ledger.captured == self.appended
        assert self.spool.pending == self.appended - self.settled

    @rule(seed=st.integers(0, 2**32))
    def cut_power(self, seed: int) -> None:
        self.files.cut_power(Random(seed))
        self.spool = opened(self.files, segment_bytes=2_000)
        delivered = drain(self.spool)
        wanted = lines(self.settled + 1, max(self.synced, self.settled))
        missing = set(wanted) - set(delivered)
        assert not missing
        assert set(delivered) <= set(lines(1, self.appended))
        assert balanced(self.spool)
        # What was lost is lost; the story goes on from an empty spool.
        self.start()

    @invariant()
    def adds_up(self) -> None:
        assert balanced(self.spool)


SpoolMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestSpoolAgainstAList = SpoolMachine.TestCase


def test_compressed_lines_are_read_unchanged_and_take_less_than_a_quarter() -> None:
    plain, compressed = opened(MemoryFiles()), opened(MemoryFiles(), compress=True)
    append(plain, lines(1, 2000))
    append(compressed, lines(1, 2000))

    assert compressed.disk_bytes < plain.disk_bytes / 4
    assert drain(compressed) == lines(1, 2000)


def test_a_start_decompresses_nothing_as_events_wait_in_memory_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = MemoryFiles()
    append(opened(files, compress=True), lines(1, 2000))
    files.kill()
    with monkeypatch.context() as starting:
        starting.setattr(frame, "_DECOMPRESS", dict.fromkeys(frame._DECOMPRESS))
        again = opened(files)

    assert again.pending == 2000
    assert drain(again) == lines(1, 2000)


def test_frames_of_another_version_are_skipped_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = MemoryFiles()
    spool = opened(files)
    append(spool, lines(1, 10))
    with monkeypatch.context() as newer:
        newer.setattr(frame, "VERSION", frame.VERSION + 1)
        append(spool, lines(11, 20))
    append(spool, lines(21, 30))
    files.kill()

    again = opened(files)

    assert drain(again) == lines(1, 10) + lines(21, 30)
    assert again.ledger.lost == {"damaged": 10}


def test_a_second_instance_is_kept_out_of_the_directory(tmp_path: Path) -> None:
    first = Spool(OsFiles(tmp_path), Ledger(), Clock(), lambda: NOON, SpoolSettings())
    second = Spool(OsFiles(tmp_path), Ledger(), Clock(), lambda: NOON, SpoolSettings())
    first.open()
    with pytest.raises(BlockingIOError, match="another Home Assistant"):
        second.open()

    append(first, lines(1, 5))
    first.close()
    second.open()
    assert drain(second) == lines(1, 5)
    second.close()


def test_the_small_frames_of_an_ordinary_home_are_compressed_once_they_wait_for_long() -> None:
    plain, compressed = opened(MemoryFiles()), opened(MemoryFiles(), compress=True)

    def grow(first: int, last: int) -> tuple[int, int]:
        """Append three long lines with each commit; returns how much either spool grows."""
        before = plain.disk_bytes, compressed.disk_bytes
        for number in range(first, last, 3):
            part = [f"{line} {'text ' * 100}" for line in lines(number, number + 2)]
            append(plain, [*part])
            append(compressed, [*part])
        return plain.disk_bytes - before[0], compressed.disk_bytes - before[1]

    at_first = grow(1, 300)
    grow(301, 600)
    later = grow(601, 900)
    assert at_first[0] == at_first[1]
    assert later[1] < later[0] / 3
    assert drain(compressed) == drain(plain)


def test_a_file_system_without_locks_costs_no_descriptor_with_each_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_fd: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    files = OsFiles(tmp_path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(OSError, match="No locks available"):
            files.lock()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("place", ["cursor", "cursor-2", "*.seg"])
def test_a_pipe_in_the_place_of_a_file_holds_up_nobody(tmp_path: Path, place: str) -> None:
    first = Spool(OsFiles(tmp_path), Ledger(), Clock(), Clock(NOON), SpoolSettings())
    first.open()
    append(first, lines(1, 3))
    first.close()
    file = next(tmp_path.glob(place))
    file.unlink()
    os.mkfifo(file)
    second = Spool(OsFiles(tmp_path), Ledger(), Clock(), Clock(NOON), SpoolSettings())

    def open_after_some_attempts() -> None:
        while not second.is_open:
            with suppress(OSError):
                second.open()
        append(second, lines(4, 4))

    thread = Thread(target=open_after_some_attempts, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert second.ledger.captured == 4
