"""Both files with the counts cannot be read at a start: no count is guessed."""

import errno
import logging
from collections.abc import Callable

import pytest

from .conftest import MemoryWorld, NewWorld, numbers
from .world import counts_of, imbalance

REFUSED_EVERY = 17
CURSORS = ("cursor", "cursor-2")


def unreadable(world: MemoryWorld) -> None:
    for name in CURSORS:
        world.driver.disk.broken[f"read {name}"] = errno.EIO


def forbidden(world: MemoryWorld) -> None:
    for name in CURSORS:
        world.driver.disk.broken[f"read {name}"] = errno.EACCES
        world.driver.disk.broken[f"open {name}"] = errno.EACCES


def garbage(world: MemoryWorld) -> None:
    for name in CURSORS:
        world.driver.disk._files[name].cached[:] = b"\xa5" * 8192


def deleted(world: MemoryWorld) -> None:
    for name in CURSORS:
        world.driver.disk.remove(name)


def half_delivered(world: MemoryWorld) -> None:
    """Let 70 points be stored or refused, and 40 wait in two segments."""
    world.driver.database.bad_lines = REFUSED_EVERY
    world.offer(30, of="excluded")
    world.offer(70)
    world.commit()
    world.deliver()
    world.driver.database.answer = "down"
    for _ in range(2):
        world.offer(20)
        world.commit()


def kill(world: MemoryWorld) -> None:
    """End the process, and let the next one wait for what it cannot read."""
    world.driver.kill()
    world._counts = {}
    world._begin()
    for _ in range(60):
        if world.state().is_open:
            break
        world.pass_time(1)
        world.commit()


def deliver_all(world: MemoryWorld) -> None:
    world.driver.database.answer = "up"
    for _ in range(5):
        world.pass_time(61)
        world.commit()
        world.deliver()


@pytest.mark.parametrize("damage", [unreadable, forbidden, garbage, deleted])
@pytest.mark.parametrize("is_segment_damaged", [False, True])
def test_what_is_not_known_is_not_told_as_written(
    new_world: NewWorld, damage: Callable[[MemoryWorld], None], *, is_segment_damaged: bool
) -> None:
    world = new_world()
    half_delivered(world)
    disk = world.driver.disk
    if is_segment_damaged:
        tail = max(name for name in disk.names() if name.endswith(".seg"))
        disk.damage(tail, len(disk._files[tail].cached) - 10)
    damage(world)
    stored, refused = set(world.driver.database.held), world.quarantined()
    assert len(refused) == 4
    kill(world)

    found = world.state()
    assert found.is_open
    assert found.ledger["written"] == 0
    assert found.ledger["quarantined"] == 4
    assert found.pending == (20 if is_segment_damaged else 40)
    assert found.ledger["received"] == found.ledger["captured"] == 4 + found.pending

    deliver_all(world)
    found = world.state()
    assert found.ledger["written"] == len(world.driver.database.held - stored)
    assert found.ledger["quarantined"] == len(world.quarantined())
    assert found.pending == 0
    assert imbalance(found.ledger, found.pending) == ""


def test_counts_that_begin_anew_are_those_that_the_next_process_reads(new_world: NewWorld) -> None:
    world = new_world()
    half_delivered(world)
    unreadable(world)
    kill(world)
    counts = counts_of(world.state().ledger)
    world.driver.disk.broken.clear()
    kill(world)

    assert counts_of(world.state().ledger) == counts
    assert world.state().pending == 40


def test_a_refused_point_that_was_not_settled_is_not_counted_twice(new_world: NewWorld) -> None:
    world = new_world()
    disk = world.driver.disk
    world.driver.database.bad_lines = REFUSED_EVERY
    world.offer(REFUSED_EVERY)
    world.commit()
    (segment,) = [name for name in disk.names() if name.endswith(".seg")]
    content = bytes(disk._files[segment].cached)
    world.deliver()
    assert world.quarantined() == {REFUSED_EVERY}
    # As if the process had been killed before it settled the points.
    disk.remove(segment)
    disk.write(disk.create(segment), content, 0)
    garbage(world)
    kill(world)
    assert world.state().ledger["quarantined"] == 0
    deliver_all(world)

    assert world.quarantined() == {REFUSED_EVERY}
    ledger = world.state().ledger
    assert (ledger["written"], ledger["quarantined"]) == (REFUSED_EVERY - 1, 1)
    assert imbalance(ledger, 0) == ""


def test_a_spool_whose_counts_are_lost_waits_for_a_segment_that_cannot_be_read(
    new_world: NewWorld,
) -> None:
    # Its numbers are known from nowhere, and would be given out again.
    world = new_world()
    world.offer(20)
    world.commit()
    world.deliver()
    world.driver.database.answer = "down"
    world.offer(40)
    world.commit()
    (tail,) = [name for name in world.driver.disk.names() if name.endswith(".seg")]
    world.driver.disk.broken[f"read {tail}"] = errno.EIO
    unreadable(world)
    world.driver.kill()
    world._counts = {}
    world._begin()
    for _ in range(40):
        world.pass_time(1)
        world.commit()
    assert world.state().spool_error == "Input/output error"
    world.offer(20)
    world.commit()
    world.driver.disk.broken.clear()
    deliver_all(world)

    assert world.driver.database.held == numbers(1, 80)
    assert world.state().ledger["lost"] == {}


@pytest.mark.parametrize("damage", [unreadable, garbage, deleted])
def test_it_is_logged_that_counts_cannot_be_read(
    new_world: NewWorld,
    damage: Callable[[MemoryWorld], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = new_world()
    half_delivered(world)
    assert "counts" not in caplog.text
    damage(world)
    kill(world)

    told = [each for each in caplog.records if "The counts cannot be read" in each.getMessage()]
    assert [each.levelno for each in told] == [logging.WARNING]
