"""What becomes of points that the database refused."""

from typing import Any, Final

from homeassistant.util.json import JsonObjectType

from ..coordinator import HaIngestorConfigEntry, IngestorRuntimeData
from ..health.texts.own_reasons import async_said
from ..health.texts.server_text import plain

# Home Assistant makes JSON of the answer in its event loop.
EXPORT_POINTS: Final = 1_000
EXPORT_POINTS_MAX: Final = 10_000


async def async_export(entry: HaIngestorConfigEntry, limit: int = EXPORT_POINTS) -> JsonObjectType:
    """Return the newest records, our own reasons as the home speaks; raises OSError."""
    runtime = entry.runtime_data
    newest: tuple[list[Any], int] = await runtime.pipeline.quarantine.newest_records(limit)
    records, total = newest
    hass = runtime.coordinator.hass
    shown: list[Any] = [
        {**each, "reason": async_said(hass, str(each.get("reason")))} for each in records
    ]
    return {"points": shown, "total": total, **_problem(runtime)}


async def async_replay(entry: HaIngestorConfigEntry) -> JsonObjectType:
    """Deliver them once more; raises OSError."""
    runtime = entry.runtime_data
    replayed = await runtime.pipeline.quarantine.replay()
    await runtime.coordinator.async_forget_rejection()
    return {"replayed": replayed, **_problem(runtime)}


async def async_purge(entry: HaIngestorConfigEntry) -> JsonObjectType:
    """Delete them; raises OSError."""
    runtime = entry.runtime_data
    purged = await runtime.pipeline.quarantine.purge()
    await runtime.coordinator.async_forget_rejection()
    return {"purged": purged, **_problem(runtime)}


def _problem(runtime: IngestorRuntimeData) -> JsonObjectType:
    """Return which files could not be read, if any."""
    trouble = runtime.pipeline.quarantine.disk_error
    return {"problem": plain(trouble)} if trouble else {}
