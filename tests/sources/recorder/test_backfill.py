"""History that a user asks for is written once, at once, later, or not at all."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import label_registry as lr
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.sources.recorder import backfill, hours, reader, rows
from custom_components.ha_ingestor.sources.recorder.job import Job
from tests.emulator import Emulator
from tests.shell import Point, deliver, points, set_up, spool_path, until

COUNT = 8


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not pause between pages, which are small."""
    monkeypatch.setattr(reader, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(rows, "PAGE_ROWS", 3)


@pytest.fixture(name="before")
async def _before(recorder_mock: Recorder, hass: HomeAssistant) -> None:
    """Let things happen before the integration is there."""
    for number in range(COUNT):
        hass.states.async_set("sensor.a", str(number), {"unit_of_measurement": "W"})
        hass.states.async_set("sensor.b", str(number))
        hass.states.async_set("light.c", ("off", "on")[number % 2])
    await async_wait_recording_done(hass)


async def call(hass: HomeAssistant, action: str, **data: Any) -> Any:
    wants_response = action == "backfill"
    return await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=wants_response
    )


def hour_ago() -> str:
    return (dt_util.utcnow() - timedelta(hours=1)).isoformat()


async def ended(entry: MockConfigEntry) -> Any:
    backfill = entry.runtime_data.backfill
    await until(lambda: backfill._task is None or backfill._task.done())
    return entry.runtime_data.pipeline.past_events.backfill


def states(database: Emulator, entity_id: str) -> list[str]:
    found: list[Point] = sorted(points(database, entity_id), key=lambda point: point.time)
    return [point.fields["state"] for point in found]


@pytest.mark.usefixtures("before")
async def test_what_the_recorder_has_is_written_and_a_second_time_makes_no_more_points(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    # Years without a row take no time.
    told = await call(hass, "backfill", start_time="2020-01-01 00:00:00")
    assert told["started"] is True
    assert told["entities"]["sensor.a"] == COUNT
    shown = await ended(entry)
    assert (shown.status, shown.percent) == ("done", 100.0)
    assert shown.rows >= 3 * COUNT
    assert shown.points >= 3 * COUNT
    await entry.runtime_data.pipeline.flush()
    await until(lambda: len(states(database, "sensor.a")) == COUNT)
    once = {(each.time, tuple(sorted(each.tags.items()))) for each in points(database)}
    ledger = (await entry.runtime_data.pipeline.snapshot()).ledger
    assert ledger["recovered"] == shown.points

    await call(hass, "backfill", start_time=hour_ago())
    await ended(entry)
    snapshot = await entry.runtime_data.pipeline.snapshot()
    assert snapshot.unbalanced == ""
    await deliver(hass, entry)
    twice = {(each.time, tuple(sorted(each.tags.items()))) for each in points(database)}
    assert twice == once
    assert states(database, "sensor.a") == [*"01234567"]
    assert states(database, "light.c") == ["off", "on"] * (COUNT // 2)


@pytest.mark.usefixtures("before")
async def test_a_backfill_writes_the_newest_state_once(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    """Two changes within a microsecond are kept apart, but this is one."""
    await set_up(hass, entry)
    state = hass.states.get("sensor.a")
    assert state
    start = dt_util.utc_from_timestamp(state.last_updated_timestamp - 0.00001).isoformat()
    await call(hass, "backfill", start_time=start, entities=["sensor.a"])
    shown = await ended(entry)
    assert shown.points == 1
    await deliver(hass, entry)
    assert states(database, "sensor.a") == ["7"]


@pytest.mark.usefixtures("before")
async def test_a_dry_run_counts_and_writes_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry, {"filter": {"domains": ["light"]}})
    entry.runtime_data.backfill._retention = keeps(0.000001)
    told = await call(
        hass,
        "backfill",
        start_time=hour_ago(),
        entities=["sensor.a", "light.c"],
        dry_run=True,
    )
    assert told == {
        "started": False,
        "rows": COUNT,
        "excluded": COUNT,
        "too_old": COUNT,
        "entities": {"sensor.a": COUNT},
        "statistics": {},
    }
    assert entry.runtime_data.pipeline.past_events.backfill.status == "none"
    assert entry.runtime_data.pipeline.past_events.backfill.percent is None
    entry.runtime_data.backfill._retention = keeps(None)
    told = await call(hass, "backfill", start_time=hour_ago(), dry_run=True)
    assert told["too_old"] == 0
    await deliver(hass, entry)
    assert states(database, "sensor.a") == ["7"]


def keeps(seconds: float | None) -> Callable[[], Any]:
    async def retention() -> float:
        if seconds is None:
            raise OSError
        return seconds

    return retention


@pytest.mark.usefixtures("before")
async def test_it_is_paused_outlives_a_reload_and_goes_on(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await set_up(hass, entry)
    monkeypatch.setattr(reader, "PAUSE_SECONDS", 0.05)
    await call(hass, "backfill", start_time=hour_ago())
    await until(lambda: entry.runtime_data.pipeline.past_events.backfill.rows > 0)
    with pytest.raises(ServiceValidationError, match="already"):
        await call(hass, "backfill", start_time=hour_ago())
    await call(hass, "pause_backfill")
    paused = await ended(entry)
    assert paused.status == "paused"
    assert 0 < paused.percent < 100

    assert await hass.config_entries.async_reload(entry.entry_id)
    await asyncio.sleep(0.2)
    assert entry.runtime_data.pipeline.past_events.backfill == paused

    await call(hass, "resume_backfill")
    await call(hass, "resume_backfill")
    # A reload in the middle goes on by itself.
    await until(lambda: entry.runtime_data.pipeline.past_events.backfill.rows > paused.rows)
    assert await hass.config_entries.async_reload(entry.entry_id)
    monkeypatch.setattr(reader, "PAUSE_SECONDS", 0.0)
    assert (await ended(entry)).status == "done"
    await deliver(hass, entry)
    assert states(database, "sensor.a") == [*"01234567"]
    assert states(database, "sensor.b") == [*"01234567"]


@pytest.mark.usefixtures("before")
async def test_a_cancelled_backfill_does_not_continue(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(hass, entry)
    with pytest.raises(ServiceValidationError, match="No history"):
        await call(hass, "cancel_backfill")
    monkeypatch.setattr(reader, "PAUSE_SECONDS", 0.05)
    await call(hass, "backfill", start_time=hour_ago())
    await call(hass, "cancel_backfill")
    cancelled = await ended(entry)
    assert cancelled.status == "cancelled"
    with pytest.raises(ServiceValidationError, match="No history"):
        await call(hass, "resume_backfill")
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert entry.runtime_data.pipeline.past_events.backfill == cancelled


@pytest.mark.usefixtures("before")
async def test_a_target_stands_for_its_entities_beside_those_that_are_named(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    label_registry: lr.LabelRegistry,
) -> None:
    label = label_registry.async_create("Metered").label_id
    for name, hidden_by in (("d", None), ("hidden", er.RegistryEntryHider.USER)):
        entity_id = entity_registry.async_get_or_create(
            "sensor", "test", name, suggested_object_id=name
        ).entity_id
        entity_registry.async_update_entity(entity_id, labels={label}, hidden_by=hidden_by)
        hass.states.async_set(entity_id, "1")
    await async_wait_recording_done(hass)
    await set_up(hass, entry)
    asked = {"start_time": hour_ago(), "dry_run": True}
    told = await call(hass, "backfill", **asked, label_id=label, entities="sensor.b")
    assert told["entities"] == {"sensor.b": COUNT, "sensor.d": 1}
    told = await call(hass, "backfill", **asked, label_id=[label], entity_id=["sensor.hidden"])
    assert told["entities"] == {"sensor.d": 1, "sensor.hidden": 1}
    # An empty target is none.
    told = await call(hass, "backfill", **asked, label_id=[])
    assert {"sensor.a", "sensor.hidden"} < told["entities"].keys()
    with pytest.raises(ServiceValidationError, match="has an entity"):
        await call(hass, "backfill", **asked, device_id="gone")


@pytest.mark.usefixtures("before")
async def test_times_that_make_no_sense_are_refused(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    tomorrow = (dt_util.utcnow() + timedelta(days=1)).isoformat()
    with pytest.raises(ServiceValidationError, match="before the time to end"):
        await call(hass, "backfill", start_time=tomorrow)
    with pytest.raises(ServiceValidationError, match="before the time to end"):
        await call(hass, "backfill", start_time=hour_ago(), end_time="2020-01-01 00:00:00")


async def test_without_a_recorder_there_is_no_history(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    with pytest.raises(HomeAssistantError, match="no recorder"):
        await call(hass, "backfill", start_time=hour_ago())


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize(
    "stored",
    [
        *("{", "[]", '{"status": "running"}', '{"entities": 1}'),
        *(
            '{"after": 0, "until": 1, "position": [0, 0], "entities": null, "left": ["states"],'
            f' "status": "paused", "total": 1, "rows": 0, "points": 0, {damage}}}'
            for damage in ('"after": 1e20', '"until": "nan"', '"position": [-1e20, 0]')
        ),
    ],
)
async def test_a_backfill_file_with_other_content_is_ignored(
    hass: HomeAssistant, entry: MockConfigEntry, stored: str
) -> None:
    spool_path(hass, entry).mkdir(parents=True)
    (spool_path(hass, entry) / "backfill.json").write_text(stored)
    await set_up(hass, entry)
    assert entry.runtime_data.pipeline.past_events.backfill.status == "none"


@pytest.mark.usefixtures("before")
async def test_a_database_of_the_recorder_that_fails_is_tried_again(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "custom_components.ha_ingestor.sources.recorder.backfill.RETRY_SECONDS", 0.01
    )
    await set_up(hass, entry)
    attempts = 0
    real = rows._page

    def failing(*args: Any) -> Any:
        nonlocal attempts
        attempts += 1
        if attempts == 2:
            raise RuntimeError("The database connection has not been established")
        return real(*args)

    monkeypatch.setattr(rows, "_page", failing)
    await call(hass, "backfill", start_time=hour_ago(), entities=["sensor.a"])
    assert (await ended(entry)).status == "done"
    assert json.loads((spool_path(hass, entry) / "backfill.json").read_text())["rows"] == COUNT
    await deliver(hass, entry)
    assert states(database, "sensor.a") == [*"01234567"]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize(
    "moments",
    [
        {"start_time": "0001-01-01 00:00:00"},
        {"start_time": "9999-12-31 23:59:59"},
        {"start_time": "0001-01-01T00:00:00+14:00", "end_time": "9999-12-31 23:59:59"},
    ],
)
async def test_a_time_beyond_all_others_is_refused_with_a_sentence(
    before: None, hass: HomeAssistant, entry: MockConfigEntry, moments: dict[str, str], zone: str
) -> None:
    await set_up(hass, entry)
    await hass.config.async_set_time_zone(zone)
    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(
            DOMAIN, "backfill", moments, blocking=True, return_response=True
        )
    assert caught.value.translation_key == "backfill_time"


@pytest.mark.usefixtures("before")
async def test_an_end_beyond_all_others_is_now_and_years_without_a_row_are_not_counted_one_by_one(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(hass, entry)
    await hass.config.async_set_time_zone("Pacific/Pago_Pago")
    counted: list[str] = []
    for module in (rows, hours):
        unwatched = module.async_counts

        async def async_counts(*names: Any, unwatched: Any = unwatched) -> Any:
            counted.append(unwatched.__module__)
            return await unwatched(*names)

        monkeypatch.setattr(module, "async_counts", async_counts)
    asked = {"start_time": "1970-01-02 00:00:00", "end_time": "9999-12-31 23:59:59"}
    answer: Any = await hass.services.async_call(
        DOMAIN,
        "backfill",
        asked | {"dry_run": True, "content": ["states", "statistics"]},
        blocking=True,
        return_response=True,
    )
    assert answer["rows"] >= COUNT
    assert answer["entities"]["sensor.a"] == COUNT
    # An empty slice, the one with the rows, and what begins while it is counted.
    assert {name: counted.count(name) <= 3 for name in counted} == {
        rows.__name__: True,
        hours.__name__: True,
    }


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize("error", [KeyError("row"), OSError("disk")])
async def test_it_goes_on_after_an_error_and_where_it_cannot_be_stored_how_far_it_is(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    monkeypatch.setattr(backfill, "RETRY_SECONDS", 0.01)
    unbroken, errors = reader.HistoryReader.async_rows, [error]

    async def async_rows(self: reader.HistoryReader, *names: Any) -> Any:
        if errors and not names:
            raise errors.pop()
        return await unbroken(self, *names)

    def save(*_: Any) -> None:
        raise OSError("full")

    await set_up(hass, entry)
    monkeypatch.setattr(reader.HistoryReader, "async_rows", async_rows)
    monkeypatch.setattr(Job, "save", save)
    await call(hass, "backfill", start_time=hour_ago())
    assert (await ended(entry)).status == "done"
    assert not errors
    assert "How far the backfill is cannot be stored: full" in caplog.text


@pytest.mark.usefixtures("recorder_mock")
@pytest.mark.parametrize("name", ["start_time", "end_time"])
async def test_half_of_a_surrogate_pair_in_a_time_is_refused(
    hass: HomeAssistant, entry: MockConfigEntry, name: str
) -> None:
    # As templates can make one. Home Assistant's parser ends the process at it.
    await set_up(hass, entry)
    times = {"start_time": "2026-01-01", name: "2026-01-01 00:00:00\ud800"}
    with pytest.raises(vol.Invalid, match="a date and time"):
        await call(hass, "backfill", **times)
