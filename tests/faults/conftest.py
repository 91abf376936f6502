"""Worlds in memory, for faults one by one."""

from collections.abc import Callable, Iterator

import pytest

from .memory_driver import MemoryDriver
from .steps import Begin
from .world import World

type MemoryWorld = World[MemoryDriver]
type NewWorld = Callable[..., MemoryWorld]


@pytest.fixture
def new_world() -> Iterator[NewWorld]:
    """Make worlds, and end them."""
    worlds: list[MemoryWorld] = []

    def make(max_bytes: int = 1 << 30) -> MemoryWorld:
        worlds.append(World(MemoryDriver(), Begin(max_bytes=max_bytes)))
        return worlds[-1]

    yield make
    for world in worlds:
        world.driver.close()


def numbers(first: int, last: int) -> set[int]:
    return set(range(first, last + 1))
