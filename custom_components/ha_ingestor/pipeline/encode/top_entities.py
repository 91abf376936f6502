"""Who talks most: points and bytes by entity or type of event, since the start."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from heapq import nlargest
from operator import attrgetter
from typing import Any, Final

LOUDEST: Final = 20


@dataclass(slots=True)
class Talk:
    """What was encoded of one."""

    points: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Talker:
    """What one of them said; `subject` is the id of an entity, or the type of an event."""

    subject: str
    points: int
    bytes: int
    points_per_hour: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chatter:
    """The loudest, by how often and by how much."""

    hours: float
    by_points: list[Talker]
    by_bytes: list[Talker]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def chatter(talk: Mapping[str, Talk], seconds: float) -> Chatter:
    """Find the loudest of some seconds."""
    hours = seconds / 3600
    talkers = [
        Talker(
            subject=subject,
            points=said.points,
            bytes=said.bytes,
            points_per_hour=round(said.points / hours, 1) if hours else 0.0,
        )
        for subject, said in talk.items()
    ]
    return Chatter(
        hours=round(hours, 3),
        by_points=nlargest(LOUDEST, talkers, attrgetter("points", "bytes")),
        by_bytes=nlargest(LOUDEST, talkers, attrgetter("bytes", "points")),
    )
