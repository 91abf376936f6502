"""What was written of each entity since the start, for those who want to know."""

from dataclasses import dataclass

from .encode.encoder import Encoder
from .encode.top_entities import (
    EntityPoints,
    TopEntities,
    entity_points,
    entity_statistics,
    top_entities,
)
from .filter.last_written import LastWritten
from .health import Health
from .spool_thread import SpoolThread


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityReports:
    """Reads in the event loop what the spool's thread counts."""

    encoder: Encoder
    last_written: LastWritten
    health: Health
    thread: SpoolThread

    async def top(self) -> TopEntities:
        """Return the entities with most points and bytes."""
        return await self.thread.read(top_entities, self.encoder.stats, self.health.uptime)

    async def points(self) -> tuple[float, dict[str, int]]:
        """Return the seconds since the start, and the points of each entity or event type."""
        points = await self.thread.read(entity_points, self.encoder.stats)
        return self.health.uptime, points

    async def statistics(self) -> tuple[float, dict[str, EntityPoints]]:
        """Return the seconds since the start, and what was written of each entity."""
        stats, last = self.encoder.stats, self.last_written.last
        return self.health.uptime, await self.thread.read(entity_statistics, stats, last)
