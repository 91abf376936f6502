"""Writes a span of the recorder's history that a user asks for, one at a time."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from ...const import LOGGER
from ...enrich.catalog import Catalog
from ...pipeline.past import Past
from ...pipeline.past_events import PastEvents
from ...pipeline.snapshot import Backfill as Shown
from ...pipeline.snapshot import BackfillStatus
from .counts import Counts, async_counted
from .job import FILE, Content, Job, Request
from .page import HistoryError, Position, Span
from .reader import HistoryReader, Step
from .statistics import StatisticsReader

RETRY_SECONDS: Final = 300.0
# The page that is being read is read to its end.
STOP_SECONDS: Final = 5.0
type Write = Callable[[Position, Span, Past], AsyncIterator[Step]]


class Backfill:
    """Starts and stops with the destination, and goes on where it was.

    `retention` asks the database how long it keeps points.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        past_events: PastEvents,
        catalog: Catalog,
        folder: Path,
        retention: Callable[[], Awaitable[float | None]],
    ) -> None:
        """Prepare; nothing runs before `async_start`."""
        self.job: Job | None = None
        self._hass = hass
        self._past_events = past_events
        self._catalog = catalog
        self._folder = folder
        self._retention = retention
        self._reader = HistoryReader(hass, past_events, catalog, self._async_wait)
        statistics = StatisticsReader(hass, past_events, catalog, self._reader)
        self._write: Mapping[Content, Write] = {
            Content.STATES: self._reader.async_recover,
            Content.STATISTICS: statistics.async_write,
        }
        self._task: asyncio.Task[None] | None = None

    async def async_start(self) -> None:
        """Go on with what an earlier process began."""
        self.job = await self._hass.async_add_executor_job(Job.load, self._folder / FILE)
        self._show()
        self._begin()

    async def async_count(self, request: Request) -> Counts:
        """Count what a request has; raises HistoryError."""
        await self._reader.async_wait_for_recorder()
        retention = await self._async_retention()
        expired = time.time() - retention if retention else 0.0
        return await async_counted(self._hass, self._catalog, self._reader, request, expired)

    async def async_begin(self, request: Request, total: int) -> bool:
        """Begin in the background; returns False if there is one already."""
        if self.job and self.job.is_open:
            return False
        self.job = Job.of(request, total)
        await self._async_save()
        self._show()
        self._begin()
        return True

    async def async_pause(self) -> None:
        """Stop until it is resumed, also over a restart."""
        await self._async_end(lambda job: replace(job, status="paused"))

    async def async_cancel(self) -> None:
        """Stop for good; what is written stays."""
        await self._async_end(Job.cancelled)

    async def async_resume(self) -> None:
        """Go on."""
        if self.job and self.job.status == "paused":
            self.job = replace(self.job, status="running")
            await self._async_save()
            self._show()
            self._begin()

    async def async_stop(self) -> None:
        """Stop behind the present page; the next start goes on from there. Safe to call twice."""
        self._reader.stopping.set()
        task, self._task = self._task, None
        if task:
            await asyncio.wait([task], timeout=STOP_SECONDS)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _async_end(self, ended: Callable[[Job], Job]) -> None:
        await self.async_stop()
        if self.job and self.job.is_open:
            self.job = ended(self.job)
            await self._async_save()
        self._show()

    def _begin(self) -> None:
        if self.job and self.job.status == "running":
            self._reader.stopping.clear()
            # Home Assistant cancels those that it knows when it begins to stop.
            self._task = asyncio.create_task(self._async_run(self.job), name="ha_ingestor backfill")

    async def _async_run(self, job: Job) -> None:
        while job.status == "running" and not self._reader.stopping.is_set():
            try:
                await self._reader.async_wait_for_recorder()
                past = self._past_events.begin(is_gap=False)
                async for step in self._write[job.left[0]](job.position, job.span, past):
                    self.job = job = job.after(step)
                    await self._async_save()
                    self._show()
            except (HistoryError, OSError) as err:
                LOGGER.debug("The backfill waits: %s", err)
                self._show("waiting")
                await self._reader.async_sleep(RETRY_SECONDS)
            except Exception:  # noqa: BLE001  a database may hold anything
                LOGGER.exception("The history cannot be written now")
                self._show("waiting")
                await self._reader.async_sleep(RETRY_SECONDS)
        if job.status == "done":
            LOGGER.info("The backfill is done: %s points of %s rows", job.points, job.rows)

    async def _async_retention(self) -> float | None:
        try:
            return await self._retention()
        except Exception:  # noqa: BLE001  a database that is not there does not say it
            LOGGER.debug("The retention could not be read", exc_info=True)
            return None

    async def _async_wait(self) -> None:
        self._show("waiting")

    @callback
    def _show(self, status: BackfillStatus | None = None) -> None:
        if job := self.job:
            self._past_events.backfill = Shown(
                status=status or job.status,
                content=job.left[0].value if job.is_open else None,
                after=_time(job.span.after),
                until=_time(job.span.until),
                position=_time(job.position.moment),
                rows=job.rows,
                total=job.total,
                points=job.points,
            )

    async def _async_save(self) -> None:
        try:
            if self.job:
                await self._hass.async_add_executor_job(self.job.save, self._folder / FILE)
        except (HomeAssistantError, OSError) as err:
            LOGGER.warning("How far the backfill is cannot be stored: %s", err)


def _time(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)
