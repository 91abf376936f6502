"""T4, T5, T13, T17: whatever the disk does, no committed point is lost and the ledger adds up."""

import errno
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import pytest

from custom_components.ha_ingestor.pipeline.files import OsFiles
from custom_components.ha_ingestor.pipeline.slices import complete
from custom_components.ha_ingestor.pipeline.spool.segments import frame
from custom_components.ha_ingestor.pipeline.spool.segments.reader import READ_ATTEMPTS
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings
from tests.pipeline.memory_files import MemoryFiles

from .bad_disk import BadDisk
from .mounts import CannotMountError, fill, make_read_only, mounted
from .rig import Clocks, Database, Rig, missing, points, quarantined

SMALL = SpoolSettings(segment_bytes=1500, compress=False)
BAD_LINE = points(47, 47)[0]
ERRORS = [errno.EIO, errno.ENOSPC, errno.EROFS]


class Scenario:
    """A day of a spool: every operation on files happens in it at least once."""

    def __init__(self, disk: BadDisk) -> None:
        self.disk, self.clocks = disk, Clocks()
        self.database = Database(bad_lines={BAD_LINE})
        self.committed: list[str] = []
        self.start()

    def start(self) -> None:
        self.rig = Rig(self.disk, self.database, settings=SMALL, clocks=self.clocks)

    def commit(self, first: int, last: int) -> None:
        lines = points(first, last)
        self.rig.commit(lines)
        if not self.rig.buffer.held:
            self.committed += lines

    def pass_time(self) -> None:
        self.clocks.monotonic += 6
        self.clocks.wall += 6
        self.rig.commit()

    async def one_life(self) -> None:
        self.commit(1, 10)
        self.pass_time()
        await self.rig.deliver(2)
        self.commit(11, 40)
        self.commit(41, 60)
        await self.rig.deliver(2)
        self.database.is_down = True
        for first in range(61, 121, 10):
            self.commit(first, first + 9)
            self.pass_time()
            await self.rig.deliver(1)
        self.database.is_down = False
        await self.rig.deliver(2)
        self.commit(121, 125)

    def kill(self) -> None:
        self.disk.kill()
        self.start()

    async def second_life(self) -> None:
        self.commit(126, 130)
        self.commit(131, 160)
        await self.rig.deliver(2)
        self.pass_time()

    async def mend_and_finish(self) -> None:
        """From here on the disk is well: no restart is needed for everything to arrive."""
        self.disk.bad = range(0)
        self.commit(201, 210)
        for _ in range(3):
            self.pass_time()
            await self.rig.deliver(5)

    def assert_nothing_is_lost(self) -> None:
        assert missing(self.committed, self.database.stored, quarantined(self.rig)) == []
        assert set(quarantined(self.rig)) == {BAD_LINE}
        assert BAD_LINE not in self.database.stored
        assert self.rig.pending == self.rig.buffer.held == 0
        self.rig.assert_adds_up()

    def assert_space_is_freed(self) -> None:
        # The lock, the two files of the cursor and the segment in use.
        assert self.disk.descriptors <= 4
        segments = [name for name in self.disk.names() if name.endswith(".seg")]
        assert [name for name in segments if self.disk.read(name, 0, 1)] == []
        assert self.rig.spool.disk_bytes == 0


async def told_without_faults() -> list[str]:
    """The operations of a whole story on a disk that is well."""
    scenario = Scenario(BadDisk())
    await scenario.one_life()
    scenario.kill()
    await scenario.second_life()
    await scenario.mend_and_finish()
    scenario.assert_nothing_is_lost()
    return scenario.disk.asked


async def test_the_scenario_has_every_kind_of_operation() -> None:
    asked = {operation.split()[0] for operation in await told_without_faults()}

    everything = "names read create open write truncate sync sync_directory close remove lock"
    assert asked >= {*everything.split(), "free_bytes"}


async def failures(
    scenario: Callable[[BadDisk], Awaitable[None]], error: int, lasting: int
) -> list[str]:
    """Tell the story once for each of its operations, which fails together with the next few."""
    count = len(await told_without_faults())
    found = []
    for number in range(1, count + 1):
        disk = BadDisk(error=error, bad=range(number, number + lasting))
        try:
            await scenario(disk)
        except AssertionError as err:
            found.append(f"{disk.asked[number - 1]} (operation {number}): {err!s:.300}")
    return found


ends_well = pytest.mark.parametrize(
    ("error", "lasting"), [(error, lasting) for error in ERRORS for lasting in (1, 7)]
)


@ends_well
async def test_no_failing_operation_loses_a_point_and_no_restart_is_needed(
    error: int, lasting: int
) -> None:
    async def scenario(disk: BadDisk) -> None:
        scenario = Scenario(disk)
        await scenario.one_life()
        await scenario.mend_and_finish()
        scenario.assert_nothing_is_lost()
        scenario.assert_space_is_freed()

    found = await failures(scenario, error, lasting)
    assert found == []


@ends_well
async def test_no_failing_operation_loses_a_committed_point_when_the_process_is_killed(
    error: int, lasting: int
) -> None:
    async def scenario(disk: BadDisk) -> None:
        scenario = Scenario(disk)
        await scenario.one_life()
        scenario.kill()
        await scenario.second_life()
        await scenario.mend_and_finish()
        scenario.assert_nothing_is_lost()
        scenario.assert_space_is_freed()

    found = await failures(scenario, error, lasting)
    assert found == []


class NothingUnsynced(Random):
    """A power cut after which the disk holds what was synced, and not a byte more."""

    def random(self) -> float:
        return 0.99


@ends_well
async def test_no_failing_operation_makes_a_power_cut_take_what_was_synced_since(
    error: int, lasting: int
) -> None:
    async def scenario(disk: BadDisk) -> None:
        scenario = Scenario(disk)
        scenario.database.is_down = True
        for first in range(1, 46, 15):
            scenario.commit(first, first + 14)
            scenario.pass_time()
        disk.bad = range(0)
        # After a failure, the next sync waits a while.
        for _ in range(20):
            scenario.pass_time()
        assert not scenario.rig.spool.unsynced
        assert scenario.rig.buffer.held == 0
        disk.cut_power(NothingUnsynced())
        scenario.database.is_down = False
        scenario.start()
        scenario.pass_time()
        await scenario.rig.deliver(5)

        assert missing(points(1, 45), scenario.database.stored) == []
        scenario.rig.assert_adds_up()

    assert await failures(scenario, error, lasting) == []


async def test_points_delivered_from_memory_stay_counted_when_the_process_is_killed() -> None:
    disk = MemoryFiles()
    rig = Rig(disk, database := Database())
    rig.commit(points(1, 5))
    await rig.deliver()
    disk.capacity = disk.used
    rig.commit(points(6, 10))
    await rig.deliver()
    assert database.stored == points(1, 10)
    disk.kill()

    again = Rig(disk, database)
    again.commit()
    assert again.ledger.written == again.ledger.captured == 10


@pytest.mark.parametrize("left", [0, 5], ids=["not a byte", "some bytes"])
async def test_the_last_commit_is_counted_as_lost_when_the_disk_kept_its_counts_and_not_its_points(
    left: int,
) -> None:
    disk, database = MemoryFiles(), Database(is_down=True)
    rig = Rig(disk, database)
    rig.commit(points(1, 10))
    (segment,) = (name for name in disk.names() if name.endswith(".seg"))
    first_commit = len(disk.read(segment, 0, 1 << 20))
    rig.commit(points(11, 20))
    disk.kill()
    disk.cut(segment, first_commit + left)

    database.is_down = False
    again = Rig(disk, database)
    again.commit()
    await again.deliver(3)
    again.assert_adds_up()
    assert database.stored == points(1, 10)
    assert (again.ledger.received, again.ledger.lost.total()) == (20, 10)


async def test_a_torn_quarantine_record_damages_no_other() -> None:
    disk = BadDisk()
    bad_lines = points(1, 2)
    rig = Rig(disk, Database(bad_lines={*bad_lines}))
    rig.commit(points(1, 3))
    disk.torn = "quarantine"

    await rig.deliver(5)

    assert quarantined(rig) == bad_lines


async def test_a_disk_that_never_syncs_is_not_filled_with_copies() -> None:
    files = MemoryFiles(fault=fail_always("sync", ".seg"))
    clocks = Clocks()
    rig = Rig(files, Database(is_down=True), clocks=clocks)
    for number in range(600):
        rig.commit(points(number, number))
        clocks.monotonic += 6

    assert rig.pending == 600
    assert files.used < 1_000_000


async def test_a_stop_on_a_failing_disk_lets_go_of_the_directory(tmp_path: Path) -> None:
    class NoSync(OsFiles):
        def sync(self, fd: int) -> None:
            if self.fails:
                raise OSError(errno.EIO, "Input/output error")
            super().sync(fd)

        fails = False

    files = NoSync(tmp_path)
    rig = Rig(files, Database(is_down=True))
    rig.commit(points(1, 5))
    files.fails = True
    with suppress(OSError):
        rig.buffer.close()

    again = Rig(OsFiles(tmp_path), database := Database())
    again.commit()
    assert again.buffer.error == ""
    await again.deliver()
    assert database.stored == points(1, 5)


async def test_what_memory_holds_at_a_stop_on_a_full_disk_is_counted() -> None:
    disk = MemoryFiles()
    rig = Rig(disk, Database(is_down=True))
    rig.commit(points(1, 5))
    disk.capacity = disk.used
    rig.commit(points(6, 10))
    assert rig.buffer.held == 5
    with suppress(OSError):
        rig.buffer.close()
    disk.kill()
    disk.capacity = None

    again = Rig(disk, database := Database())
    again.commit()
    await again.deliver()

    assert database.stored[:5] == points(1, 5)
    assert again.ledger.captured == 10
    again.assert_adds_up()


SYSTEMS = pytest.mark.parametrize("disk", ["tmpfs", "ext4"], indirect=True)


@pytest.fixture
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A small real file system; skipped where it cannot be mounted."""
    try:
        with mounted(request.param, tmp_path) as place:
            yield place
    except CannotMountError as err:
        pytest.skip(str(err))


@SYSTEMS
async def test_a_real_disk_that_is_full_loses_nothing_and_is_freed_by_the_database(
    disk: Path,
) -> None:
    database = Database(is_down=True)
    rig = Rig(OsFiles(disk), database, settings=SpoolSettings(compress=False, min_free_bytes=0))
    last = 0
    while not rig.buffer.error:
        rig.commit(points(last + 1, last + 500))
        last += 500
    assert rig.buffer.error == "No space left on device"
    rig.commit(points(last + 1, last + 500))
    assert rig.buffer.held > 500
    database.is_down = False
    await rig.deliver(3)
    rig.commit(points(last + 501, last + 510))
    await rig.deliver(3)

    assert rig.buffer.error == ""
    assert missing(points(1, last + 510), database.stored) == []
    assert rig.ledger.written == rig.ledger.captured == last + 510
    assert rig.spool.disk_bytes == 0
    rig.buffer.close()


@SYSTEMS
async def test_a_point_refused_on_a_full_disk_does_not_stop_the_others(
    disk: Path,
) -> None:
    database = Database(bad_lines={points(1, 1)[0]})
    rig = Rig(OsFiles(disk), database, settings=SpoolSettings(compress=False))
    rig.commit(points(1, 500))
    fill(disk)
    # Its record needs space, which nothing frees.
    last = 500
    while last < 3000:
        rig.commit(points(last + 1, last + 500))
        last += 500
        await rig.deliver(20)

    assert rig.buffer.deliverable == rig.buffer.held == 0
    assert sorted(database.stored) == sorted(points(2, last))
    assert rig.ledger.captured == last
    assert rig.ledger.evicted == 0
    assert rig.ledger.lost == {}
    rig.assert_adds_up()
    rig.buffer.close()


@SYSTEMS
async def test_somebody_elses_full_disk_costs_the_oldest_points_and_not_the_newest(
    disk: Path,
) -> None:
    database = Database(is_down=True)
    rig = Rig(OsFiles(disk), database, settings=SpoolSettings(compress=False))
    rig.commit(points(1, 5000))
    fill(disk)
    for first in range(5001, 45_001, 500):
        rig.commit(points(first, first + 499))
    database.is_down = False
    for _ in range(5):
        await rig.deliver(3)
        rig.commit()

    rig.assert_adds_up()
    assert rig.ledger.captured == 45_000
    assert rig.ledger.written == len(database.stored)
    assert database.stored[-1:] == points(45_000, 45_000)
    assert rig.ledger.lost == {}
    rig.buffer.close()


@pytest.mark.parametrize("disk", ["ext4"], indirect=True)
async def test_a_file_system_that_turns_read_only_does_not_stop_delivery(disk: Path) -> None:
    database = Database(is_down=True)
    rig = Rig(OsFiles(disk / "spool"), database)
    rig.commit(points(1, 50))
    rig.clocks.monotonic += 6
    rig.commit()
    if told := make_read_only(disk):
        pytest.skip(told)
    rig.commit(points(51, 100))
    rig.clocks.monotonic += 6
    rig.commit(points(101, 150))
    assert rig.buffer.error == "Read-only file system"
    database.is_down = False
    await rig.deliver(5)
    rig.commit()
    await rig.deliver(5)

    assert missing(points(1, 150), database.stored) == []
    rig.assert_adds_up()


async def test_a_directory_removed_while_running_is_made_again(tmp_path: Path) -> None:
    database = Database()
    rig = Rig(OsFiles(tmp_path / "spool"), database)
    rig.commit(points(1, 50))
    shutil.rmtree(tmp_path / "spool")
    for first in range(51, 101, 10):
        await rig.deliver(3)
        rig.clocks.monotonic += 60
        rig.clocks.wall += 60
        rig.commit(points(first, first + 9))
    await rig.deliver(3)

    # What was on the disk is gone, and said to be; what comes later finds a new directory.
    assert missing(points(81, 100), database.stored) == []
    assert rig.pending == rig.buffer.held == 0
    assert rig.ledger.captured == 100
    assert rig.ledger.lost.total() == 100 - len(database.stored) <= 80
    rig.assert_adds_up()
    assert rig.buffer.error == ""
    assert (tmp_path / "spool").is_dir()
    rig.buffer.close()


async def test_a_segment_that_cannot_be_read_costs_its_own_points_only() -> None:
    files = MemoryFiles()
    database = Database()
    rig = Rig(files, database, settings=SMALL)
    for first in range(1, 101, 10):
        rig.commit(points(first, first + 9))
    bad = [name for name in files.names() if name.endswith(".seg")][1]
    files.fault = fail_always("read", bad)
    for _ in range(5):
        await rig.deliver(5)
        rig.commit()

    assert rig.pending == 0
    rig.assert_adds_up()
    assert rig.ledger.lost.total() == 100 - len(database.stored) > 0


async def test_a_segment_that_cannot_be_read_at_the_start_costs_its_own_points_only() -> None:
    files = MemoryFiles()
    rig = Rig(files, Database(), settings=SMALL)
    for first in range(1, 101, 10):
        rig.commit(points(first, first + 9))
    rig.buffer.close()
    bad = [name for name in files.names() if name.endswith(".seg")][1]
    files.fault = fail_always("read", bad)
    again = Rig(files, database := Database(), settings=SMALL)
    for _ in range(READ_ATTEMPTS):
        again.commit()
        await again.deliver(5)

    assert again.buffer.error == ""
    assert again.pending == 0
    again.assert_adds_up()
    assert again.ledger.captured == 100
    assert again.ledger.lost.total() == 100 - len(database.stored) > 0


async def test_whatever_else_lies_in_the_directory_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "00000000000000000003-000001.seg").mkdir()
    (tmp_path / "quarantine-copy.ndjson").write_text('{"seq": 1, "line": "an old one"}\n' * 40_000)
    (tmp_path / "notes.seg").write_bytes(b"HS" * 1000)
    database = Database(bad_lines={points(2, 2)[0]})
    rig = Rig(OsFiles(tmp_path), database)
    rig.commit(points(1, 5))
    for _ in range(READ_ATTEMPTS):
        rig.commit()
    await rig.deliver(3)

    assert rig.buffer.error == ""
    assert rig.pending == 0
    assert points(2, 2)[0] in [record["line"] for record in complete(rig.quarantine.records())]
    rig.buffer.close()


async def test_frames_of_a_newer_version_are_skipped_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = MemoryFiles()
    rig = Rig(files, Database(is_down=True), settings=SMALL)
    rig.commit(points(1, 60))
    with monkeypatch.context() as newer:
        newer.setattr(frame, "VERSION", frame.VERSION + 1)
        for first in range(61, 101, 10):
            rig.commit(points(first, first + 9))
        rig.buffer.close()

    again = Rig(files, database := Database(), settings=SMALL)
    again.commit(points(101, 110))
    await again.deliver()

    assert database.stored == points(1, 60) + points(101, 110)
    assert again.ledger.lost == {"damaged": 40}
    assert again.ledger.captured == 110
    again.assert_adds_up()


HOLD = """
import sys, time
from pathlib import Path
from tests.faults.bare import OsFiles
print(OsFiles(Path(sys.argv[1])).lock(), flush=True)
time.sleep(60)
"""


@contextmanager
def held_by_another_process(directory: Path) -> Iterator[None]:
    command = [sys.executable, "-c", HOLD, str(directory)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as other:  # noqa: S603
        assert other.stdout
        assert other.stdout.readline()
        yield
        other.kill()


async def test_another_process_keeps_the_directory_until_it_ends(tmp_path: Path) -> None:
    rig = Rig(OsFiles(tmp_path), database := Database())
    with held_by_another_process(tmp_path):
        rig.commit(points(1, 5))
        assert rig.buffer.error == "In use by another Home Assistant"
        await rig.deliver()
        assert database.stored == points(1, 5)
    rig.commit(points(6, 10))

    assert rig.buffer.error == ""
    await rig.deliver()
    assert database.stored == points(1, 10)
    rig.assert_adds_up()
    rig.buffer.close()


def fail_always(operation: str, name: str) -> Callable[[str, str], None]:
    """Fail an operation on the files whose names end like this."""

    def fault(asked: str, asked_name: str) -> None:
        if asked == operation and asked_name.endswith(name):
            raise OSError(errno.EIO, "Input/output error")

    return fault
