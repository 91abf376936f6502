"""Writes what the recorder has of a time, on demand."""

import time
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_get_config_entry
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from ..const import DOMAIN
from ..coordinator import HaIngestorConfigEntry, IngestorRuntimeData
from ..sources.recorder.counts import Counts
from ..sources.recorder.job import Content, Request
from ..sources.recorder.page import HistoryError, Span
from .errors import failure, wrong_input

ATTR_START: Final = "start_time"
ATTR_END: Final = "end_time"
ATTR_CONTENT: Final = "content"
ATTR_ENTITIES: Final = "entities"
ATTR_STATISTICS: Final = "statistic_ids"
ATTR_DRY_RUN: Final = "dry_run"


def _ascii(moment: object) -> object:
    """Refuse what is no date: half of a surrogate pair, of a template, ends the whole process."""
    if isinstance(moment, str) and not moment.isascii():
        raise vol.Invalid("expected a date and time")
    return moment


FIELDS: Final[Mapping[Any, Any]] = {
    vol.Required(ATTR_START): vol.All(_ascii, cv.datetime),
    vol.Optional(ATTR_END): vol.All(_ascii, cv.datetime),
    vol.Optional(ATTR_CONTENT): vol.All(cv.ensure_list, [vol.Coerce(Content)], vol.Length(min=1)),
    vol.Optional(ATTR_ENTITIES): cv.entity_ids,
    vol.Optional(ATTR_STATISTICS): vol.All(cv.ensure_list, [cv.string]),
    vol.Optional(ATTR_DRY_RUN): cv.boolean,
    **cv.TARGET_FIELDS,
}


async def async_backfill(
    entry: HaIngestorConfigEntry,
    start_time: datetime,
    end_time: datetime | None = None,
    *,
    content: Collection[Content] = (Content.STATES,),
    entities: Collection[str] = (),
    statistic_ids: Collection[str] = (),
    dry_run: bool = False,
    **target: Any,
) -> JsonObjectType:
    """Count what there is, and begin unless there is nothing or it is a dry run."""
    hass = entry.runtime_data.coordinator.hass
    names = targeted(hass, {*entities, *statistic_ids}, target)
    request = asked_for(start_time, end_time, names, content)
    if not dry_run and is_open(entry):
        raise wrong_input("backfill_running")
    counts = await async_counted(entry, request)
    is_begun = counts.recorded > 0 and not dry_run
    if is_begun:
        # It may have been unloaded or removed while the history was counted.
        await async_begin(async_get_config_entry(hass, DOMAIN, entry.entry_id), request, counts)
    return {
        "started": is_begun,
        "rows": counts.recorded,
        "excluded": counts.excluded,
        "too_old": counts.too_old,
        "entities": dict(most_first(counts.entities)),
        "statistics": dict(most_first(counts.statistics)),
    }


@callback
def targeted(
    hass: HomeAssistant, named: Collection[str], target: Mapping[str, Any]
) -> frozenset[str] | None:
    """Find the entities that a user chose, and named; None for all that are recorded."""
    chosen = {key: ids for key, ids in target.items() if ids}
    if not named and not chosen:
        return None
    # What a device measures about itself is history as well.
    found = async_extract_referenced_entity_ids(
        hass, TargetSelection(chosen), expand_group=False, primary_entities_only=False
    )
    entity_ids = frozenset(named) | found.referenced | found.indirectly_referenced
    if not entity_ids:
        raise wrong_input("backfill_no_entity")
    return entity_ids


def asked_for(
    start: datetime,
    end: datetime | None,
    names: frozenset[str] | None,
    contents: Collection[Content],
) -> Request:
    """Check the times."""
    now = time.time()
    after = _seconds_of(start)
    until = min(_seconds_of(end) if end else now, now)
    if not 0 <= after < until:
        raise wrong_input("backfill_time")
    span = Span(after=after, until=until, entity_ids=names)
    # In an order of their own, and each once.
    return Request(span=span, contents=tuple(each for each in Content if each in contents))


def _seconds_of(moment: datetime) -> float:
    """Return seconds since 1970, also of moments that are out of range in another time zone."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt_util.get_default_time_zone())
    return moment.timestamp()


async def async_counted(entry: HaIngestorConfigEntry, request: Request) -> Counts:
    """Count what the recorder has."""
    try:
        return await entry.runtime_data.backfill.async_count(request)
    except HistoryError as err:
        raise failure("no_history") from err


async def async_begin(entry: HaIngestorConfigEntry, request: Request, counts: Counts) -> None:
    """Begin in the background."""
    runtime = entry.runtime_data
    if not await runtime.backfill.async_begin(request, counts.rows):
        raise wrong_input("backfill_running")
    await runtime.coordinator.async_refresh()


def most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Sort names by their rows."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def is_open(entry: HaIngestorConfigEntry) -> bool:
    """Whether history is being written, or is paused."""
    job = entry.runtime_data.backfill.job
    return job is not None and job.is_open


async def async_pause_backfill(entry: HaIngestorConfigEntry) -> None:
    """Stop until it is resumed."""
    runtime = _open(entry)
    await runtime.backfill.async_pause()
    await runtime.coordinator.async_refresh()


async def async_resume_backfill(entry: HaIngestorConfigEntry) -> None:
    """Go on."""
    runtime = _open(entry)
    await runtime.backfill.async_resume()
    await runtime.coordinator.async_refresh()


async def async_cancel_backfill(entry: HaIngestorConfigEntry) -> None:
    """Stop for good."""
    runtime = _open(entry)
    await runtime.backfill.async_cancel()
    await runtime.coordinator.async_refresh()


def _open(entry: HaIngestorConfigEntry) -> IngestorRuntimeData:
    if not is_open(entry):
        raise wrong_input("no_backfill")
    return entry.runtime_data
