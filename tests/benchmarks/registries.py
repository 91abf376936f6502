"""How long the event loop is held up while the registries of 5 000 entities are read and told.

Everything runs here but the data-api, which has a process of its own as it has in a home.
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
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir

from custom_components.ha_ingestor.clients.data_api.client import DataApiClient
from custom_components.ha_ingestor.data_api.runner import RegistrySync
from custom_components.ha_ingestor.enrich.selection import EVERYTHING
from custom_components.ha_ingestor.metadata_store.metadata_sync import MetadataSync
from custom_components.ha_ingestor.registry.history import RegistryHistory
from custom_components.ha_ingestor.registry.history_log import HistoryLog
from custom_components.ha_ingestor.registry.watch import RegistrySnapshot, async_watch
from scripts.rig.configuration import CHECKOUT
from scripts.rig.home_assistant import free_port

from .bench_load.loop_blocks import LoopBlocks
from .bench_load.workload import burst
from .blocks import ENTITIES, rows_of
from .stages import furnished, new_pipeline
from .table import Row

_ROUNDS: Final = 7
_ENTITY: Final = "sensor.added_0"


async def measure(directory: Path) -> list[Row]:
    """Measure each subscriber by itself."""
    hass = await furnished(directory)
    await ir.async_load(hass, load_empty=True)
    (entry,) = hass.config_entries.async_entries()
    burst(hass, entry, ENTITIES)
    hass.set_state(CoreState.running)
    # What was just made would be looked through again and again.
    gc.collect()
    gc.freeze()
    rows = await _rows("nothing at all", lambda: asyncio.sleep(1))
    watch = async_watch(hass)
    end = watch.async_subscribe(_nobody)
    change = _changing(hass, watch.async_catch_up)
    rows += await _rows("a snapshot without subscribers, the first", watch.async_catch_up)
    rows += await _rows("a snapshot without subscribers", change, _ROUNDS)

    keeper = MetadataSync(hass)
    keeper.async_start()
    rows += await _rows("the store, everything", watch.async_catch_up)
    rows += await _rows("the store, one entity changed", change, _ROUNDS)
    await keeper.async_stop()

    pipeline = new_pipeline(directory / "spool")
    pipeline.start()
    history = RegistryHistory(hass, pipeline, HistoryLog(directory / "spool", ""), EVERYTHING)
    history.async_start()
    rows += await _rows("rows for a database, everything", watch.async_catch_up)
    rows += await _rows("rows for a database, one entity changed", change, _ROUNDS)
    await history.async_stop()
    await pipeline.stop()

    with _data_api() as url:
        async with aiohttp.ClientSession() as session:
            client = DataApiClient(session, url)
            sync = RegistrySync(hass, client, on_change=lambda: None, refresh=1800.0)
            equal = _equal(sync)
            sync.async_start()
            rows += await _rows("a data-api, everything", equal)
            snapshot = _changing(hass, watch.async_catch_up)

            async def change_and_send() -> None:
                await snapshot()
                await equal()

            rows += await _rows("a data-api, one entity changed", change_and_send, _ROUNDS)
            await sync.async_stop()
    end()
    await hass.async_stop(force=True)
    return rows


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


async def _nobody(_snapshot: RegistrySnapshot) -> None:
    pass


async def _rows(what: str, work: Callable[[], Awaitable[None]], rounds: int = 1) -> list[Row]:
    """Do it some times and tell of the longest block in each."""
    turns, taken = [], []
    for _ in range(rounds):
        blocks = LoopBlocks()
        blocks.start()
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await work()
        taken.append(time.monotonic() - began)
        await asyncio.sleep(0.1)
        turns.append(blocks.stop()["turns"])
    return rows_of(f"{what}: {median(taken):.2f} s", turns)


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
