"""Waits for points to export: for the first one, and then for as many as make a request."""

import asyncio
import math
import time
from dataclasses import dataclass, field
from typing import Final

from ..spool.buffer import Buffer
from .attempts import wait_for

# A request costs as much as fifty points, so a steady trickle is gathered; a point that comes alone
# does not wait, and a full batch neither.
GATHER_SECONDS: Final = 5.0
GATHER_POINTS: Final = 1000


@dataclass(slots=True, kw_only=True)
class Gathering:
    """Used by the event loop. `points` make a request that is worth no more waiting."""

    buffer: Buffer
    points: int
    # How many points in the buffer are worth a wake-up.
    _wanted: float = math.inf
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _enough: asyncio.Event = field(default_factory=asyncio.Event)

    def needs_notify(self, points: int) -> bool:
        """Whether to `notify` that so many points are in the buffer. Any thread may ask."""
        return points >= self._wanted

    def notify(self) -> None:
        """There is something new in the buffer."""
        self._wake.set()
        if self._waiting >= self.points:
            self._enough.set()

    def wake(self) -> None:
        """Wait no longer for the first point."""
        self._wake.set()

    def hurry(self) -> None:
        """Wait no longer for more points."""
        self._enough.set()

    def begin(self) -> None:
        """Forget what was called before, because everything is exported now."""
        self._wake.clear()
        self._enough.clear()

    async def wait(self, until: float) -> None:
        """Wait for a point, and then for more of them until a moment of the monotonic clock."""
        # `begin` comes before the check, so that no point is missed in between.
        self._wanted = 1
        if not self._waiting:
            await self._wake.wait()
        self._wanted = self.points
        if self._waiting < self.points:
            await wait_for(self._enough, until - time.monotonic())
        self._wanted = math.inf

    @property
    def _waiting(self) -> int:
        return self.buffer.deliverable
