"""What the recorder has of the entities of a deleted destination is never written."""

from datetime import timedelta
from typing import Any

import pytest
from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.statistics import async_import_statistics
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.ha_ingestor.sources.recorder import reader
from tests.emulator import Emulator
from tests.shell import deliver, new_entry, points, set_up

from .test_backfill import call, ended
from .test_gaps import disable, enable
from .test_statistics import MEASURED, OLD, metadata, rows


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not pause between pages."""
    monkeypatch.setattr(reader, "PAUSE_SECONDS", 0.0)


async def add_another(hass: HomeAssistant, database: Emulator) -> tuple[MockConfigEntry, set[str]]:
    """Set up another destination; returns what its entities are called, which have states."""
    other = new_entry(database.url, database="other")
    await set_up(hass, other)
    entries = er.async_entries_for_config_entry(er.async_get(hass), other.entry_id)
    own = {each.entity_id for each in entries if hass.states.get(each.entity_id)}
    assert own
    await async_wait_recording_done(hass)
    return other, own


def _sensor(own: set[str]) -> str:
    return min(each for each in own if each.startswith("sensor."))


async def test_a_backfill_leaves_out_sensors_of_a_deleted_destination(
    recorder_mock: Recorder, hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    other, own = await add_another(hass, database)
    async_import_statistics(hass, metadata(_sensor(own), **MEASURED), rows({"mean": 1.0}))
    hass.states.async_set("sensor.a", "1")
    await async_wait_recording_done(hass)
    await hass.config_entries.async_remove(other.entry_id)
    await async_wait_recording_done(hass)

    told: Any = await call(
        hass,
        "backfill",
        start_time=(dt_util.utcnow() - timedelta(hours=1)).isoformat(),
        content=["states"],
    )
    assert told["entities"].keys() == {"sensor.a"}
    assert told["excluded"] >= len(own)
    await ended(entry)
    told = await call(hass, "backfill", **OLD)
    assert (told["statistics"], told["excluded"]) == ({}, 1)
    await ended(entry)
    await deliver(hass, entry)
    assert {point.tags["entity_id"] for point in points(database)} == {"sensor.a"}


async def test_a_gap_is_filled_without_sensors_of_a_deleted_destination(
    recorder_mock: Recorder, hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await hass.async_block_till_done()
    await disable(hass, entry)
    other, _ = await add_another(hass, database)
    await hass.config_entries.async_remove(other.entry_id)
    hass.states.async_set("sensor.a", "2")
    await enable(hass, entry)
    await deliver(hass, entry)
    assert {point.tags["entity_id"] for point in points(database)} == {"sensor.a"}


async def test_another_entity_that_takes_the_name_is_recorded(
    recorder_mock: Recorder, hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    other, own = await add_another(hass, database)
    await hass.config_entries.async_remove(other.entry_id)
    await async_wait_recording_done(hass)
    told = await call(
        hass,
        "backfill",
        start_time=(dt_util.utcnow() - timedelta(hours=1)).isoformat(),
        dry_run=True,
    )
    assert told["entities"] == {}
    name = _sensor(own)
    hass.states.async_set(name, "1")
    await hass.async_block_till_done()
    await deliver(hass, entry)
    assert {point.tags["entity_id"] for point in points(database)} == {name}
