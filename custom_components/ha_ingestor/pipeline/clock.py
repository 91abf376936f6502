"""The two clocks, and changes of the wall clock, found by comparing it with the monotonic one."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

# A synchronised clock drifts by less between two checks; a clock that was set moves by more.
JUMP_SECONDS: Final = 2.0
# 2026: a machine without a clock of its own begins in 1970, and what it wrote then is not old.
CLOCKS_ARE_SET: Final = 1_767_225_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """What time it is: by a clock that never jumps, and on the wall. Both in seconds."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


def steady_clock(monotonic: Callable[[], float], wall: Callable[[], float]) -> Callable[[], float]:
    """Return a clock that is set once, to what the wall clock says now, and never jumps."""
    offset = wall() - monotonic()
    return lambda: monotonic() + offset


@dataclass(slots=True, kw_only=True)
class ClockWatch:
    """Used by one thread. `clock_offset` is the sum of all jumps so far, in seconds."""

    monotonic: Callable[[], float]
    wall: Callable[[], float]
    clock_offset: float = 0.0
    _offset: float = field(init=False)

    def __post_init__(self) -> None:
        """Start with the present difference."""
        self._offset = self.wall() - self.monotonic()

    def check(self) -> float:
        """Return by how many seconds the clock was set since the start."""
        offset = self.wall() - self.monotonic()
        if abs(offset - self._offset) > JUMP_SECONDS:
            # The thread may have been stopped between the two clocks: that is no jump.
            offset = self.wall() - self.monotonic()
            if abs(offset - self._offset) > JUMP_SECONDS:
                self.clock_offset += offset - self._offset
        self._offset = offset
        return self.clock_offset

    def resume(self, earlier: ClockWatch) -> None:
        """Continue with the state of another watch of this process."""
        self.clock_offset, self._offset = earlier.clock_offset, earlier._offset
