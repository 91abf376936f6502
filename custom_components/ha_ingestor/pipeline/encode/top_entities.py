"""The entities and event types with most points and bytes, since the start."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from heapq import nlargest
from operator import attrgetter
from typing import Any, Final

from ..model import StateLike

TOP_ENTITIES: Final = 20
# Series that are counted of one entity: more than the weather has conditions, and few enough to
# remember for every entity.
SERIES_MAX: Final = 20
_MICROSECOND: Final = 1e-6


@dataclass(slots=True)
class EntityStats:
    """Points and bytes of one entity or event type.

    `newest` is the time of its last point, in microseconds since 1970. `hashes` are those of its
    series, up to SERIES_MAX.
    """

    points: int = 0
    bytes: int = 0
    newest: int = -1
    hashes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityPoints:
    """What was encoded of one entity; `last_time` of its last point, in seconds since 1970.

    `last_state` is None for an entity that is gone, and when the last state gave no point. Further
    series than SERIES_MAX are not counted.
    """

    points: int
    bytes: int
    series: int
    last_time: float | None
    last_state: str | None


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
    """Return points, bytes, series and the last point of each entity or event type."""
    return {
        subject: EntityPoints(
            points=stats_of_one.points,
            bytes=stats_of_one.bytes,
            series=len(stats_of_one.hashes),
            last_time=None if stats_of_one.newest < 0 else stats_of_one.newest / 1e6,
            last_state=_stored_state(stats_of_one, last.get(subject)),
        )
        for subject, stats_of_one in stats.items()
    }


def _stored_state(stats: EntityStats, state: StateLike | None) -> str | None:
    """Return the state, unless it is newer than the last point.

    Then it gave none: a text, for one, where only numbers can be stored.
    """
    if state is None or state.last_updated_timestamp > stats.newest / 1e6 + _MICROSECOND:
        return None
    return state.state
