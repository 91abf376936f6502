"""What is said of a destination and of its data-api, and how bad it is."""

from dataclasses import replace
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.health.http import levels
from custom_components.ha_ingestor.health.http.levels import Level
from custom_components.ha_ingestor.health.parts import DataApiReading
from custom_components.ha_ingestor.health.readings import Reading
from custom_components.ha_ingestor.pipeline.export.breaker import BreakerState
from custom_components.ha_ingestor.pipeline.export.result import Problem
from custom_components.ha_ingestor.pipeline.spool.quarantine.records import RejectedPoint

from ..seen import deliver_one

DATA_API = DataApiReading(
    title="data-api",
    connected=True,
    problem=Problem.NONE,
    breaker=BreakerState.CLOSED,
    attempts=0,
    last_sync=None,
    rows_sent=0,
    rows_pending=0,
    rows_rejected=0,
)
REJECTION = RejectedPoint(line="m value=1 1", reason="field type conflict")


async def read(
    hass: HomeAssistant, entry: MockConfigEntry, data_api: DataApiReading | None, **changes: Any
) -> Reading:
    await deliver_one(hass, entry)
    return Reading(
        entry_id=entry.entry_id,
        title=entry.title,
        name=entry.title,
        state="loaded",
        snapshot=replace(await entry.runtime_data.pipeline.snapshot(), **changes),
        data_api=data_api,
    )


@pytest.mark.parametrize(
    ("changes", "level", "said"),
    [
        ({}, Level.HEALTHY, "Attic accepts points"),
        ({"rejection": REJECTION}, Level.DEGRADED, "Attic accepts points: rejected"),
        ({"unanswered": 30.0}, Level.DEGRADED, "Attic accepts points: no_answer"),
        (
            {"spool_bytes": 900, "spool_limit": 1000},
            Level.DEGRADED,
            "Attic accepts points: spool_full",
        ),
        ({"spool_error": "No space left"}, Level.UNHEALTHY, "Attic has a problem with its disk"),
        ({"unbalanced": "1 != 2"}, Level.UNHEALTHY, "Attic has counts that do not add up"),
    ],
)
async def test_a_destination_that_accepts_points_may_have_other_problems(
    hass: HomeAssistant, entry: MockConfigEntry, changes: Any, level: Level, said: str
) -> None:
    reading = await read(hass, entry, None, **changes)
    assert levels.database(reading) == (level, said)
    assert levels.worst([reading]) is level


@pytest.mark.parametrize(
    ("data_api", "level", "said"),
    [
        (None, Level.HEALTHY, "accepts"),
        (DATA_API, Level.HEALTHY, "accepts"),
        (replace(DATA_API, connected=None), Level.DEGRADED, "was not asked yet"),
        (
            replace(DATA_API, connected=False, problem=Problem.TIMEOUT),
            Level.DEGRADED,
            "does not accept the registries: timeout",
        ),
    ],
)
async def test_a_data_api_is_never_worse_than_degraded(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    data_api: DataApiReading | None,
    level: Level,
    said: str,
) -> None:
    reading = await read(hass, entry, data_api)
    assert said in levels.registries(data_api)[1]
    assert levels.worst([reading]) is level
