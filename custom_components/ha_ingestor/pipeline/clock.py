"""By how much the clock on the wall was set, seen from the one that nobody sets."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

# A clock that is kept right moves by less between two looks; one that is set, by more.
JUMP_SECONDS: Final = 2.0
# 2026: a machine without a clock of its own begins in 1970, and what it wrote then is not old.
CLOCKS_ARE_SET: Final = 1_767_225_600


@dataclass(slots=True, kw_only=True)
class ClockWatch:
    """Used by one thread. `jumped` is the sum of all jumps so far, in seconds."""

    monotonic: Callable[[], float]
    wall: Callable[[], float]
    jumped: float = 0.0
    _offset: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin to watch."""
        self._offset = self.wall() - self.monotonic()

    def look(self) -> float:
        """Return by how much the clock was set since the watch began."""
        offset = self.wall() - self.monotonic()
        if abs(offset - self._offset) > JUMP_SECONDS:
            # The thread may have been stopped between the two clocks: that is no jump.
            offset = self.wall() - self.monotonic()
            if abs(offset - self._offset) > JUMP_SECONDS:
                self.jumped += offset - self._offset
        self._offset = offset
        return self.jumped

    def resume(self, earlier: ClockWatch) -> None:
        """Go on where another watch of this process left off."""
        self.jumped, self._offset = earlier.jumped, earlier._offset
