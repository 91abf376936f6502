"""Writes what the recorder has of a time, on demand."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import voluptuous as vol
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from ..coordinator import HaIngestorConfigEntry
from ..sources.recorder.backfill import Backfill
from ..sources.recorder.page import HistoryError, Span
from .errors import failure, wrong_input

ATTR_START: Final = "start_time"
ATTR_END: Final = "end_time"
ATTR_ENTITIES: Final = "entities"
ATTR_DRY_RUN: Final = "dry_run"

FIELDS: Final[Mapping[vol.Marker, Any]] = {
    vol.Required(ATTR_START): cv.datetime,
    vol.Optional(ATTR_END): cv.datetime,
    vol.Optional(ATTR_ENTITIES): cv.entity_ids,
    vol.Optional(ATTR_DRY_RUN): cv.boolean,
}


async def async_backfill(
    entry: HaIngestorConfigEntry,
    start_time: datetime,
    end_time: datetime | None = None,
    entities: Sequence[str] = (),
    *,
    dry_run: bool = False,
) -> JsonObjectType:
    """Count what there is, and begin unless it is a dry run."""
    backfill, now = entry.runtime_data.backfill, time.time()
    after = dt_util.as_utc(start_time).timestamp()
    until = min(dt_util.as_utc(end_time).timestamp() if end_time else now, now)
    if not 0 <= after < until:
        raise wrong_input("backfill_time")
    if not dry_run and backfill.job and backfill.job.is_open:
        raise wrong_input("backfill_running")
    span = Span(after=after, until=until, entity_ids=frozenset(entities) or None)
    try:
        counts = await backfill.async_count(span)
    except HistoryError as err:
        raise failure("no_history") from err
    if not dry_run and not await backfill.async_begin(span, counts.rows):
        raise wrong_input("backfill_running")
    await entry.runtime_data.coordinator.async_refresh()
    most_first = sorted(counts.entities.items(), key=lambda item: (-item[1], item[0]))
    return {
        "started": not dry_run,
        "rows": sum(counts.entities.values()),
        "excluded": counts.excluded,
        "too_old": counts.too_old,
        "entities": dict(most_first),
    }


async def async_pause_backfill(entry: HaIngestorConfigEntry) -> None:
    """Stop until it is resumed."""
    await _open(entry).async_pause()
    await entry.runtime_data.coordinator.async_refresh()


async def async_resume_backfill(entry: HaIngestorConfigEntry) -> None:
    """Go on."""
    await _open(entry).async_resume()
    await entry.runtime_data.coordinator.async_refresh()


async def async_cancel_backfill(entry: HaIngestorConfigEntry) -> None:
    """Stop for good."""
    await _open(entry).async_cancel()
    await entry.runtime_data.coordinator.async_refresh()


def _open(entry: HaIngestorConfigEntry) -> Backfill:
    backfill = entry.runtime_data.backfill
    if backfill.job is None or not backfill.job.is_open:
        raise wrong_input("no_backfill")
    return backfill
