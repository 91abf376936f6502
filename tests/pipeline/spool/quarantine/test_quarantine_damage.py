"""Files of the quarantine that are gone, bad or stuck: what is kept elsewhere stays reachable."""

import errno
from collections.abc import Callable
from contextlib import suppress

import pytest

from custom_components.ha_ingestor.pipeline.slices import complete
from custom_components.ha_ingestor.pipeline.spool.quarantine import numbered_files as module
from custom_components.ha_ingestor.pipeline.spool.quarantine.appended import Appended
from custom_components.ha_ingestor.pipeline.spool.quarantine.quarantine import Quarantine
from tests.faults.memory_driver import StubbornDisk
from tests.pipeline.memory_files import MemoryFiles

POSITION = "quarantine-position"


def points(first: int, last: int) -> list[tuple[int, str]]:
    return [(number, f'm state="{number}" {number}') for number in range(first, last + 1)]


class Spool:
    """Takes lines back, until it is full."""

    def __init__(self, last_seq: int, room: int = 1_000_000) -> None:
        self.last_seq = last_seq
        self.room = room
        self.lines: list[str] = []

    def requeue(self, lines: list[str]) -> None:
        if self.room < len(lines):
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(lines)
        self.last_seq += len(lines)
        self.lines += lines
        lines.clear()


def opened(disk: StubbornDisk, last_seq: int = 0) -> Quarantine:
    quarantine = Quarantine(disk, "db")
    quarantine.resume(Appended(last_seq, last_seq, 0))
    return quarantine


def put(quarantine: Quarantine, first: int, last: int) -> None:
    if isinstance(disk := quarantine._files._files, StubbornDisk):
        disk.operations = 0  # of one step
    quarantine.add_all(points(first, last), status=422, reason="conflict")


def kept(quarantine: Quarantine) -> list[int]:
    return [record["seq"] for record in complete(quarantine.records())]


def replayed(quarantine: Quarantine, spool: Spool) -> int:
    return complete(
        quarantine.replay(
            spool.requeue, lambda: Appended(spool.last_seq, spool.last_seq, len(spool.lines))
        )
    )


def files_of(disk: StubbornDisk) -> list[str]:
    return [name for name in disk.names() if name.endswith(".ndjson")]


def half_replayed(disk: StubbornDisk) -> Quarantine:
    """Put 600 records aside, of which 500 were replayed when the spool was full."""
    quarantine = opened(disk)
    put(quarantine, 1, 600)
    with pytest.raises(OSError, match="No space"):
        replayed(quarantine, Spool(600, room=500))
    assert kept(quarantine) == list(range(501, 601))
    return quarantine


def same(_disk: StubbornDisk, quarantine: Quarantine) -> Quarantine:
    return quarantine


def restarted(disk: StubbornDisk, _quarantine: Quarantine) -> Quarantine:
    disk.kill()
    return opened(disk, 5_000)


RUNS: list[Callable[[StubbornDisk, Quarantine], Quarantine]] = [same, restarted]


@pytest.mark.parametrize("go_on", RUNS)
@pytest.mark.parametrize("count", [1, 300, 500, 700])
def test_a_replay_that_stopped_hides_nothing_that_comes_after_its_files_were_deleted(
    count: int, go_on: Callable[[StubbornDisk, Quarantine], Quarantine]
) -> None:
    disk = StubbornDisk()
    quarantine = half_replayed(disk)
    for name in files_of(disk):
        disk.remove(name)
    quarantine = go_on(disk, quarantine)

    for number in range(2001, 2001 + count):
        put(quarantine, number, number)

    assert kept(quarantine) == list(range(2001, 2001 + count))
    assert files_of(disk) == ["quarantine-000002.ndjson"]
    assert kept(restarted(disk, quarantine)) == list(range(2001, 2001 + count))


@pytest.mark.parametrize("go_on", RUNS)
def test_a_purge_whose_position_cannot_be_stored_hides_nothing_that_comes_after_it(
    go_on: Callable[[StubbornDisk, Quarantine], Quarantine],
) -> None:
    disk = StubbornDisk()
    quarantine = half_replayed(disk)
    disk.broken[f"sync {POSITION}"] = errno.EIO
    assert complete(quarantine.purge()) == 100
    quarantine = go_on(disk, quarantine)
    disk.broken.clear()

    put(quarantine, 2001, 2300)

    assert kept(quarantine) == list(range(2001, 2301))
    assert kept(restarted(disk, quarantine)) == list(range(2001, 2301))
    spool = Spool(5_000)
    assert replayed(quarantine, spool) == 300
    assert len(spool.lines) == 300


def test_a_number_of_a_file_is_not_used_again_when_all_files_were_deleted() -> None:
    disk = StubbornDisk()
    quarantine = opened(disk)
    seen: set[str] = set()
    for number in range(1, 6):
        put(quarantine, number, number)
        (name,) = files_of(disk)
        assert name not in seen
        seen.add(name)
        disk.remove(name)
        quarantine = restarted(disk, quarantine)


def test_a_file_that_came_back_with_other_records_hides_none_of_them() -> None:
    disk = StubbornDisk()
    half_replayed(disk)
    other = StubbornDisk()
    put(opened(other), 3001, 3700)
    (name,) = files_of(disk)
    disk.remove(name)
    fd = disk.create(name)
    disk.write(fd, other.read(name, 0, 1 << 20), 0)
    disk.close(fd)

    assert kept(opened(disk, 5_000)) == list(range(3001, 3701))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(b"[" * 200_000, id="lists"),
        pytest.param(b'{"seq":' * 100_000, id="objects"),
        pytest.param(b"9" * 10_000, id="number"),
    ],
)
def test_a_damaged_line_hides_no_other_record(damage: bytes) -> None:
    disk = StubbornDisk()
    put(opened(disk), 1, 10)
    (name,) = files_of(disk)
    content = disk.read(name, 0, 1 << 20)
    fd = disk.open(name)
    disk.write(fd, damage + b"\n" + content, 0)
    disk.close(fd)

    assert kept(opened(disk, 100)) == list(range(1, 11))


@pytest.mark.parametrize("content", [b"", b"nonsense", b"{}", b"[1]", b"\xff" * 8192])
def test_a_position_that_makes_no_sense_hides_nothing(content: bytes) -> None:
    disk = StubbornDisk()
    half_replayed(disk)
    disk.remove(POSITION)
    fd = disk.create(POSITION)
    disk.write(fd, content, 0)
    disk.close(fd)

    quarantine = opened(disk, 5_000)
    put(quarantine, 2001, 2001)
    assert kept(quarantine) == [*range(1, 601), 2001]


@pytest.mark.parametrize("operation", ["read", "open", "write", "sync"])
def test_one_file_that_stays_bad_takes_nothing_from_the_others(operation: str) -> None:
    disk = StubbornDisk()
    put(opened(disk), 1, 10)
    disk.broken[f"{operation} quarantine-000001.ndjson"] = errno.EIO
    quarantine = opened(disk, 10)

    for number in range(11, 61):
        try:
            put(quarantine, number, number)
        except OSError:
            put(quarantine, number, number)  # the exporter tries again

    is_readable = operation != "read"
    assert kept(quarantine) == [*(range(1, 11) if is_readable else ()), *range(11, 61)]
    assert bool(quarantine.disk_error) is not is_readable
    assert len(files_of(disk)) == 2


def test_a_replay_leaves_a_file_that_cannot_be_read_aside_until_it_can() -> None:
    disk = StubbornDisk()
    quarantine = half_replayed(disk)
    disk.broken["read quarantine-000001.ndjson"] = errno.EIO
    quarantine = restarted(disk, quarantine)
    put(quarantine, 2001, 2700)
    spool = Spool(6_000)

    assert replayed(quarantine, spool) == 700
    assert "quarantine-000001.ndjson" in quarantine.disk_error
    assert replayed(quarantine, spool) == 0
    put(quarantine, 3001, 3001)
    assert kept(quarantine) == [3001]

    disk.broken.clear()
    quarantine = restarted(disk, quarantine)
    assert kept(quarantine) == [*range(501, 601), 3001]
    assert replayed(quarantine, spool) == 101
    assert len(set(spool.lines)) == len(spool.lines) == 801
    assert quarantine.disk_error == ""
    assert files_of(disk) == []


def test_a_replay_of_what_was_left_aside_can_be_stopped_and_killed() -> None:
    disk = StubbornDisk()
    quarantine = opened(disk)
    put(quarantine, 1, 1200)
    disk.broken["read quarantine-000001.ndjson"] = errno.EIO
    quarantine = restarted(disk, quarantine)
    put(quarantine, 2001, 2010)
    spool = Spool(3_000)
    assert replayed(quarantine, spool) == 10
    disk.broken.clear()
    spool.room = 500
    with pytest.raises(OSError, match="No space"):
        replayed(quarantine, spool)

    quarantine = restarted(disk, quarantine)
    assert kept(quarantine) == list(range(501, 1201))
    spool.room = 700
    assert replayed(quarantine, spool) == 700
    assert len(set(spool.lines)) == len(spool.lines) == 1210


@pytest.mark.parametrize("broken", ["read quarantine-000001.ndjson", "* quarantine-000001.ndjson"])
@pytest.mark.parametrize("also", [[], [f"write {POSITION}"]])
def test_a_purge_deletes_only_what_can_be_read_and_counted(broken: str, also: list[str]) -> None:
    disk = StubbornDisk()
    put(opened(disk), 1, 10)
    disk.broken[broken] = errno.EIO
    quarantine = opened(disk, 10)
    put(quarantine, 11, 13)
    disk.broken |= dict.fromkeys(also, errno.EIO)

    assert complete(quarantine.purge()) == 3
    assert files_of(disk) == ["quarantine-000001.ndjson"]
    assert "quarantine-000001.ndjson: Input/output error" in quarantine.disk_error
    assert complete(quarantine.purge()) == 0
    disk.broken.clear()
    quarantine = restarted(disk, quarantine)
    assert kept(quarantine) == list(range(1, 11))
    assert complete(quarantine.purge()) == 10
    assert files_of(disk) == []
    assert quarantine.disk_error == ""


@pytest.mark.parametrize("operation", ["read", "*"])
def test_a_position_that_cannot_be_read_stops_nothing_but_is_told(operation: str) -> None:
    disk = StubbornDisk()
    quarantine = opened(disk)
    put(quarantine, 1, 10)
    replayed(quarantine, Spool(10))
    disk.broken[f"{operation} {POSITION}"] = errno.EIO
    quarantine = restarted(disk, quarantine)

    put(quarantine, 11, 20)
    assert kept(quarantine) == list(range(11, 21))
    assert POSITION in quarantine.disk_error

    disk.broken.clear()
    quarantine = restarted(disk, quarantine)
    assert kept(quarantine) == list(range(11, 21))
    assert quarantine.disk_error == ""


def test_without_a_readable_position_replay_and_purge_still_work() -> None:
    disk = StubbornDisk()
    quarantine = opened(disk)
    put(quarantine, 1, 10)
    replayed(quarantine, Spool(10))
    disk.broken[f"read {POSITION}"] = errno.EIO
    quarantine = restarted(disk, quarantine)
    put(quarantine, 11, 20)

    assert replayed(quarantine, Spool(20)) == 10
    put(quarantine, 21, 30)
    assert complete(quarantine.purge()) == 10
    disk.broken.clear()
    assert kept(restarted(disk, quarantine)) == []


def test_an_old_file_that_cannot_be_removed_lets_new_records_in_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "FILE_BYTES", 1_000)
    monkeypatch.setattr(module, "FILES_MAX", 3)
    disk = StubbornDisk()
    quarantine = opened(disk)
    for number in range(1, 31):
        put(quarantine, number, number)
    oldest = files_of(disk)[0]
    disk.broken[f"remove {oldest}"] = errno.EACCES

    for number in range(31, 61):
        put(quarantine, number, number)

    assert len(files_of(disk)) == 4
    assert oldest in quarantine.disk_error
    there = b"".join(disk.read(name, 0, 1 << 20) for name in files_of(disk))
    lines = there.splitlines()
    assert len(set(lines)) == len(lines)
    assert kept(quarantine)[-1] == 60

    disk.broken.clear()
    quarantine.recheck_files()
    assert len(files_of(disk)) == 3
    assert quarantine.disk_error == ""


def test_a_disk_that_takes_nothing_for_long_costs_no_record_that_is_there() -> None:
    disk = StubbornDisk()
    quarantine = opened(disk)
    put(quarantine, 1, 10)
    for broken in ({"write quarantine-0*"}, {"sync quarantine-0*", "remove quarantine-0*"}):
        disk.broken = dict.fromkeys(broken, errno.EIO)
        for _ in range(50):
            with pytest.raises(OSError, match="Input/output"):
                put(quarantine, 11, 12)
        disk.broken.clear()
        put(quarantine, 11, 12)

    assert kept(quarantine) == list(range(1, 13))
    assert len(files_of(disk)) < 16


@pytest.mark.parametrize("go_on", RUNS)
def test_points_that_never_were_in_the_spool_are_kept_once_however_often_it_fails(
    go_on: Callable[[StubbornDisk, Quarantine], Quarantine],
) -> None:
    disk = StubbornDisk()
    quarantine = opened(disk)
    held = [(0, line) for _, line in points(1, 3)]
    disk.broken["sync quarantine-0*"] = errno.EIO
    for _ in range(3):
        with pytest.raises(OSError, match="Input/output"):
            quarantine.add_all(held, status=422, reason="conflict")
    disk.broken.clear()
    quarantine = go_on(disk, quarantine)
    quarantine.add_all(held, status=422, reason="conflict")

    assert [record["line"] for record in complete(quarantine.records())] == [
        line for _, line in held
    ]
    spool = Spool(0)
    assert replayed(quarantine, spool) == 3
    assert len(spool.lines) == 3


def test_the_newest_quarantine_file_is_found_after_the_number_gets_longer() -> None:
    disk = StubbornDisk()
    fd = disk.create("quarantine-999999.ndjson")
    disk.write(fd, b"x" * (1 << 20), 0)
    disk.close(fd)
    quarantine = opened(disk)
    put(quarantine, 1, 2)
    put(quarantine, 3, 3)

    assert kept(restarted(disk, quarantine)) == [1, 2, 3]
    assert files_of(disk)[-1] == "quarantine-999999.ndjson"


def test_the_newest_records_are_bounded_in_number_and_in_size_and_all_are_counted() -> None:
    quarantine = opened(StubbornDisk())
    put(quarantine, 1, 3_000)

    newest, total = complete(quarantine.newest_records(10))
    assert [record["seq"] for record in newest] == list(range(2_991, 3_001))
    assert total == 3_000
    long = [(number, f'm state="{"x" * 60_000}" {number}') for number in range(4_001, 4_101)]
    quarantine.add_all(long, status=422, reason="conflict")
    newest, total = complete(quarantine.newest_records(1_000))
    assert total == 3_100
    assert newest[-1]["seq"] == 4_100
    assert 10 < len(newest) < 40
    assert complete(quarantine.newest_records(1))[0][0]["seq"] == 4_100


def test_a_purge_without_a_usable_position_hides_nothing_that_comes_after_it() -> None:
    disk = StubbornDisk()
    quarantine = opened(disk)
    for first in (1, 11, 21):
        put(quarantine, first, first + 9)
        replayed(quarantine, Spool(100))
    put(quarantine, 31, 40)
    disk.broken[f"* {POSITION}"] = errno.EIO
    quarantine = restarted(disk, quarantine)
    assert complete(quarantine.purge()) == 10
    put(quarantine, 41, 50)
    disk.broken.clear()

    assert kept(restarted(disk, quarantine)) == list(range(41, 51))


@pytest.mark.parametrize("act", ["purge", "replay"])
def test_a_file_that_could_not_be_written_is_not_used_once_the_position_has_passed_it(
    act: str,
) -> None:
    disk = StubbornDisk()
    quarantine, spool = opened(disk), Spool(100)
    put(quarantine, 1, 1)
    disk.broken |= {"write quarantine-0*": errno.EIO, "remove quarantine-0*": errno.EIO}
    for _ in range(5):
        with pytest.raises(OSError, match="Input/output"):
            put(quarantine, 2, 2)
    del disk.broken["write quarantine-0*"]
    assert (complete(quarantine.purge()) if act == "purge" else replayed(quarantine, spool)) == 1

    put(quarantine, 2, 2)

    assert kept(quarantine) == [2]
    assert kept(restarted(disk, quarantine)) == [2]


def test_a_file_that_can_neither_be_removed_nor_emptied_costs_no_descriptor() -> None:
    files = MemoryFiles()
    quarantine = Quarantine(files)
    broken = ("write quarantine-0", "remove quarantine-0", "truncate quarantine-0")

    def fail(operation: str, name: str) -> None:
        if f"{operation} {name}".startswith(broken):
            raise OSError(errno.EIO, "Input/output error", name)

    files.fault = fail
    for _ in range(10):
        with pytest.raises(OSError, match="Input/output error"):
            quarantine.add(seq=1, line="m v=1 1", status=400, reason="bad")
    assert files.descriptors == 0


@pytest.mark.parametrize(
    "operation", ["create", "write", "sync", "close", "sync_directory", "names"]
)
@pytest.mark.parametrize("before", [0, 5])
@pytest.mark.parametrize("count", [3, 30])
def test_what_could_not_be_added_is_replayed_once_and_not_before_it_is_added_again(
    monkeypatch: pytest.MonkeyPatch, operation: str, before: int, count: int
) -> None:
    """Those that fill several files are added as a whole or not at all."""
    for where in (module, "custom_components.ha_ingestor.pipeline.spool.quarantine.quarantine"):
        target = where if isinstance(where, str) else where.__name__
        monkeypatch.setattr(f"{target}.FILE_BYTES", 1000)

    class Stop:
        at = done = 0

        def __call__(self, name: str, _file: str) -> None:
            self.done += name == operation
            if self.done == self.at and name == operation:
                raise OSError(errno.EIO, "Input/output error")

    for at in range(1, 40):
        stop = Stop()
        disk = MemoryFiles(fault=stop)
        quarantine = Quarantine(disk, "db")
        quarantine.resume(Appended(0, 0, 0))
        quarantine.add_all(points(1, before), status=422, reason="conflict")
        stop.done, stop.at = 0, at
        added = points(before + 1, before + count)
        spool = Spool(1000)
        has_failed = False
        with suppress(OSError):
            has_failed = True
            quarantine.add_all(added, status=422, reason="conflict")
            has_failed = False
        stop.at = 0
        expected = list(range(1, before + 1 + (0 if has_failed else count)))
        assert kept(quarantine) == expected
        assert replayed(quarantine, spool) == len(expected)
        if not has_failed:
            return
        quarantine.add_all(added, status=422, reason="conflict")
        assert replayed(quarantine, spool) == count
        assert sorted(spool.lines) == sorted(line for _, line in points(1, before + count))
    pytest.fail("the disk did not work again")
