"""Which entities, or measurements, are in the quarantine of a destination."""

from typing import Final

from ..pipeline.pipeline import Pipeline
from ..pipeline.snapshot import Snapshot
from .rejected_point import subjects_of

# Enough of the quarantine to name the entities in it.
RECORDS_READ: Final = 500


class RefusedEntities:
    """Reads them again when there are others."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Know of none."""
        self.found: list[str] = []
        self._pipeline = pipeline
        # At which count of the quarantine that was.
        self._count = -1

    async def async_update(self, snapshot: Snapshot) -> None:
        """Read the quarantine, if points came into it."""
        count = snapshot.ledger["quarantined"]
        if snapshot.rejection is None or count == self._count:
            return
        try:
            records, _ = await self._pipeline.quarantine.newest_records(RECORDS_READ)
        except OSError:
            return  # the repair about the disk says so
        self._count, self.found = count, subjects_of(records)
