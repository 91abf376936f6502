"""Writes a span of the recorder's history that a user asks for, one at a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import save_json
from homeassistant.util.json import load_json

from ...const import LOGGER
from ...enrich.catalog import Catalog
from ...pipeline.pipeline import Pipeline
from ...pipeline.snapshot import Backfill as Shown
from ...pipeline.snapshot import BackfillStatus
from .page import LAST_ROW, HistoryError, Position, Span
from .reader import HistoryReader

FILE: Final = "backfill.json"
RETRY_SECONDS: Final = 300.0
# The page that is being read is read to its end.
STOP_SECONDS: Final = 5.0
# One query counts so much.
_COUNTED_SECONDS: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What was asked for, and what of it is done."""

    span: Span
    position: Position
    status: BackfillStatus = "running"
    total: int = 0
    rows: int = 0
    points: int = 0

    @property
    def is_open(self) -> bool:
        """Whether there is something left to do."""
        return self.status in {"running", "paused"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Rows of the recorder: by entity, of entities that are not recorded, and expired ones."""

    entities: dict[str, int]
    excluded: int
    too_old: int

    @property
    def rows(self) -> int:
        """All rows that have to be read."""
        return sum(self.entities.values()) + self.excluded


class Backfill:
    """Starts and stops with the destination, and goes on where it was.

    `retention` asks the database how long it keeps points.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        pipeline: Pipeline,
        catalog: Catalog,
        folder: Path,
        retention: Callable[[], Awaitable[float | None]],
    ) -> None:
        """Prepare; nothing runs before `async_start`."""
        self.job: Job | None = None
        self._hass = hass
        self._pipeline = pipeline
        self._catalog = catalog
        self._folder = folder
        self._retention = retention
        self._reader = HistoryReader(hass, pipeline, catalog, self._async_wait)
        self._task: asyncio.Task[None] | None = None

    async def async_start(self) -> None:
        """Go on with what an earlier process began."""
        self.job = await self._hass.async_add_executor_job(_loaded, self._folder / FILE)
        self._show()
        self._begin()

    async def async_count(self, span: Span) -> Counts:
        """Count what a span has; raises HistoryError."""
        await self._reader.async_wait_for_recorder()
        rows = await self._reader.async_rows()
        retention = await self._async_retention()
        expired = time.time() - retention if retention else 0.0
        entities: dict[str, int] = {}
        excluded = too_old = 0
        after = span.after
        while after < span.until:
            until = min(after + _COUNTED_SECONDS, span.until)
            part = replace(span, after=after, until=until)
            for entity_id, count, old in await rows.async_counts(self._hass, part, expired):
                if self._catalog[entity_id].filtered:
                    excluded += count
                    continue
                entities[entity_id] = entities.get(entity_id, 0) + count
                too_old += old
            after = until
        return Counts(entities=entities, excluded=excluded, too_old=too_old)

    async def async_begin(self, span: Span, total: int) -> bool:
        """Begin in the background; returns False if there is one already."""
        if self.job and self.job.is_open:
            return False
        self.job = Job(span=span, position=Position(span.after), total=total)
        await self._async_save()
        self._show()
        self._begin()
        return True

    async def async_pause(self) -> None:
        """Stop until it is resumed, also over a restart."""
        await self._async_end("paused")

    async def async_cancel(self) -> None:
        """Stop for good; what is written stays."""
        await self._async_end("cancelled")

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

    async def _async_end(self, status: BackfillStatus) -> None:
        await self.async_stop()
        if self.job and self.job.is_open:
            self.job = replace(self.job, status=status)
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
                past = self._pipeline.begin_past(is_gap=False)
                async for step in self._reader.async_recover(job.position, job.span, past):
                    self.job = job = replace(
                        job,
                        position=step.position,
                        status="done" if step.is_last else "running",
                        rows=job.rows + step.rows,
                        points=job.points + step.points,
                    )
                    await self._async_save()
                    self._show()
            except (HistoryError, OSError) as err:
                LOGGER.debug("The backfill waits: %s", err)
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
            self._pipeline.backfill = Shown(
                status=status or job.status,
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
                await self._hass.async_add_executor_job(_save, self._folder / FILE, self.job)
        except (HomeAssistantError, OSError) as err:
            LOGGER.warning("How far the backfill is cannot be stored: %s", err)


def _save(path: Path, job: Job) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "after": job.span.after,
        "until": job.span.until,
        "entities": None if job.span.entity_ids is None else sorted(job.span.entity_ids),
        "position": list(job.position),
        "status": job.status,
        "total": job.total,
        "rows": job.rows,
        "points": job.points,
    }
    save_json(str(path), content, private=True, atomic_writes=True)


def _loaded(path: Path) -> Job | None:
    """Read what an earlier process stored; None for nothing that can be read."""
    try:
        stored: Any = load_json(path, {})
        if not stored:
            return None
        entities, (moment, row) = stored["entities"], stored["position"]
        span = Span(
            after=float(stored["after"]),
            until=float(stored["until"]),
            entity_ids=None if entities is None else frozenset(map(str, entities)),
        )
        status = stored["status"]
        return Job(
            span=span,
            position=Position(float(moment), min(int(row), LAST_ROW)),
            status=status if status in {"running", "paused", "done"} else "cancelled",
            total=int(stored["total"]),
            rows=int(stored["rows"]),
            points=int(stored["points"]),
        )
    except HomeAssistantError, KeyError, TypeError, ValueError, OverflowError:
        return None


def _time(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)
