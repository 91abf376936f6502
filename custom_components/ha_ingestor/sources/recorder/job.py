"""What a user asked for of the recorder's history, what of it is done, and the file of both."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import save_json
from homeassistant.util.json import load_json

from ...pipeline.snapshot import BackfillStatus
from .page import LAST_ROW, MOMENT_MAX, Position, Span
from .reader import Step

FILE: Final = "backfill.json"


class Content(StrEnum):
    """What can be written of a span. The values are stored, and keys of translations."""

    STATES = "states"
    STATISTICS = "statistics"


# An hour that begins with the span belongs to it, and a state of the same moment does not.
_FIRST_ROW: Final[Mapping[Content, int]] = {Content.STATES: LAST_ROW, Content.STATISTICS: 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to write of a span, in this order."""

    span: Span
    contents: tuple[Content, ...] = (Content.STATES,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What was asked for, and what of it is done.

    `left` is what is still to be written: the first of it from `position` on. It `ended` when it
    was done or cancelled, which an earlier version did not store.
    """

    span: Span
    left: tuple[Content, ...]
    position: Position
    status: BackfillStatus = "running"
    total: int = 0
    rows: int = 0
    points: int = 0
    ended: float | None = None

    @classmethod
    def of(cls, request: Request, total: int) -> Self:
        """Begin with a request that has so many rows."""
        span, contents = request.span, request.contents
        return cls(span=span, left=contents, position=_first(span, contents), total=total)

    @property
    def is_open(self) -> bool:
        """Whether there is something left to do."""
        return self.status in {"running", "paused"}

    def after(self, step: Step) -> Self:
        """Return what it is after a step."""
        left, position = self.left, step.position
        if step.is_last and (left := left[1:]):
            position = _first(self.span, left)
        return replace(
            self,
            left=left,
            position=position,
            status=self.status if left else "done",
            rows=self.rows + step.rows,
            points=self.points + step.points,
            ended=None if left else time.time(),
        )

    def cancelled(self) -> Self:
        """Return what it is when it is given up."""
        return replace(self, status="cancelled", ended=time.time())

    def save(self, path: Path) -> None:
        """Replace the file, in a thread; raises OSError and HomeAssistantError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "after": self.span.after,
            "until": self.span.until,
            "entities": None if self.span.entity_ids is None else sorted(self.span.entity_ids),
            "left": self.left,
            "position": list(self.position),
            "status": self.status,
            "total": self.total,
            "rows": self.rows,
            "points": self.points,
            "ended": self.ended,
        }
        save_json(str(path), content, private=True, atomic_writes=True)

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """Read what an earlier process stored, in a thread; None for nothing that can be read."""
        try:
            stored: Any = load_json(path, {})
            return cls._read(stored) if stored else None
        except HomeAssistantError, KeyError, TypeError, ValueError, OverflowError:
            return None

    @classmethod
    def _read(cls, stored: Mapping[str, Any]) -> Self:
        entities, (moment, row) = stored["entities"], stored["position"]
        # An earlier version wrote states only.
        left = tuple(map(Content, stored.get("left", (Content.STATES,))))
        status = stored["status"]
        after, until, moment = (float(each) for each in (stored["after"], stored["until"], moment))
        if not all(0 <= each <= MOMENT_MAX for each in (after, until, moment)):
            raise ValueError
        ended = float(stored.get("ended") or 0)
        if status not in {"running", "paused", "done"} or (status != "done" and not left):
            status = "cancelled"
        return cls(
            span=Span(
                after=after,
                until=until,
                entity_ids=None if entities is None else frozenset(map(str, entities)),
            ),
            left=left,
            position=Position(moment, min(int(row), LAST_ROW)),
            status=status,
            total=int(stored["total"]),
            rows=int(stored["rows"]),
            points=int(stored["points"]),
            ended=ended if 0 < ended <= MOMENT_MAX else None,
        )


def _first(span: Span, left: tuple[Content, ...]) -> Position:
    return Position(span.after, _FIRST_ROW[left[0]])
