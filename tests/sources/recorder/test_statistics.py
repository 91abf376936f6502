"""Long-term statistics that a user asks for are in a measurement of their own, each hour once."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    async_import_statistics,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.recorder import session_scope
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from sqlalchemy import text

from custom_components.ha_ingestor.sources.recorder import hours, reader
from tests.emulator import Emulator
from tests.shell import Point, deliver, points, set_up, spool_path, until, unzipped

from .test_backfill import call, ended, keeps

MIDNIGHT = datetime(2020, 3, 1, tzinfo=UTC)
DAY = {"start_time": "2020-03-01T00:00:00+00:00", "end_time": "2020-03-02T00:00:00+00:00"}
OLD = {**DAY, "content": "statistics"}
MEASURED = {"mean_type": StatisticMeanType.ARITHMETIC, "has_sum": False}
COUNTED = {"mean_type": StatisticMeanType.NONE, "has_sum": True}


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not pause between pages, which are small."""
    monkeypatch.setattr(reader, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(hours, "PAGE_ROWS", 3)


def metadata(statistic_id: str, **more: Any) -> StatisticMetaData:
    source = statistic_id.partition(":")[0] if ":" in statistic_id else "recorder"
    known: Any = {
        "statistic_id": statistic_id,
        "source": source,
        "name": None,
        "unit_class": None,
        "unit_of_measurement": None,
    }
    made: StatisticMetaData = known | more
    return made


def rows(*numbers: Mapping[str, float], first: int = 0) -> list[StatisticData]:
    """Give each hour its numbers."""
    return [
        StatisticData(start=MIDNIGHT + timedelta(hours=first + at), **each)  # type: ignore[typeddict-item]
        for at, each in enumerate(numbers)
    ]


@pytest.fixture(name="before")
async def _before(recorder_mock: Recorder, hass: HomeAssistant) -> None:
    """Import what the recorder knows of 2020."""
    degrees = {**MEASURED, "unit_of_measurement": "°C", "unit_class": "temperature"}
    energy = {**COUNTED, "unit_of_measurement": "kWh", "unit_class": "energy"}
    async_import_statistics(
        hass,
        metadata("sensor.attic", **degrees),
        rows(*({"mean": at + 0.5, "min": at, "max": at + 1.0} for at in range(25))),
    )
    async_import_statistics(
        hass,
        metadata("sensor.meter", **energy),
        rows({"state": 100.0, "sum": 0.0}, {"state": 102.5, "sum": 2.5}),
    )
    async_add_external_statistics(
        hass,
        metadata("supplier:house", **energy, name="The house"),
        rows({"sum": 7.0, "state": 7.0}, first=5),
    )
    await async_wait_recording_done(hass)


def statistics(database: Emulator, statistic_id: str) -> list[Point]:
    found = [each for each in points(database) if each.tags.get("statistic_id") == statistic_id]
    return sorted(found, key=lambda point: point.time)


def at(hour: int) -> int:
    return int((MIDNIGHT + timedelta(hours=hour)).timestamp()) * 10**9


@pytest.mark.usefixtures("before")
async def test_each_hour_of_the_time_is_a_point_and_a_second_time_makes_no_more(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    told = await call(hass, "backfill", **OLD)
    assert told["rows"] == 24 + 2 + 1
    assert told["entities"] == {}
    assert told["statistics"] == {"sensor.attic": 24, "sensor.meter": 2, "supplier:house": 1}
    shown = await ended(entry)
    assert (shown.status, shown.percent, shown.rows, shown.points) == ("done", 100.0, 27, 27)
    snapshot = await entry.runtime_data.pipeline.snapshot()
    assert snapshot.unbalanced == ""
    assert snapshot.ledger["recovered"] == 27
    received = snapshot.ledger["received"]

    await call(hass, "backfill", **OLD)
    assert (await ended(entry)).points == 27
    snapshot = await entry.runtime_data.pipeline.snapshot()
    assert snapshot.unbalanced == ""
    assert snapshot.ledger["received"] >= received + 27
    await deliver(hass, entry)

    attic = statistics(database, "sensor.attic")
    # The hour that the time ends with begins after it.
    assert [each.time for each in attic] == [at(hour) for hour in range(24)]
    assert attic[3].fields == {"mean": 3.5, "min": 3.0, "max": 4.0}
    assert attic[3].tags == {
        "statistic_id": "sensor.attic",
        "source": "recorder",
        "unit": "°C",
        "entity_id": "sensor.attic",
        "domain": "sensor",
        "location": "test home",
    }
    meter = statistics(database, "sensor.meter")
    assert [each.fields for each in meter] == [
        {"state": 100.0, "sum": 0.0},
        {"state": 102.5, "sum": 2.5},
    ]
    (house,) = statistics(database, "supplier:house")
    assert house.tags == {
        "statistic_id": "supplier:house",
        "source": "supplier",
        "name": "The house",
        "unit": "kWh",
        "location": "test home",
    }
    assert (house.fields, house.time) == ({"sum": 7.0, "state": 7.0}, at(5))
    lines = [line for seen in database.writes for line in unzipped(seen).decode().split("\n")]
    measurements = {each.split(",")[0] for each in lines if "statistic_id" in each}
    assert measurements == {"home_assistant_statistics"}


@pytest.mark.usefixtures("before")
async def test_years_without_an_hour_take_no_time(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    asked = {"start_time": "2010-01-01 00:00:00+00:00", "content": "statistics"}
    await call(hass, "backfill", **asked, entities="sensor.meter")
    shown = await ended(entry)
    assert (shown.status, shown.points) == ("done", 2)


@pytest.mark.usefixtures("before")
async def test_adjacent_time_spans_have_each_hour_once(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    noon = "2020-03-01T12:00:00+00:00"
    asked = {**OLD, "entities": "sensor.attic", "dry_run": True}
    whole = await call(hass, "backfill", **asked)
    morning = await call(hass, "backfill", **{**asked, "end_time": noon})
    evening = await call(hass, "backfill", **{**asked, "start_time": noon})
    assert (whole["rows"], morning["rows"], evening["rows"]) == (24, 12, 12)
    assert entry.runtime_data.pipeline.past_events.backfill.status == "none"


@pytest.mark.usefixtures("before")
async def test_the_tags_are_those_that_the_registries_give_to_the_entity(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    area_registry: ar.AreaRegistry,
    entity_registry: er.EntityRegistry,
) -> None:
    """It has no state now."""
    area = area_registry.async_create("Under the roof")
    registered = entity_registry.async_get_or_create(
        "sensor",
        "test",
        "1",
        suggested_object_id="attic",
        original_device_class="temperature",
        unit_of_measurement="°F",
    )
    entity_registry.async_update_entity(registered.entity_id, area_id=area.id)
    await set_up(hass, entry)
    await call(hass, "backfill", **OLD, entities="sensor.attic")
    assert (await ended(entry)).rows == 24
    await deliver(hass, entry)
    tags = statistics(database, "sensor.attic")[0].tags
    assert (tags["area"], tags["area_id"], tags["integration"]) == (
        "Under the roof",
        "under_the_roof",
        "test",
    )
    assert (tags["device_class"], tags["unit"]) == ("temperature", "°C")
    assert statistics(database, "sensor.meter") == []


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        pytest.param({"domains": ["supplier"]}, {"sensor.attic": 24}, id="excluded"),
        pytest.param({"include": {"globs": ["supplier.*"]}}, {"supplier:house": 1}, id="included"),
    ],
)
async def test_the_filter_decides_also_about_statistics_of_no_entity(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    chosen: dict[str, Any],
    found: dict[str, int],
) -> None:
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options={"filter": chosen})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    before = (await entry.runtime_data.pipeline.snapshot()).ledger["filtered"].get("excluded", 0)
    asked = {"entities": ["sensor.attic"], "statistic_ids": ["supplier:house"]}
    told = await call(hass, "backfill", **OLD, **asked)
    assert told["statistics"] == found
    assert told["excluded"] == 25 - sum(found.values())
    assert (await ended(entry)).points == sum(found.values())
    snapshot = await entry.runtime_data.pipeline.snapshot()
    assert snapshot.unbalanced == ""
    assert snapshot.ledger["filtered"]["excluded"] >= before + told["excluded"]
    await deliver(hass, entry)
    for name in ("sensor.attic", "supplier:house"):
        assert len(statistics(database, name)) == found.get(name, 0)


@pytest.mark.usefixtures("before")
async def test_hours_that_the_database_does_not_keep_are_told_before(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    hour_four = datetime.now(UTC) - (MIDNIGHT + timedelta(hours=4))
    entry.runtime_data.backfill._retention = keeps(hour_four.total_seconds())
    told = await call(hass, "backfill", **OLD, entities="sensor.attic", dry_run=True)
    assert (told["rows"], told["too_old"]) == (24, 5)


@pytest.mark.usefixtures("before")
async def test_states_and_statistics_are_written_by_one_backfill(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    for number in range(4):
        hass.states.async_set("sensor.attic", str(number))
    await async_wait_recording_done(hass)
    await set_up(hass, entry)
    asked = {"start_time": DAY["start_time"], "content": ["statistics", "states"]}
    told = await call(hass, "backfill", **asked, entities="sensor.attic")
    assert (told["rows"], told["entities"]) == (4 + 25, {"sensor.attic": 4})
    shown = await ended(entry)
    assert (shown.status, shown.rows, shown.points) == ("done", 29, 29)
    await deliver(hass, entry)
    assert len(statistics(database, "sensor.attic")) == 25
    live = [each for each in points(database, "sensor.attic") if "event_type" in each.tags]
    assert {each.fields["state"] for each in live} == {"0", "1", "2", "3"}


@pytest.mark.usefixtures("before")
async def test_it_is_paused_outlives_a_reload_and_writes_what_is_left(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await set_up(hass, entry)
    monkeypatch.setattr(reader, "PAUSE_SECONDS", 0.05)
    await call(hass, "backfill", **OLD | {"content": ["states", "statistics"]})
    await until(lambda: entry.runtime_data.pipeline.past_events.backfill.rows > 0)
    await call(hass, "pause_backfill")
    paused = await ended(entry)
    assert (paused.status, paused.content) == ("paused", "statistics")
    assert 0 < paused.rows < 27
    stored = json.loads((spool_path(hass, entry) / "backfill.json").read_text())
    assert stored["left"] == ["statistics"]

    assert await hass.config_entries.async_reload(entry.entry_id)
    await asyncio.sleep(0.1)
    assert entry.runtime_data.pipeline.past_events.backfill == paused
    monkeypatch.setattr(reader, "PAUSE_SECONDS", 0.0)
    await call(hass, "resume_backfill")
    shown = await ended(entry)
    # No hour was read twice.
    assert (shown.status, shown.rows, shown.points) == ("done", 27, 27)
    assert shown.content is None
    await deliver(hass, entry)
    assert len(statistics(database, "sensor.attic")) == 24


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE statistics SET mean = 'warm', min = NULL, max = NULL WHERE id = 5",
        "UPDATE statistics_meta SET unit_of_measurement = x'00', name = 5 WHERE id = 1",
    ],
)
async def test_a_row_that_cannot_be_encoded_is_counted_and_costs_no_other(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, damage: str
) -> None:
    def write() -> None:
        with session_scope(hass=hass) as session:
            session.execute(text(damage))

    await get_instance(hass).async_add_executor_job(write)
    await set_up(hass, entry)
    await call(hass, "backfill", **OLD)
    shown = await ended(entry)
    snapshot = await entry.runtime_data.pipeline.snapshot()
    await deliver(hass, entry)
    assert (shown.status, shown.rows) == ("done", 27)
    assert snapshot.unbalanced == ""
    left_out = 27 - shown.points
    assert left_out > 0
    filtered = snapshot.ledger["filtered"]
    assert filtered.get("not_encodable", 0) + filtered.get("no_number", 0) == left_out
    assert len(statistics(database, "sensor.meter")) == 2
    assert all(isinstance(each.fields.get("mean", 0.0), float) for each in points(database))


@pytest.mark.usefixtures("recorder_mock")
async def test_a_job_that_an_earlier_version_stored_goes_on(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    stored = {
        "after": 1.0,
        "until": 1_600_000_000.0,
        "entities": None,
        "position": [1.0, 5],
        "status": "running",
        "total": 3,
        "rows": 2,
        "points": 2,
    }
    spool_path(hass, entry).mkdir(parents=True)
    (spool_path(hass, entry) / "backfill.json").write_text(json.dumps(stored))
    await set_up(hass, entry)
    assert (await ended(entry)).status == "done"


@pytest.mark.usefixtures("recorder_mock")
async def test_an_hour_without_a_number_is_counted_and_gives_no_point(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    async_import_statistics(
        hass, metadata("sensor.attic", **MEASURED), rows({}, {"mean": inf}, {"mean": 1.0})
    )
    await async_wait_recording_done(hass)
    await set_up(hass, entry)
    await call(hass, "backfill", **OLD)
    shown = await ended(entry)
    assert (shown.rows, shown.points) == (3, 1)
    snapshot = await entry.runtime_data.pipeline.snapshot()
    assert snapshot.ledger["filtered"]["no_number"] >= 2
    assert snapshot.unbalanced == ""


@pytest.mark.usefixtures("before")
async def test_nothing_to_write_is_refused(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await set_up(hass, entry)
    asked: Any = (["graphs"], [])
    for content in asked:
        with pytest.raises(vol.Invalid, match="content"):
            await call(hass, "backfill", **OLD | {"content": content})
