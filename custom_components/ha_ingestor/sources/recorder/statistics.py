"""Writes the long-term statistics of a span, at the pace of all that is read of the recorder."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from itertools import batched
from typing import Any, Final, NamedTuple

from homeassistant.core import HomeAssistant, callback

from ...const import LOGGER
from ...enrich.catalog import Catalog
from ...pipeline.encode.encoder import NOT_ENCODABLE
from ...pipeline.encode.statistics import Statistic, StatisticSeries, series_of
from ...pipeline.ledger import NO_NUMBER
from ...pipeline.model import EntityContext, OwnPoint
from ...pipeline.past import Past
from ...pipeline.past_events import PastEvents
from .page import Position, RecordedHour, Span
from .reader import ROWS_AT_ONCE, HistoryReader, Step

# The source of the statistics that the recorder makes itself, all of them of entities.
_RECORDER: Final = "recorder"


def filter_id(statistic_id: str) -> str:
    """Return the ID that the filter knows a statistic by.

    One that is of no entity has its source in front of a colon, where entities have a domain.
    """
    return statistic_id.replace(":", ".", 1)


class _EncodedStatistic(NamedTuple):
    """The series of a statistic, and what it was made of."""

    statistic: Statistic
    context: EntityContext
    series: StatisticSeries


class StatisticsReader:
    """Used by one job at a time; what is read of the recorder is read by `reader`."""

    def __init__(
        self, hass: HomeAssistant, past_events: PastEvents, catalog: Catalog, reader: HistoryReader
    ) -> None:
        """Prepare."""
        self._hass = hass
        self._past_events = past_events
        self._catalog = catalog
        self._reader = reader

    async def async_write(self, position: Position, span: Span, past: Past) -> AsyncIterator[Step]:
        """Write what is behind a position, page by page; raises HistoryError and OSError.

        Ends without a last step when it has to stop.
        """
        hours = await self._reader.async_rows(".hours")
        known: dict[str, _EncodedStatistic] = {}
        async for page in self._reader.async_pages(hours, position, span):
            found: list[OwnPoint] = []
            filtered: Counter[str] = Counter()
            for few in batched(page.rows, ROWS_AT_ONCE, strict=False):
                self._encode(few, known, found, filtered)
                await asyncio.sleep(0)
            points = 0
            if found or filtered:
                points = await self._past_events.store(past, found, filtered)
                await self._past_events.sync()
            self._reader.forget_gone({filter_id(row.statistic.statistic_id) for row in page.rows})
            yield Step(page.position, len(page.rows), points, page.is_last)

    def _encode(
        self,
        rows: Iterable[RecordedHour],
        known: dict[str, _EncodedStatistic],
        found: list[OwnPoint],
        filtered: Counter[str],
    ) -> None:
        for statistic, hour in rows:
            context = self._catalog[filter_id(statistic.statistic_id)]
            if context.filtered:
                filtered[context.filtered] += 1
                continue
            try:
                point = self._described(statistic, context, known).series.encode(hour)
            except Exception:  # noqa: BLE001  a database may hold anything
                if not filtered[NOT_ENCODABLE]:  # once for each page
                    LOGGER.exception("An hour of %s could not be encoded", statistic.statistic_id)
                filtered[NOT_ENCODABLE] += 1
                continue
            if point:
                found.append(point)
            else:
                filtered[NO_NUMBER] += 1

    @callback
    def _described(
        self, statistic: Statistic, context: EntityContext, known: dict[str, _EncodedStatistic]
    ) -> _EncodedStatistic:
        encoded = known.get(statistic.statistic_id)
        # A change of the registries makes a new context.
        if encoded is None or encoded.context is not context or encoded.statistic != statistic:
            encoded = _EncodedStatistic(statistic, context, self._series(statistic, context))
            known[statistic.statistic_id] = encoded
        return encoded

    @callback
    def _series(self, statistic: Statistic, context: EntityContext) -> StatisticSeries:
        profile = self._past_events.profile
        if statistic.source != _RECORDER:
            return series_of(statistic, profile, None, {})
        entity_id = context.entity_id
        state = self._hass.states.get(entity_id)
        # The registry knows the device class also of an entity that is not there now.
        attributes: dict[str, Any] = {
            "device_class": self._catalog.traits(entity_id).device_class,
            "state_class": state.attributes.get("state_class") if state else None,
        }
        return series_of(statistic, profile, context, attributes)
