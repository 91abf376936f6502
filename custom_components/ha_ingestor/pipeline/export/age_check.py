"""Finds expired points: by the retention of the database, or by single lines."""

import asyncio
import logging
from dataclasses import dataclass, replace

from .attempts import is_own_end
from .expiry import Expiry, time_of
from .result import Kind, Problem, Result
from .writer import Writer

_LOGGER = logging.getLogger(__name__)


class ExpirySearch:
    """Finds the newest line of a batch that is refused for its age, by sending single ones.

    The newest comes first, as most often all of them are too old. A point of the future may be
    refused in the same words, but says nothing of older ones.
    """

    def __init__(self, expiry: Expiry, payload: bytes) -> None:
        """Begin with nothing known of these lines."""
        self.found = False
        self._expiry = expiry
        lines = payload.split(b"\n")
        timed = {moment: line for line in lines if (moment := time_of(line)) is not None}
        self._lines = [(moment, timed[moment]) for moment in sorted(timed) if moment < expiry.now]
        self._expired, self._kept = 0, len(self._lines)
        self._place = self._kept - 1

    @property
    def line(self) -> bytes | None:
        """The line to send next, alone; None when all is known."""
        return self._lines[self._place][1] if self._expired < self._kept else None

    def note(self, refusal: str) -> None:
        """Note that it was refused for its age, in these words, or not."""
        if refusal:
            self.found, self._expired = True, self._place + 1
            self._expiry.refused(self._lines[self._place][0], refusal)
        else:
            self._kept = self._place
        self._place = (self._expired + self._kept) // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeCheck:
    """Reads the retention, and searches for expired lines."""

    writer: Writer
    expiry: Expiry

    async def read_retention(self) -> None:
        """Read the retention; unknown after an error."""
        retention = None
        try:
            retention = await self.writer.retention()
        except (Exception, asyncio.CancelledError) as err:
            if is_own_end(err):
                raise
            _LOGGER.debug("The retention could not be read", exc_info=True)
        self.expiry.set_retention(retention)

    async def read_if_due(self) -> None:
        """Read the retention again where it may have been changed."""
        if self.expiry.is_due:
            await self.read_retention()

    async def wrong_clock(self, line: bytes, result: Result) -> Result | None:
        """Return the result if a line was rejected for its age by a wrong clock."""
        moment = time_of(line)
        if moment is None or not self.expiry.is_too_young(moment, result.age):
            return None
        # The retention may have been shortened.
        await self.read_retention()
        is_wrong = self.expiry.is_too_young(moment, result.age)
        return _blocked_by_clock(result) if is_wrong else None

    async def find_limit(self, search: ExpirySearch) -> Result | None:
        """Send single lines until all are known, or a request fails; returns that result."""
        while line := search.line:
            result = await self.writer.write(line)
            is_expired = result.kind is Kind.EXPIRED
            if result.kind in {Kind.BLOCKED, Kind.KEPT}:
                return result
            if result.kind is Kind.ACCEPTED:
                self.expiry.accepted()
            if is_expired and (trouble := await self.wrong_clock(line, result)):
                return trouble
            search.note(result.detail if is_expired else "")
        return None


def _blocked_by_clock(result: Result) -> Result:
    return replace(result, kind=Kind.BLOCKED, problem=Problem.CLOCK_DIFFERS)
