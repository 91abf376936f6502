"""An entry is removed while something of it is under way: it ends, and nothing is left."""

import asyncio
import errno
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.clients.influx.admin import HttpAdministrator
from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.diagnostics import async_get_config_entry_diagnostics
from custom_components.ha_ingestor.health.issues.issues import QUARANTINED
from custom_components.ha_ingestor.pipeline.encode.top_entities import top_entities
from custom_components.ha_ingestor.pipeline.entity_reports import EntityReports
from custom_components.ha_ingestor.pipeline.export.result import Kind, Problem, Result
from custom_components.ha_ingestor.pipeline.quarantine_jobs import QuarantineJobs
from custom_components.ha_ingestor.repairs import async_create_fix_flow
from custom_components.ha_ingestor.sources.recorder.backfill import Backfill
from custom_components.ha_ingestor.sources.recorder.counts import Counts
from tests.emulator import Emulator, Fault
from tests.shell import points, set_up, spool_path, until


@pytest.fixture(autouse=True)
def _no_exception(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail when an exception reached Home Assistant."""
    yield
    logged = [each for each in caplog.records if each.exc_info and each.levelno >= logging.ERROR]
    assert [each.getMessage() for each in logged] == []


async def remove(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await hass.config_entries.async_remove(entry.entry_id)
    assert hass.config_entries.async_get_entry(entry.entry_id) is None
    assert not spool_path(hass, entry).exists()


async def test_a_request_in_flight_is_finished_when_its_entry_is_removed(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    database.faults.append(Fault(delay=0.5, apply=True, only=b"sensor.late"))
    hass.states.async_set("sensor.late", "1")
    await until(lambda: any(b"sensor.late" in seen.plain for seen in database.seen))

    await remove(hass, entry)

    assert len(points(database, "sensor.late")) == 1


async def test_a_removal_waits_some_seconds_at_most_for_a_request_that_hangs(
    hass: HomeAssistant, database: Emulator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    database.faults.append(Fault(kind="hang", only=b"sensor.late"))
    hass.states.async_set("sensor.late", "1")
    await until(lambda: any(b"sensor.late" in seen.plain for seen in database.seen))

    began = time.monotonic()
    await remove(hass, entry)

    # Five seconds of sending, and what a busy machine adds.
    assert time.monotonic() - began < 20


@dataclass(slots=True)
class Held:
    """A wait of the product that goes on when it is released."""

    is_reached: asyncio.Event = field(default_factory=asyncio.Event)
    is_released: asyncio.Event = field(default_factory=asyncio.Event)

    def returning(self, answer: object) -> Callable[..., Awaitable[Any]]:
        async def wait(*_: object, **__: object) -> Any:
            self.is_reached.set()
            await self.is_released.wait()
            return answer

        return wait


async def _back_fill(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    data = {"config_entry_id": entry.entry_id, "start_time": "2026-01-01 00:00:00"}
    return await hass.services.async_call(
        DOMAIN, "backfill", data, blocking=True, return_response=True
    )


async def _repair(hass: HomeAssistant, entry: MockConfigEntry, problem: str, step: str) -> Any:
    data: Any = {"entry_id": entry.entry_id, "problem": problem}
    flow: Any = await async_create_fix_flow(hass, "any", data)
    flow.hass = hass
    return await getattr(flow, f"async_step_{step}")({"retention_days": 1})


ACCEPTED: Final = Result(kind=Kind.ACCEPTED, problem=Problem.NONE)
# What is held, what it answers in the end, and what began it.
OPERATIONS: Final[
    Mapping[str, tuple[type, str, object, Callable[..., Coroutine[Any, Any, Any]]]]
] = {
    "history is counted": (Backfill, "async_count", Counts(entities={"sensor.a": 1}), _back_fill),
    "a database is created": (
        *(HttpAdministrator, "create_missing", ACCEPTED),
        partial(_repair, problem=Problem.DATABASE_NOT_FOUND, step="confirm"),
    ),
    "the quarantine is replayed": (
        *(QuarantineJobs, "replay", 1),
        partial(_repair, problem=QUARANTINED, step="replay"),
    ),
    "the top entities are read": (
        *(EntityReports, "top", top_entities({}, 1.0)),
        async_get_config_entry_diagnostics,
    ),
}


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_an_entry_is_removed_during_an_operation(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
) -> None:
    await set_up(hass, entry)
    of, name, answer, begin = OPERATIONS[operation]
    held = Held()
    monkeypatch.setattr(of, name, held.returning(answer))
    task: asyncio.Task[Any] = hass.async_create_task(begin(hass, entry))
    await held.is_reached.wait()

    await remove(hass, entry)
    held.is_released.set()

    if operation == "history is counted":
        with pytest.raises(ServiceValidationError) as raised:
            await task
        assert raised.value.translation_key == "service_config_entry_not_found"
    else:
        assert await task is not None
    assert not spool_path(hass, entry).exists()


async def test_an_action_says_when_its_destination_was_unloaded_meanwhile(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(hass, entry)

    async def stopped(*_: object) -> None:
        raise OSError(errno.ECANCELED, "Stopped before it was done")

    monkeypatch.setattr(QuarantineJobs, "replay", stopped)
    with pytest.raises(HomeAssistantError, match="Attic was unloaded before this was done"):
        await hass.services.async_call(DOMAIN, "replay_quarantine", {}, blocking=True)
