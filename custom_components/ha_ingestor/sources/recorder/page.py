"""What is asked of the recorder, and what comes back."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, NamedTuple

from ...pipeline.encode.statistics import Hour, Statistic
from ...pipeline.filter.state_times import RedatedState
from ...pipeline.model import ContextLike

# Behind every row of a moment; databases have no infinite integers.
LAST_ROW: Final = 2**62
# The year 2200: nothing stored is from then, and what databases and dates take goes further.
MOMENT_MAX: Final = 7_258_118_400.0


class HistoryError(Exception):
    """The recorder cannot be read now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What happened later than `after` and not later than `until`, of these entities or of all."""

    after: float
    until: float
    entity_ids: Collection[str] | None = None


class Position(NamedTuple):
    """Behind which row to go on: its moment, and its number among those of the same moment."""

    moment: float
    state_id: int = LAST_ROW


class Recorded(NamedTuple):
    """A row; the state is None where the entity was removed."""

    entity_id: str
    state: RedatedState | None
    moment: float
    context: ContextLike


class RecordedHour(NamedTuple):
    """An hour of a long-term statistic."""

    statistic: Statistic
    hour: Hour


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage[T]:
    """Some rows, and where to go on."""

    rows: tuple[T, ...]
    position: Position
    is_full: bool = False
    is_last: bool = False
