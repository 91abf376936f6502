"""Fills the gaps of this home out of the recorder: what happened while nobody captured.

The states that are there at a start are the end of the gap. Those that changed in it are captured
only when the recorder has been asked what was before: then each says what it follows.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from homeassistant.core import HomeAssistant, State, callback

from ...const import LOGGER
from ...enrich.catalog import Catalog
from ...pipeline.model import StateEvent
from ...pipeline.past_events import PastEvents
from ...pipeline.snapshot import Recovery, RecoveryStatus
from ...tasks.slices import async_slices
from ..local import LocalSource
from ..present_states import PresentStates
from .gaps import Gap, Gaps
from .page import HistoryError, Position, Recorded, Span
from .reader import READY_SECONDS, HistoryReader
from .recovered_events import RecoveredEvents

_DAY: Final = 86_400.0
RETRY_SECONDS: Final = 300.0
# The page that is being read is read to its end.
STOP_SECONDS: Final = 5.0


class GapRecovery:
    """Starts after the source of this home and stops before it."""

    def __init__(
        self,
        hass: HomeAssistant,
        past_events: PastEvents,
        catalog: Catalog,
        source: LocalSource,
        gaps: Gaps,
        *,
        max_days: float,
        present: PresentStates | None = None,
    ) -> None:
        """Prepare; gaps older than `max_days` are not filled, and none at all if it is zero.

        `present` is what the recovery before this one left.
        """
        self.present = present or PresentStates()
        self._hass = hass
        self._past_events = past_events
        self._catalog = catalog
        self._source = source
        self._gaps = gaps
        self._max_days = max_days
        self._captured_until: float | None = None
        self._began: float | None = None
        self._task: asyncio.Task[None] | None = None
        self._reader = HistoryReader(hass, past_events, catalog, self._async_wait)

    async def async_prepare(self) -> None:
        """Read up to when an earlier process captured; before the source starts."""
        self._captured_until = await self._past_events.load_captured_until()
        await self._hass.async_add_executor_job(self._gaps.load)
        # Until the gap is stored, it must be found again.
        self._past_events.captured_until.hold()
        self._source.when_missed = self.async_missed

    @callback
    def async_missed(self, states: Iterable[State]) -> Iterable[State]:
        """Begin a gap that ends now, and return the states that it does not concern."""
        after, self._began = self._captured_until, time.time()
        if not self._max_days or after is None or after >= self._began or not self._reader.recorder:
            return states
        # A process that was killed at once has stored the gap, and not that it has.
        after = max([after, *(gap.until for gap in self._gaps.open)])
        self._gaps.open.append(Gap(until=self._began, position=Position(after)))
        found = list(states)
        deferred = {
            state.entity_id: state for state in found if state.last_updated_timestamp > after
        }
        self.present = PresentStates(gap_end=self._began, deferred=deferred)
        return [state for state in found if state.entity_id not in deferred]

    @callback
    def async_start(self) -> None:
        """Fill the gaps in the background."""
        # Home Assistant cancels those that it knows when it begins to stop.
        self._task = asyncio.create_task(self._async_run(), name="ha_ingestor gap recovery")

    async def async_stop(self) -> None:
        """Stop behind the present page; the next start goes on from there. Safe to call twice."""
        self._reader.stopping.set()
        if task := self._task:
            await asyncio.wait([task], timeout=STOP_SECONDS)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _async_run(self) -> None:
        try:
            is_stored = await self._async_save()
        finally:
            self._past_events.captured_until.release(self._began)
        await self._past_events.commit()
        if not (self._gaps.open and self._max_days and self._reader.recorder):
            return
        await self._async_capture_unrecorded(is_stored=is_stored)
        while self._gaps.open and not self._reader.stopping.is_set():
            self._show("waiting")
            try:
                await self._reader.async_wait_for_recorder()
                while self._gaps.open and not self._reader.stopping.is_set():
                    await self._async_fill(self._gaps.open[-1])
            except (HistoryError, OSError) as err:
                LOGGER.debug("The history cannot be read now: %s", err)
            except Exception:  # noqa: BLE001  a database may hold anything
                LOGGER.exception("The history cannot be read now")
            else:
                continue
            await self._async_capture_deferred()
            await self._reader.async_sleep(RETRY_SECONDS)
        if not self._gaps.open:
            self._show("idle")

    async def _async_fill(self, gap: Gap) -> None:
        """Fill a gap, or as much as there is time for; raises HistoryError and OSError."""
        position = max(gap.position, Position(time.time() - self._max_days * _DAY))
        # A damaged file may name any end; what is later than now is captured live.
        span = Span(after=position.moment, until=min(gap.until, time.time()))
        past = self._past_events.begin(is_gap=True)
        recovered, is_last = 0, position.moment >= span.until
        async for step in self._reader.async_recover(position, span, past, self._without_present):
            recovered, is_last = recovered + step.points, step.is_last
            self._gaps.open[-1] = gap = replace(gap, position=step.position)
            self._show("reading")
            await self._async_save()
        if not is_last:
            return
        if gap.until == self.present.gap_end:
            unfillable = self.present.unfound
            async for entity_id in async_slices(list(self.present.deferred)):
                unfillable += not self._catalog[entity_id].filtered
            self._gaps.unfillable = unfillable
        await self._async_capture_deferred()
        self._gaps.open.pop()
        await self._async_save()
        LOGGER.info(
            "%s points out of the recorder fill the gap from %s to %s; it has nothing of %s"
            " entities",
            *(recovered, _time(span.after), _time(span.until), self._gaps.unfillable),
        )

    async def _async_wait(self) -> None:
        """Wait for room in the spool; the present states do not wait for ever."""
        self._show("waiting")
        gap_end = self.present.gap_end
        if gap_end is None or time.time() - gap_end > READY_SECONDS:
            await self._async_capture_deferred()

    def _without_present(
        self, rows: Iterable[Recorded], events: RecoveredEvents
    ) -> Iterator[Recorded]:
        """Capture the present states that follow nothing as after any start; yield the others."""
        for row in rows:
            if self.present.captured.get(row.entity_id) == row.moment:
                continue
            state = self.present.deferred.get(row.entity_id)
            if state is not None and row.moment >= state.last_updated_timestamp:
                del self.present.deferred[row.entity_id]
                # After a kill nothing is known but what the recorder has, which may lack the newest
                # states before it: what is as it says may be new all the same.
                is_known = self._past_events.remembers(row.entity_id) or events.is_echo(row)
                if is_known and not events.has_seen(row.entity_id) and self._is_present(state):
                    self._source.async_capture_existing(state)
                    continue
            yield row

    async def _async_capture_unrecorded(self, *, is_stored: bool) -> None:
        """Capture the states that will not be found; all of them where the gap is not stored."""
        is_recorded: Callable[[str], bool] | None = self._reader.recorder.entity_filter
        async for state in async_slices(list(self.present.deferred.values())):
            if not is_stored or (is_recorded and not is_recorded(state.entity_id)):
                del self.present.deferred[state.entity_id]
                self.present.unfound += not self._catalog[state.entity_id].filtered
                await self._async_capture(state)

    async def _async_capture_deferred(self) -> None:
        """Capture the states that are left, which the recorder does not have."""
        async for state in async_slices(list(self.present.deferred.values())):
            del self.present.deferred[state.entity_id]
            await self._async_capture(state)

    async def _async_capture(self, state: State) -> None:
        """Capture a state as after any start; after newer events it is one of the past."""
        moment, entity = state.last_updated_timestamp, self._catalog[state.entity_id]
        self.present.captured[state.entity_id] = moment
        if entity.filtered or self._is_present(state):
            self._source.async_capture_existing(state)
            return
        event = StateEvent(entity, state, None, moment, state.context)
        past = self._past_events.begin(is_gap=True)
        try:
            await self._past_events.store(past, [event], Counter())
        except OSError:
            # Live events wait in memory for the disk.
            self._source.async_capture_existing(state)

    def _is_present(self, state: State) -> bool:
        return self._hass.states.get(state.entity_id) is state

    def _show(self, status: RecoveryStatus) -> None:
        gap = self._gaps.open[-1] if self._gaps.open else None
        self._past_events.recovery = Recovery(
            status=status,
            position=_time(gap.position.moment) if gap else None,
            until=_time(gap.until) if gap else None,
            unfillable=self._gaps.unfillable,
        )

    async def _async_save(self) -> bool:
        """Store which gaps there are; returns whether that worked."""
        try:
            await self._hass.async_add_executor_job(self._gaps.save)
        except OSError as err:
            LOGGER.warning("The gaps that are to be filled cannot be stored: %s", err)
            return False
        return True


def _time(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)
