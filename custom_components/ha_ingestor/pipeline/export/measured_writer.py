"""Times and counts the requests to a database."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from ..histogram import Histogram
from .result import Kind, Problem, Result
from .writer import Writer

# The database, or the way to it, has a problem; with any other result it did its work.
_FAILED: Final = frozenset({Kind.KEPT, Kind.BLOCKED})


@dataclass(slots=True, kw_only=True)
class MeasuredWriter:
    """A writer that remembers how its requests went. Used by the event loop."""

    writer: Writer
    latency: Histogram = field(default_factory=Histogram)
    results: Counter[Kind] = field(default_factory=Counter)
    problems: Counter[Problem] = field(default_factory=Counter)
    sent_bytes: int = 0
    # Of the request under way.
    body_bytes: int = 0
    last_success: datetime | None = None
    last_failure: datetime | None = None

    async def write(self, body: bytes, *, gzipped: bool = False) -> Result:
        """Send points."""
        self.body_bytes = len(body)
        self.sent_bytes += len(body)
        try:
            return await self._measure(lambda: self.writer.write(body, gzipped=gzipped))
        finally:
            self.body_bytes = 0

    async def check(self) -> Result:
        """Check the connection."""
        return await self._measure(self.writer.check)

    async def retention(self) -> float | None:
        """Read the retention, which is no part of delivery."""
        return await self.writer.retention()

    async def _measure(self, send: Callable[[], Awaitable[Result]]) -> Result:
        began = time.monotonic()
        result = await send()
        self.latency.observe(time.monotonic() - began)
        self.results[result.kind] += 1
        if result.kind in _FAILED:
            self.last_failure = datetime.now(UTC)
        else:
            self.last_success = datetime.now(UTC)
        if result.problem is not Problem.NONE:
            self.problems[result.problem] += 1
        return result
