"""Faults of the disk that nobody heals: no loop, no number settled twice, and it is told."""

import errno

import pytest

from .conftest import MemoryWorld, NewWorld, numbers
from .host import small_memory
from .world import counts_of, fallen

DENIED = errno.EACCES
BUSY = errno.EBUSY


def filled(world: MemoryWorld, segments: int = 6) -> None:
    """Let points wait in several segments: each commit makes one of about five points."""
    world.driver.database.answer = "down"
    for _ in range(segments):
        world.offer(8)
        world.commit()


@pytest.mark.parametrize("operations", [["remove"], ["remove", "truncate"], ["remove", "create"]])
@pytest.mark.parametrize("max_bytes", [6_000, 1 << 30])
def test_a_directory_that_cannot_be_written_stops_neither_commits_nor_the_end(
    new_world: NewWorld, operations: list[str], max_bytes: int
) -> None:
    world = new_world(max_bytes=max_bytes)
    filled(world)
    evicted = world.state().ledger["evicted"]
    for operation in operations:
        world.driver.disk.broken[f"{operation} *"] = DENIED
    for _ in range(30):
        world.offer(8)
        world.commit()
        world.assert_sound()
    # To give points up would make no room.
    assert world.state().ledger["evicted"] == evicted
    if max_bytes == 6_000 or "create" in operations:
        assert world.state().spool_error
    world.driver.database.answer = "up"
    world.deliver(5)
    world.assert_sound()
    world.restart()
    world.finish()
    assert world.driver.database.held == world.known.offered - lost(world)


def lost(world: MemoryWorld) -> set[int]:
    """Numbers that are nowhere, which the ledger has to name one by one."""
    missing = world.known.offered - world.driver.database.held
    ledger = world.state().ledger
    assert len(missing) == ledger["evicted"] + sum(ledger["lost"].values())
    return missing


@pytest.mark.parametrize("operation", ["create", "write"])
def test_a_disk_that_takes_no_point_is_named_until_it_takes_one_though_memory_delivers_all(
    new_world: NewWorld, operation: str
) -> None:
    world = new_world()
    world.reload()  # the segment of a process is its own: the next point needs a file
    world.driver.disk.broken[f"{operation} *"] = errno.ENOSPC
    for _ in range(5):
        world.offer(3)
        world.commit()
        world.deliver()
        world.pass_time(30)
        world.commit()
        found = world.assert_sound()
        assert not found.pending
        assert found.spool_error == "No space left on device"
    assert world.driver.database.held == numbers(1, 15)

    world.driver.heal_disk()
    world.pass_time(2)
    world.commit()

    assert world.state().spool_error == ""
    assert all(name != "trial" for name in world.driver.disk.names())


def test_one_file_that_cannot_be_removed_and_a_low_disk_settle_nothing_twice(
    new_world: NewWorld,
) -> None:
    world = new_world()
    filled(world)
    world.driver.database.answer = "up"
    world.deliver()
    filled(world)
    oldest = min(name for name in world.driver.disk.names() if name.endswith(".seg"))
    world.driver.disk.broken[f"remove {oldest}"] = BUSY
    world.driver.disk.free = 1 << 20
    world.reload(min_free_bytes=1 << 29)
    for _ in range(10):
        world.offer(8)
        world.commit()
        world.assert_sound()
    assert world.state().spool_error == "Device or resource busy"
    world.driver.disk.free = 1 << 40
    world.finish()
    lost(world)


def test_what_was_settled_is_not_evicted_again_when_its_file_stays(new_world: NewWorld) -> None:
    world = new_world(max_bytes=9_000)
    world.driver.disk.broken["remove *1-000000.seg"] = BUSY
    world.driver.disk.broken["truncate *"] = BUSY
    world.offer(40)
    world.commit()
    world.deliver()
    assert world.driver.database.held == numbers(1, 40)
    filled(world, segments=20)
    world.assert_sound()
    world.finish()
    assert lost(world) <= numbers(41, 200)


@pytest.mark.parametrize("operation", ["read", "open_to_sync", "sync", "lock", "names"])
def test_a_second_attempt_to_open_remembers_what_the_first_one_read(
    new_world: NewWorld, operation: str
) -> None:
    world = new_world()
    world.driver.database.bad_lines = 17
    world.offer(30, of="excluded")
    world.offer(30)
    world.commit()
    world.driver.database.answer = "down"
    world.offer(10)
    world.commit()
    before = world.state().ledger
    world.driver.database.answer = "up"
    world.deliver()
    known = world.state().ledger
    assert known["quarantined"] == 3  # 34, 51 and 68
    world.driver.database.answer = "down"
    world.offer(10)
    world.commit()
    world.driver.disk.broken[f"{operation} *"] = errno.EIO
    world.kill()
    world.driver.disk.broken.clear()
    world.pass_time(2)
    world.commit()

    after = world.state().ledger
    assert after["filtered"] == before["filtered"] == {"excluded": 30}
    assert after["quarantined"] == known["quarantined"]
    assert after["written"] == known["written"]
    assert world.state().pending == 10


@pytest.mark.parametrize("lasting", [1, 5, 40])
def test_numbers_and_names_of_an_unreadable_segment_are_not_used_again(
    new_world: NewWorld, lasting: int
) -> None:
    world = new_world()
    world.offer(20)
    world.commit()
    world.deliver()
    world.driver.database.answer = "down"
    world.offer(40)
    world.commit()
    (tail,) = [name for name in world.driver.disk.names() if name.endswith(".seg")]
    world.driver.disk.broken[f"read {tail}"] = errno.EIO
    world.kill()
    for _ in range(lasting):
        world.pass_time(1)
        world.offer(2)
        world.commit()
    content = len(world.driver.disk._files[tail].cached)
    assert content > 0
    world.finish()

    ledger = world.state().ledger
    missing = world.known.offered - world.driver.database.held
    assert ledger["captured"] == ledger["received"] == 60 + 2 * lasting
    assert len(missing) == sum(ledger["lost"].values())
    assert missing <= numbers(21, 60)
    if lasting < 10:
        assert missing == set()


def test_counts_of_what_gave_no_point_outlive_a_kill(new_world: NewWorld) -> None:
    world = new_world()
    for _ in range(10):
        world.offer(500, of="excluded")
        world.commit()
    world.kill()

    ledger = world.state().ledger
    assert (ledger["received"], ledger["filtered"]) == (5_000, {"excluded": 5_000})


@pytest.mark.parametrize("operation", ["open", "write", "truncate", "remove"])
def test_a_segment_that_can_only_be_read_is_delivered_and_not_read_for_ever(
    new_world: NewWorld,
    operation: str,
) -> None:
    world = new_world()
    world.driver.database.answer = "down"
    world.offer(20)
    world.commit()
    (tail,) = [name for name in world.driver.disk.names() if name.endswith(".seg")]
    world.driver.disk.broken[f"{operation} {tail}"] = DENIED
    world.kill()
    world.driver.database.answer = "up"
    world.deliver()
    assert world.driver.database.held == numbers(1, 20)
    for _ in range(5):
        world.pass_time(1)
        world.commit()
    asked: list[str] = []
    fault = world.driver.disk.fault

    def note(operation: str, name: str) -> None:
        asked.append(operation)
        fault(operation, name)

    world.driver.disk.fault = note
    for _ in range(20):
        world.pass_time(1)
        world.commit()
    assert "read" not in asked
    world.assert_sound()


def test_a_descriptor_that_cannot_be_closed_is_not_closed_a_second_time(
    new_world: NewWorld,
) -> None:
    # The second time it may be another file's: the disk knows no descriptor that was closed.
    world = new_world()
    world.driver.disk.broken["close *"] = errno.EIO
    for _ in range(3):
        world.offer(5)
        world.commit()
        world.reload()
    world.restart()
    world.finish()
    assert world.driver.database.held == world.known.offered


@pytest.mark.parametrize("operation", ["write", "sync", "open", "read"])
def test_a_cursor_that_stays_bad_stops_nothing_and_is_told(
    new_world: NewWorld, operation: str
) -> None:
    world = new_world()
    world.offer(10)
    world.commit()
    world.driver.disk.broken[f"{operation} cursor"] = errno.EIO
    for _ in range(30):
        world.offer(5)
        world.pass_time(6)
        world.commit()
        world.deliver()
        world.assert_sound()
    if operation == "write":
        assert world.state().spool_error == "Input/output error"
    assert world.driver.database.held == world.known.offered
    world.kill()
    for _ in range(15):
        world.pass_time(1)
        world.commit()
    world.offer(5)
    world.commit()
    world.deliver()
    assert world.driver.database.held == world.known.offered
    assert world.state().is_open


def test_counts_come_back_when_the_cursor_can_be_read_again(new_world: NewWorld) -> None:
    world = new_world()
    world.driver.database.bad_lines = 17
    world.offer(100, of="excluded")
    world.offer(100)
    world.commit()
    world.deliver()
    known = counts_of(world.state().ledger)
    world.driver.disk.broken["read cursor"] = errno.EIO
    world.kill()
    for _ in range(15):
        world.pass_time(1)
        world.commit()
    assert world.state().is_open
    world.offer(10)
    world.commit()
    world.deliver()
    world.driver.disk.broken.clear()
    world.kill()

    counts = counts_of(world.state().ledger)
    assert fallen(known, counts) == {}
    assert counts["received"] == known["received"] + 10
    assert world.driver.database.held | world.quarantined() == numbers(101, 210)
    world.kill()
    assert counts_of(world.state().ledger) == counts


def refused(world: MemoryWorld) -> None:
    """Let points come of which every seventh is refused, and put it aside."""
    for _ in range(8):
        world.offer(10)
        world.commit()
        world.pass_time(61)
        world.driver.ask("quarantine_all")
        world.deliver(3)
    world.commit()


@pytest.mark.parametrize(
    "broken",
    [
        "read quarantine-000001.ndjson",
        "open quarantine-000001.ndjson",
        "write quarantine-000001.ndjson",
        "sync quarantine-000001.ndjson",
        "* quarantine-000001.ndjson",
        "read quarantine-position",
        "* quarantine-position",
    ],
)
@pytest.mark.parametrize("is_replayed", [False, True])
@pytest.mark.parametrize("is_killed", [False, True])
def test_one_bad_file_of_the_quarantine_stops_no_delivery_and_takes_no_point(
    new_world: NewWorld, broken: str, *, is_replayed: bool, is_killed: bool
) -> None:
    world = new_world()
    world.driver.database.bad_lines = 7
    refused(world)
    if is_replayed:
        world.replay()
        refused(world)
    world.driver.disk.broken[broken] = errno.EIO
    if is_killed:
        world.kill()
    refused(world)
    refused(world)

    found = world.state()
    assert found.pending <= 10
    assert found.ledger["written"] > 180
    world.assert_sound()
    assert world.quarantined()
    is_there = "position" in broken or not is_replayed  # a replay removes it
    if broken.startswith("read") and is_killed and is_there:
        assert broken.removeprefix("read ") in world.state().spool_error
    if broken != "* quarantine-position":
        world.driver.ask("replay")
        refused(world)
    world.finish()
    assert world.state().spool_error == ""


def test_a_point_that_was_lost_while_it_was_refused_is_not_put_into_quarantine_as_well(
    new_world: NewWorld,
) -> None:
    with small_memory():
        world = new_world()
        world.offer(35, is_old=True)
        world.driver.disk.broken["names *"] = errno.EIO
        world.commit()
        # The database refuses the first one for its age, and it cannot be put into quarantine.
        world.deliver()
        world.offer(26)
        world.commit()
        assert world.state().ledger["lost"] == {"memory_full": 1}
        world.finish()
    assert 1 not in world.quarantined()
