"""What the tests of the shell share: an entry, its database, and how to wait."""

import asyncio
import gzip
from collections.abc import Callable, Mapping
from inspect import isawaitable
from pathlib import Path
from typing import Any, Final, NamedTuple

from homeassistant.core import HomeAssistant
from line_protocol_parser import parse_line
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.const import DOMAIN, SPOOL_DIRECTORY
from tests.emulator import Emulator, Seen

# Nobody listens on the port of the discard service.
NOWHERE: Final = "http://127.0.0.1:9"


class Point(NamedTuple):
    """A point as it is stored; `time` in nanoseconds."""

    tags: dict[str, str]
    fields: dict[str, Any]
    time: int


def new_entry(url: str, **more: Any) -> MockConfigEntry:
    """Build an entry as the flow would for a database of InfluxDB 1."""
    data = {
        "dialect": Dialect.V1.value,
        "url": url,
        "verify_ssl": True,
        "ca_certificate": "",
        "org": "",
        "bucket": "",
        "database": "home_assistant",
        "retention_policy": "",
        "username": "",
        "password": "",
        "token": "",
    }
    return MockConfigEntry(domain=DOMAIN, title="Attic", data=data | more)


async def set_up(
    hass: HomeAssistant, entry: MockConfigEntry, options: Mapping[str, Any] | None = None
) -> None:
    """Add the entry, by request with these options, and start it."""
    entry.add_to_hass(hass)
    if options is not None:
        hass.config_entries.async_update_entry(entry, options=options)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def set_up_to_send_later(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    """Start the entry; after the first request, points are gathered for five minutes."""
    hass.states.async_set("sensor.first", "1")
    await set_up(hass, entry, {"spool": {"gather": 300}})
    await until(lambda: points(database, "sensor.first"))


async def deliver(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Unload the entry, which delivers all that was captured before it returns."""
    await hass.async_block_till_done()
    assert await hass.config_entries.async_unload(entry.entry_id)


async def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for a condition, which may be a coroutine, and fail when it does not come true."""
    async with asyncio.timeout(seconds):
        while not (await met if isawaitable(met := condition()) else met):
            await asyncio.sleep(0.01)


def spool_path(hass: HomeAssistant, entry: MockConfigEntry) -> Path:
    """Where the points of an entry wait."""
    return Path(hass.config.path(SPOOL_DIRECTORY, entry.entry_id))


def unzipped(seen: Seen) -> bytes:
    """Read the body of a request."""
    is_zipped = seen.headers.get("Content-Encoding") == "gzip"
    return gzip.decompress(seen.body) if is_zipped else seen.body


def points(database: Emulator, entity_id: str | None = None) -> list[Point]:
    """Read what the database stored with an independent reader, in the order of arrival.

    Fails when that reader and the database's own do not agree on every series and time.
    """
    found: dict[Any, Point] = {}
    for seen in database.writes:
        for line in filter(None, unzipped(seen).decode().split("\n")):
            parsed = parse_line(line)
            series = parsed["measurement"], tuple(sorted(parsed["tags"].items()))
            if (series, parsed["time"]) in database.points:
                point = Point(parsed["tags"], parsed["fields"], parsed["time"])
                found[series, parsed["time"]] = point
    assert len(found) == len(database.points)
    return [point for point in found.values() if entity_id in {None, point.tags.get("entity_id")}]


def listeners(hass: HomeAssistant) -> dict[Any, int]:
    """Count who listens; the types that nobody listens to are left out.

    So is Home Assistant's storage, which listens as long as something waits to be written.
    """
    return {
        name: count
        for name, jobs in hass.bus._listeners.items()
        if (count := sum("helpers.storage" not in repr(job.target) for job, _ in jobs))
    }
