"""Checks at intervals that the database stores acknowledged points, and each once."""

import math
import time
from collections.abc import Awaitable, Callable
from typing import Final

from ...clients.influx.victoriametrics import Storage
from .ignored_rows import IgnoredRows
from .issues import Issue

CHECK_SECONDS: Final = 24 * 3600.0
# Until there is an answer, what an earlier start has found is not shown.
RETRY_SECONDS: Final = 60.0
# Where samples are ignored: the user should know of the next ones sooner.
IGNORED_SECONDS: Final = 3600.0

NO_DEDUPLICATION: Final = "no_deduplication"


class Deduplication:
    """Keeps the last answer when a server does not answer."""

    def __init__(
        self,
        read_storage: Callable[[], Awaitable[Storage]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; `read_storage` returns None for what cannot be known."""
        self._read_storage = read_storage
        self._clock = clock
        self._check_at = -math.inf
        self._is_missing = False
        self._ignored = IgnoredRows(clock)
        self.is_known = False

    @property
    def is_due(self) -> bool:
        """Whether the last answer is so old that it is checked again."""
        return self._clock() >= self._check_at

    @property
    def issues(self) -> list[Issue]:
        """The issues."""
        missing = [Issue(key=NO_DEDUPLICATION)] if self._is_missing else []
        return missing + self._ignored.issues

    async def async_check(self) -> None:
        """Read it; what was known before stays when the server does not answer."""
        self._check_at = self._clock() + CHECK_SECONDS
        storage = await self._read_storage()
        if not storage.is_answered:
            self._check_at = self._clock() + RETRY_SECONDS
            return
        if storage.deduplicates is not None:
            self._is_missing = not storage.deduplicates
        if storage.ignored is not None:
            self._ignored.note(storage.ignored)
            self._check_at = self._clock() + IGNORED_SECONDS
        self.is_known = True
