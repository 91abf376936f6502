"""Checks at intervals whether quarantine files that were unusable can be used again."""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from ..spool.quarantine.quarantine import Quarantine
from .writer import Run

# A bad sector may take the disk seconds to fail at.
RECHECK_SECONDS: Final = 60.0


@dataclass(slots=True, kw_only=True)
class QuarantineRecheck:
    """Calls `on_change` when the files have another error, or none any more."""

    quarantine: Quarantine
    run: Run
    on_change: Callable[[], None]
    clock: Callable[[], float]
    _due: float = 0.0

    @property
    def longest_wait(self) -> float:
        """Seconds in which nothing has to be checked."""
        return RECHECK_SECONDS if self.quarantine.disk_error else math.inf

    async def check_if_due(self) -> None:
        """Check the files that cannot be used, unless that was done a moment ago."""
        before = self.quarantine.disk_error
        if not before or self.clock() < self._due:
            return
        self._due = self.clock() + RECHECK_SECONDS
        with suppress(OSError):
            await self.run(self.quarantine.recheck_files)
        if self.quarantine.disk_error != before:
            self.on_change()
