"""When points are sent: now, not at all, again."""

import errno

from homeassistant.util.json import JsonObjectType

from ..coordinator import HaIngestorConfigEntry
from ..health.texts.server_text import plain
from .errors import wrong_input


async def async_flush(entry: HaIngestorConfigEntry) -> JsonObjectType:
    """Bring everything to the disk, deliver and reach other homes at once; raises OSError."""
    entry.runtime_data.remotes.async_try_now()
    pipeline = entry.runtime_data.pipeline
    await pipeline.flush()
    snapshot = await pipeline.snapshot()
    if snapshot.spool_error:
        raise OSError(errno.EIO, snapshot.spool_error)
    if pipeline.is_paused:
        raise wrong_input("paused", title=plain(entry.title))
    return {"backlog": snapshot.backlog}


async def async_pause(entry: HaIngestorConfigEntry) -> JsonObjectType:
    """Send nothing until it is resumed; raises OSError."""
    pipeline = entry.runtime_data.pipeline
    await pipeline.pause()
    return {"backlog": (await pipeline.snapshot()).backlog}


async def async_resume(entry: HaIngestorConfigEntry) -> JsonObjectType:
    """Send again; raises OSError."""
    pipeline = entry.runtime_data.pipeline
    backlog = (await pipeline.snapshot()).backlog
    await pipeline.resume()
    return {"backlog": backlog}


async def async_resync(entry: HaIngestorConfigEntry) -> None:
    """Send the registries again."""
    if (registries := entry.runtime_data.registries) is None:
        raise wrong_input("no_data_api")
    registries.sync.async_resync()


async def async_top_entities(entry: HaIngestorConfigEntry) -> JsonObjectType:
    """Return the entities with most points and bytes."""
    return (await entry.runtime_data.pipeline.reports.top()).as_dict()
