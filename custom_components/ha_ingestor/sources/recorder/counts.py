"""Counts what the recorder has of a request, before any of it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from homeassistant.core import HomeAssistant

from ...enrich.catalog import Catalog
from .job import Content, Request
from .reader import HistoryReader
from .statistics import filter_id

_DAY: Final = 86_400.0
# The module that reads it, and how much one query counts: there are fewer hours than states.
_READ: Final[Mapping[Content, tuple[Literal[".rows", ".hours"], float]]] = {
    Content.STATES: (".rows", _DAY),
    Content.STATISTICS: (".hours", 30 * _DAY),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Rows of the recorder: changes by entity, and hours by statistic.

    Beside them, `excluded` are of what is not recorded. Of them, `too_old` have expired.
    """

    entities: Mapping[str, int] = field(default_factory=dict)
    statistics: Mapping[str, int] = field(default_factory=dict)
    excluded: int = 0
    too_old: int = 0

    @property
    def recorded(self) -> int:
        """The rows of what is recorded."""
        return sum(self.entities.values()) + sum(self.statistics.values())

    @property
    def rows(self) -> int:
        """All rows that have to be read."""
        return self.recorded + self.excluded


async def async_counted(
    hass: HomeAssistant, catalog: Catalog, reader: HistoryReader, request: Request, expired: float
) -> Counts:
    """Count what a request has, and what of it is not later than `expired`; raises HistoryError."""
    found: dict[Content, dict[str, int]] = {content: {} for content in Content}
    excluded = too_old = 0
    for content in request.contents:
        module, seconds = _READ[content]
        rows: Any = await reader.async_rows(module)
        names, after = found[content], request.span.after
        while after < request.span.until:
            until = min(after + seconds, request.span.until)
            part = replace(request.span, after=after, until=until)
            counted = await rows.async_counts(hass, part, expired)
            if not counted:
                # Nobody waits for a query of each day of many years.
                until = await rows.async_empty_until(hass, replace(request.span, after=until))
            for name, count, old in counted:
                if catalog[filter_id(name)].filtered:
                    excluded += count
                    continue
                names[name] = names.get(name, 0) + count
                too_old += old
            after = until
    return Counts(
        entities=found[Content.STATES],
        statistics=found[Content.STATISTICS],
        excluded=excluded,
        too_old=too_old,
    )
