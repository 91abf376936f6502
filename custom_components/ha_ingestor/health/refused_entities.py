"""What is in the quarantine of a destination: how many points, and of which entities."""

from time import monotonic
from typing import Final

from ..pipeline.pipeline import Pipeline
from ..pipeline.snapshot import Snapshot
from .rejected_point import subjects_of

# Enough of the quarantine to name the entities in it.
RECORDS_READ: Final = 500
# For somebody who looks every second. While points are being refused all files would be read again
# and again.
REREAD_SECONDS: Final = 5.0


class RefusedEntities:
    """Reads the quarantine again when there are others.

    `found` are the entities, or measurements; `total` is how many points there are, None until that
    is known.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        """Know of none."""
        self.found: list[str] = []
        self.total: int | None = None
        self._pipeline = pipeline
        # At which count of the quarantine that was.
        self._count = -1
        self._read_again_at = 0.0

    def forget(self) -> None:
        """Read it again, as points were taken out."""
        self._count = -1

    async def async_read_again(self, snapshot: Snapshot) -> None:
        """Read the quarantine, unless that was done a moment ago."""
        if monotonic() >= self._read_again_at:
            await self.async_update(snapshot)

    async def async_update(self, snapshot: Snapshot) -> None:
        """Read the quarantine, if points came into it or were taken out."""
        count = snapshot.ledger["quarantined"]
        if not snapshot.is_open or count == self._count:
            return
        self._read_again_at = monotonic() + REREAD_SECONDS
        try:
            records, total = await self._pipeline.quarantine.newest_records(RECORDS_READ)
        except OSError:
            return  # the repair about the disk says so
        self._count, self.total, self.found = count, total, subjects_of(records)
