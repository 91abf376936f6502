"""How long the event loop is held up while the registries of 5 000 entities are read and told.

Everything runs here but the data-api, which has a process of its own as it has in a home. A lag is
how much later than wanted the event loop wakes up, without the waits for a processor.
"""

import asyncio
import gc
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

import aiohttp
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir

from custom_components.ha_ingestor.clients.data_api.client import DataApiClient
from custom_components.ha_ingestor.data_api.runner import RegistrySync
from custom_components.ha_ingestor.enrich.selection import NOTHING
from custom_components.ha_ingestor.metadata_store.keeper import MetadataKeeper
from custom_components.ha_ingestor.registry.history import RegistryHistory
from custom_components.ha_ingestor.registry.history_log import Written
from custom_components.ha_ingestor.registry.watch import Look, async_watch
from scripts.rig.configuration import CHECKOUT
from scripts.rig.home_assistant import free_port

from .bench_load import probe
from .stages import furnished, new_pipeline
from .table import Row, at_most

LAG_MS: Final = 20.0

_ENTITIES: Final = 5000
_DEVICES: Final = 800
_ROUNDS: Final = 7
_ENTITY: Final = "sensor.crowd_0"


async def measure(directory: Path) -> list[Row]:
    """Measure each follower by itself."""
    hass = await furnished(directory)
    await ir.async_load(hass, load_empty=True)
    _fill(hass)
    hass.set_state(CoreState.running)
    # What was just made would be looked through again and again.
    gc.collect()
    gc.freeze()
    rows = [await _row("nothing at all", lambda: asyncio.sleep(1))]
    watch = async_watch(hass)
    end = watch.async_follow(_nobody)
    change = _changing(hass, watch.async_catch_up)
    rows.append(await _row("a look that nobody follows, the first", watch.async_catch_up))
    rows.append(await _row("a look that nobody follows", change, _ROUNDS))

    keeper = MetadataKeeper(hass)
    keeper.async_start()
    rows.append(await _row("the store, everything", watch.async_catch_up))
    rows.append(await _row("the store, one entity changed", change, _ROUNDS))
    await keeper.async_stop()

    pipeline = new_pipeline(directory / "spool")
    pipeline.start()
    history = RegistryHistory(hass, pipeline, Written(directory / "spool", ""), NOTHING)
    history.async_start()
    rows.append(await _row("rows for a database, everything", watch.async_catch_up))
    rows.append(await _row("rows for a database, one entity changed", change, _ROUNDS))
    await history.async_stop()
    await pipeline.stop()

    with _data_api() as url:
        async with aiohttp.ClientSession() as session:
            client = DataApiClient(session, url)
            sync = RegistrySync(hass, client, on_change=lambda: None, refresh=1800.0)
            equal = _equal(sync)
            sync.async_start()
            rows.append(await _row("a data-api, everything", equal))
            look = _changing(hass, watch.async_catch_up)

            async def change_and_send() -> None:
                await look()
                await equal()

            rows.append(await _row("a data-api, one entity changed", change_and_send, _ROUNDS))
            await sync.async_stop()
    end()
    await hass.async_stop(force=True)
    return rows


def _fill(hass: HomeAssistant) -> None:
    devices, entities = dr.async_get(hass), er.async_get(hass)
    (entry,) = hass.config_entries.async_entries()
    made = [
        devices.async_get_or_create(
            config_entry_id=entry.entry_id,
            identifiers={(entry.domain, f"crowd {number}")},
            name=f"Device {number}",
            manufacturer=f"Maker {number % 20}",
            model="Weather sensor WSDCGQ11LM",
            sw_version="3000-0001",
        )
        for number in range(_DEVICES)
    ]
    for number in range(_ENTITIES):
        entities.async_get_or_create(
            "sensor",
            entry.domain,
            f"00:15:8d:00:02:{number:06x}-1-1026",
            suggested_object_id=f"crowd_{number}",
            config_entry=entry,
            device_id=made[number % _DEVICES].id,
            original_name="Temperature",
            original_icon="mdi:thermometer",
            capabilities={"state_class": "measurement"},
            original_device_class="temperature",
            unit_of_measurement="°C",
        )


def _changing(
    hass: HomeAssistant, then: Callable[[], Awaitable[None]]
) -> Callable[[], Awaitable[None]]:
    async def change() -> None:
        er.async_get(hass).async_update_entity(_ENTITY, name=f"Name {time.monotonic_ns()}")
        await then()

    return change


def _equal(sync: RegistrySync) -> Callable[[], Awaitable[None]]:
    """Wait until the data-api has everything, once more than before."""
    sent = 0

    async def equal() -> None:
        nonlocal sent
        while sync.state.rows_sent <= sent or sync.state.rows_pending or not sync.state.last_sync:
            await asyncio.sleep(0.05)
        sent = sync.state.rows_sent

    return equal


async def _nobody(_look: Look) -> None:
    pass


async def _row(what: str, work: Callable[[], Awaitable[None]], rounds: int = 1) -> Row:
    """Do it some times and tell of the longest lag in each."""
    longest, taken = [], []
    for _ in range(rounds):
        lags: list[tuple[float, float]] = [(0.0, 0.0)]
        watching = asyncio.create_task(probe(lags))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await work()
        taken.append(time.monotonic() - began)
        await asyncio.sleep(0.1)
        watching.cancel()
        longest.append(max(lag - waited for lag, waited in lags) * 1000)
    told = f"{what}: {median(taken):.2f} s; longest lag, worst of {rounds} {max(longest):.1f}"
    return at_most(told, median(longest), LAG_MS, "{:.1f} ms")


@contextmanager
def _data_api() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "scripts.rig.data_api", "--port", str(port)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE) as server:  # noqa: S603
        assert server.stdout
        server.stdout.readline()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
