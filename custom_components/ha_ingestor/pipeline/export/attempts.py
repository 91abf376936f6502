"""How attempts at one server follow one another: what failed so far, and when the next is due.

For the exporter and for whatever else keeps at a server until it takes something.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from .backoff import backoff
from .breaker import Breaker
from .result import Cause, Result

# Nobody but the user can end a wrong token or a missing bucket: look again now and then.
BLOCKED_RETRY: Final = 300.0


@dataclass(slots=True, kw_only=True)
class Attempts:
    """Counts attempts that failed in a row, and moves the breaker; `jitter` gives 0 to 1."""

    jitter: Callable[[], float]
    breaker: Breaker = field(default_factory=Breaker)
    failed: int = 0

    def begin(self) -> None:
        """Note that the wait is over, and the next attempt begins."""
        self.breaker.waited()

    def succeeded(self) -> None:
        """Note that the server took something."""
        self.failed = 0
        self.breaker.succeeded()

    def reached(self) -> None:
        """Note that nothing is wrong with the server, as far as can be known without sending."""
        self.failed = 0

    def kept(self, result: Result, *, is_there: bool = False) -> float:
        """Note that it has to be tried again; return the seconds to wait.

        `is_there` is for a server that says itself when to come back: no reason to think it gone.
        """
        self.failed += 1
        if not is_there:
            is_accident = result.cause is Cause.CONNECTION_CUT
            self.breaker.failed(result.problem, is_accident=is_accident)
        return backoff(self.failed, self.jitter(), result.retry_after)

    def blocked(self, seconds: float = BLOCKED_RETRY) -> float:
        """Note that somebody has to change something first; return the seconds to wait."""
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
