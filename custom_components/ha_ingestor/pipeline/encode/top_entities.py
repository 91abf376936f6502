"""The entities and event types with most points and bytes, since the start."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from heapq import nlargest
from operator import attrgetter
from typing import Any, Final

from ..model import StateLike

TOP_ENTITIES: Final = 20


@dataclass(slots=True)
class EntityStats:
    """Points and bytes of one entity or event type."""

    points: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityPoints:
    """What was written of one entity, and of its last state, None where that is not known.

    `last_time` in seconds since 1970.
    """

    points: int
    bytes: int
    last_state: str | None = None
    last_time: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopEntity:
    """The counts of one; `subject` is an entity id, or the type of an event."""

    subject: str
    points: int
    bytes: int
    points_per_hour: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TopEntities:
    """The first by points, and the first by bytes."""

    hours: float
    by_points: list[TopEntity]
    by_bytes: list[TopEntity]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def top_entities(stats: Mapping[str, EntityStats], seconds: float) -> TopEntities:
    """Find those with most points and bytes in so many seconds."""
    hours = seconds / 3600
    entities = [
        TopEntity(
            subject=subject,
            points=stats_of_one.points,
            bytes=stats_of_one.bytes,
            points_per_hour=round(stats_of_one.points / hours, 1) if hours else 0.0,
        )
        for subject, stats_of_one in stats.items()
    ]
    return TopEntities(
        hours=round(hours, 3),
        by_points=nlargest(TOP_ENTITIES, entities, attrgetter("points", "bytes")),
        by_bytes=nlargest(TOP_ENTITIES, entities, attrgetter("bytes", "points")),
    )


def entity_points(stats: Mapping[str, EntityStats]) -> dict[str, int]:
    """Return the points of each entity or event type."""
    return {subject: stats_of_one.points for subject, stats_of_one in stats.items()}


def entity_statistics(
    stats: Mapping[str, EntityStats], last: Mapping[str, StateLike]
) -> dict[str, EntityPoints]:
    """Return points, bytes and the last written state of each entity or event type."""
    found: dict[str, EntityPoints] = {}
    for subject, stats_of_one in stats.items():
        state = last.get(subject)
        found[subject] = EntityPoints(
            points=stats_of_one.points,
            bytes=stats_of_one.bytes,
            last_state=state.state if state else None,
            last_time=state.last_updated_timestamp if state else None,
        )
    return found
