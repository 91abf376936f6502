"""The retry policy for one server: failed attempts, and when the next is due.

For the exporter and for whatever else keeps at a server until it takes something.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from .backoff import MAXIMUM, backoff
from .breaker import Breaker
from .result import Cause, Result

# Only the user can correct a wrong token or a missing bucket, so retries are rare.
BLOCKED_RETRY: Final = 300.0


@dataclass(slots=True, kw_only=True)
class Attempts:
    """Counts attempts that failed in a row, and moves the breaker; `jitter` gives 0 to 1."""

    jitter: Callable[[], float]
    breaker: Breaker = field(default_factory=Breaker)
    longest_pause: float = MAXIMUM
    failed: int = 0

    def begin(self) -> None:
        """Note the start of the next attempt."""
        self.breaker.allow_probe()

    def succeeded(self) -> None:
        """Note a success."""
        self.failed = 0
        self.breaker.succeeded()

    def reached(self) -> None:
        """Note that the server is fine, as far as a check can tell."""
        self.failed = 0

    def kept(self, result: Result, *, is_there: bool = False) -> float:
        """Note a failure; return the seconds to wait.

        `is_there` is for a server that says itself when to come back: no reason to think it gone.
        """
        self.failed += 1
        if not is_there:
            is_transient = result.cause is Cause.CONNECTION_CUT
            self.breaker.failed(result.problem, is_transient=is_transient)
        return backoff(self.failed, self.jitter(), result.retry_after, longest=self.longest_pause)

    def blocked(self, seconds: float = BLOCKED_RETRY) -> float:
        """Note that the user has to act first; return the seconds to wait."""
        self.failed += 1
        self.breaker.blocked()
        return seconds


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Wait until an event is set, but no longer than so many seconds; infinity is for ever."""
    try:
        async with asyncio.timeout(None if seconds == math.inf else seconds):
            await event.wait()
    except TimeoutError:
        return


def is_own_end(err: BaseException) -> bool:
    """Whether this task is cancelled; a library may raise that a task of its own was."""
    task = asyncio.current_task()
    return isinstance(err, asyncio.CancelledError) and task is not None and task.cancelling() > 0
