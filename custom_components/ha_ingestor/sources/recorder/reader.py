"""Recovers a span of the recorder's history, at a pace that nobody notices."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from itertools import batched
from math import inf
from typing import Any, Final, Literal, NamedTuple

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.recorder import DATA_INSTANCE

from ...enrich.catalog import Catalog
from ...pipeline.model import EntityContext, StateEvent
from ...pipeline.past import Past
from ...pipeline.past_events import PastEvents
from .page import HistoryError, HistoryPage, Position, Recorded, Span
from .recovered_events import RecoveredEvents

# After a full page, so that neither the recorder nor live events notice.
PAUSE_SECONDS: Final = 0.25
# After one that is not full: it took little.
SHORT_PAUSE_SECONDS: Final = 0.025
# Some entities are described for the first time, which takes the longest.
ROWS_AT_ONCE: Final = 100
# The rest of the spool is for live events.
SPOOL_FILL_MAX: Final = 0.5
# A recorder that is not ready then migrates its database.
READY_SECONDS: Final = 60.0

type Choose = Callable[[Iterable[Recorded], RecoveredEvents], Iterable[Recorded]]


class Step(NamedTuple):
    """What a page brought, and where to go on."""

    position: Position
    rows: int
    points: int
    is_last: bool


def _all(rows: Iterable[Recorded], _events: RecoveredEvents) -> Iterable[Recorded]:
    return rows


class HistoryReader:
    """Used by one job at a time; `stopping` ends it behind the present page."""

    def __init__(
        self,
        hass: HomeAssistant,
        past_events: PastEvents,
        catalog: Catalog,
        on_wait: Callable[[], Awaitable[None]],
    ) -> None:
        """Prepare; `on_wait` is called while there is no room in the spool."""
        self.stopping = asyncio.Event()
        self._hass = hass
        self._past_events = past_events
        self._catalog = catalog
        self._on_wait = on_wait

    @property
    def recorder(self) -> Any:
        """The recorder, if Home Assistant has one."""
        return self._hass.data.get(DATA_INSTANCE)

    async def async_wait_for_recorder(self) -> None:
        """Wait until what happened so far is in the database; raises HistoryError.

        It raises one at once when it has to stop.
        """
        ready = asyncio.ensure_future(self._async_commit())
        stopping = asyncio.ensure_future(self.stopping.wait())
        try:
            await asyncio.wait(
                (ready, stopping), timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if not ready.done():
                raise HistoryError("The recorder is busy")
            await ready
        finally:
            ready.cancel()
            stopping.cancel()

    async def _async_commit(self) -> None:
        if (recorder := self.recorder) is None:
            raise HistoryError("There is no recorder")
        if not await asyncio.shield(recorder.async_db_ready):
            raise HistoryError("The recorder has no database")
        if committed := recorder.async_get_commit_future():
            await committed

    async def async_rows(self, module: Literal[".rows", ".hours"] = ".rows") -> Any:
        """Return the module that reads rows."""
        return await self._hass.async_add_import_executor_job(import_module, module, __package__)

    async def async_sleep(self, seconds: float) -> None:
        """Wait, but not longer than until it has to stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopping.wait()

    async def async_recover(
        self, position: Position, span: Span, past: Past, choose: Choose = _all
    ) -> AsyncIterator[Step]:
        """Recover what is behind a position, page by page; raises HistoryError and OSError.

        Ends without a last step when it has to stop. `choose` leaves out rows that somebody else
        captures.
        """
        rows = await self.async_rows()
        # Also those before: an entity may come back long after a start, and after a stop of ours.
        starts = await rows.async_starts(self._hass, replace(span, after=0.0))
        events = RecoveredEvents(
            describe=self._describe, state_now=self._hass.states.get, starts=starts
        )
        async for page in self.async_pages(rows, position, span):
            if unknown := events.unknown(page.rows):
                first = page.rows[0].moment
                events.add_before(await rows.async_states_before(self._hass, unknown, first))
            found: list[StateEvent] = []
            filtered: Counter[str] = Counter()
            for few in batched(page.rows, ROWS_AT_ONCE, strict=False):
                made, left_out = events.read(choose(few, events))
                found += made
                filtered += left_out
                await asyncio.sleep(0)
            found += events.end(inf if page.is_last else page.position.moment)
            points = 0
            if found or filtered:
                points = await self._past_events.store(past, found, filtered)
                await self._past_events.sync()
            self.forget_gone({row.entity_id for row in page.rows})
            # What is held is read again after a stop.
            stored = min(page.position, Position(events.held_since, 0))
            yield Step(stored, len(page.rows), points, page.is_last)

    async def async_pages(
        self, rows: Any, position: Position, span: Span
    ) -> AsyncIterator[HistoryPage[Any]]:
        """Read page by page from a position, with pauses; raises HistoryError.

        `rows` is the module that reads. Ends without the last page when it has to stop.
        """
        pause, is_last = 0.0, False
        while not is_last:
            await self._async_pace(pause)
            if self.stopping.is_set():
                return
            page = await rows.async_page(self._hass, position, span)
            yield page
            position, is_last = page.position, page.is_last
            pause = PAUSE_SECONDS if page.is_full else SHORT_PAUSE_SECONDS

    @callback
    def forget_gone(self, entity_ids: Iterable[str]) -> None:
        """Keep no descriptions of entities that are not there any more."""
        registered = er.async_get(self._hass).async_is_registered
        for entity_id in entity_ids:
            if not (self._hass.states.get(entity_id) or registered(entity_id)):
                self._catalog.forget(entity_id)

    async def _async_pace(self, pause: float) -> None:
        await self.async_sleep(pause)
        while self._past_events.spool_fill >= SPOOL_FILL_MAX and not self.stopping.is_set():
            await self._on_wait()
            await self.async_sleep(PAUSE_SECONDS)

    def _describe(self, entity_id: str) -> EntityContext:
        return self._catalog[entity_id]
