"""Whether the database stores a repeated point once: asked when it works, then once a day."""

import math
import time
from collections.abc import Awaitable, Callable
from typing import Final

from .issues import Issue

CHECK_SECONDS: Final = 24 * 3600.0

NO_DEDUPLICATION: Final = "no_deduplication"


class Deduplication:
    """Remembers the last answer, because a server that does not tell today has not changed."""

    def __init__(
        self,
        ask: Callable[[], Awaitable[bool | None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; `ask` says None when it cannot be known."""
        self._ask = ask
        self._clock = clock
        self._asked_at = -math.inf
        self._is_missing = False
        self.is_known = False

    @property
    def is_due(self) -> bool:
        """Whether the last answer is old enough to ask again."""
        return self._clock() - self._asked_at >= CHECK_SECONDS

    @property
    def issues(self) -> list[Issue]:
        """What the user should change."""
        return [Issue(key=NO_DEDUPLICATION)] if self._is_missing else []

    async def async_check(self) -> None:
        """Ask."""
        self._asked_at = self._clock()
        answer = await self._ask()
        if answer is not None:
            self._is_missing = not answer
        self.is_known = True
