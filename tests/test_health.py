"""What a user sees of a destination: its sensors, its device, its diagnostics."""

import asyncio
import re
from datetime import timedelta
from unittest.mock import patch

import pytest
from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.health import condition
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from custom_components.ha_ingestor.pipeline.rate import Rate
from tests.emulator import Answer, Emulator
from tests.shell import NOWHERE, new_entry, set_up, until
from tests.shown import ON_DEMAND, SHOWN, entity_ids, reading, settle, settle_quiet, shows

BUSY = Answer(status=503, body='{"error":"timeout"}')
BROKEN = Answer(status=500, body='{"error":"engine: out of luck"}')
REFUSED = Answer(status=401, body='{"error":"authorization failed"}')


async def test_before_the_first_write_the_connection_is_unknown(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    database.slowness = 5.0
    await set_up(hass, entry)
    sensors = {
        key: item for key, item in entity_ids(hass, entry).items() if not item.startswith("button.")
    }
    assert sensors.keys() == SHOWN | ON_DEMAND
    shown = {key for key, item in sensors.items() if hass.states.get(item)}
    assert shown == SHOWN
    assert shows(hass, entry, "status", "starting")
    assert shows(hass, entry, "database_connected", "unknown")
    assert shows(hass, entry, "last_write", "unknown")
    attributes = reading(hass, entry, "status").attributes
    assert (attributes["problem"], attributes["attempts"]) == ("none", 0)
    assert attributes["next_retry"] is None


async def test_a_delivered_point_shows_in_all_sensors(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    before = dt_util.utcnow()
    await settle(hass, entry)
    assert shows(hass, entry, "status", "ok")
    assert shows(hass, entry, "database_connected", "on")
    assert shows(hass, entry, "points_written", "1")
    assert shows(hass, entry, "backlog", "0")
    last_write = dt_util.parse_datetime(
        reading(hass, entry, "last_write").state, raise_on_error=True
    )
    assert abs(last_write - before) < timedelta(seconds=10)


async def test_points_that_wait_are_the_backlog(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    database.impostor = BUSY
    await set_up(hass, entry)
    for state in "abc":
        hass.states.async_set("sensor.a", state)
    await settle(hass, entry)
    assert shows(hass, entry, "backlog", "3")
    assert shows(hass, entry, "points_written", "0")
    assert shows(hass, entry, "last_write", "unknown")
    # A reading of the health brings to the disk what came until then.
    hass.states.async_set("sensor.a", "d")
    await entry.runtime_data.coordinator.async_refresh()
    assert shows(hass, entry, "backlog", "4")
    attributes = reading(hass, entry, "backlog").attributes
    assert (attributes["pending"], attributes["waiting"]) == (4, 0)


@pytest.mark.usefixtures("everything_shown")
async def test_sensors_tell_breaker_age_and_error_during_an_outage(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await settle(hass, entry)
    assert float(reading(hass, entry, "write_latency").state) > 0
    assert shows(hass, entry, "breaker", "closed")
    for key in ("oldest_age", "next_retry"):
        assert shows(hass, entry, key, "unknown")
    # What is "unknown" where nothing went wrong looks as if something had.
    assert shows(hass, entry, "last_error", "none")
    assert shows(hass, entry, "spool_size", "0.0")

    database.impostor = REFUSED
    hass.states.async_set("sensor.a", "2")
    await settle(hass, entry)
    assert 0 <= int(reading(hass, entry, "oldest_age").state) < 10
    size = reading(hass, entry, "spool_size")
    assert float(size.state) > 0
    assert size.attributes["unit_of_measurement"] == "MiB"
    assert shows(hass, entry, "breaker", "blocked")
    next_retry = dt_util.parse_datetime(
        reading(hass, entry, "next_retry").state, raise_on_error=True
    )
    assert timedelta(minutes=4) < next_retry - dt_util.utcnow() < timedelta(minutes=6)
    error = reading(hass, entry, "last_error")
    assert "authorization failed" in error.state
    assert error.attributes["problem"] == "invalid_auth"

    database.impostor = None
    await settle(hass, entry)
    assert shows(hass, entry, "breaker", "closed")
    assert shows(hass, entry, "oldest_age", "unknown")
    # It is over, and can still be looked up.
    assert "authorization failed" in reading(hass, entry, "last_error").state


@pytest.mark.usefixtures("everything_shown")
async def test_a_probe_in_the_open_shows_as_half_open(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    database.impostor = REFUSED
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await settle(hass, entry)
    assert shows(hass, entry, "breaker", "blocked")
    database.impostor, database.slowness = None, 0.5
    database.arrived.clear()
    await entry.runtime_data.pipeline.flush()
    await database.arrived.wait()
    await entry.runtime_data.coordinator.async_refresh()
    assert shows(hass, entry, "breaker", "half_open")


@pytest.mark.usefixtures("everything_shown")
async def test_the_last_error_names_no_host(hass: HomeAssistant, socket_enabled: None) -> None:
    entry = new_entry(NOWHERE)
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await settle(hass, entry)
    assert shows(hass, entry, "last_error", "connection_refused")


async def test_every_change_of_status_shows_at_once(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    """Counters have time; that the database is lost or back does not wait for them."""
    await set_up(hass, entry)
    turns = [reading(hass, entry, "status").state]
    connections = [reading(hass, entry, "database_connected").state]

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        assert state
        turn = turns if state.domain == "sensor" else connections
        if turn[-1] != state.state:
            turn.append(state.state)

    ids = entity_ids(hass, entry)
    async_track_state_change_event(hass, [ids["status"], ids["database_connected"]], note)
    pipeline = entry.runtime_data.pipeline

    hass.states.async_set("sensor.a", "1")
    await pipeline.flush()
    await until(lambda: turns[-1] == "ok")

    database.impostor = BUSY
    hass.states.async_set("sensor.a", "2")
    await pipeline.flush()
    await until(lambda: turns[-1] == "retrying")
    attributes = reading(hass, entry, "status").attributes
    assert (attributes["problem"], attributes["attempts"]) == ("busy", 1)
    assert attributes["next_retry"] > dt_util.utcnow() - timedelta(seconds=5)

    database.impostor = None
    await until(lambda: turns[-1] == "ok")
    assert reading(hass, entry, "status").attributes["problem"] == "none"
    assert turns == ["starting", "ok", "retrying", "ok"]
    assert connections == ["unknown", "on", "off", "on"]


async def test_refused_credentials_block_and_ask_for_others(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    database.impostor = REFUSED
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await settle(hass, entry)
    await hass.async_block_till_done()
    assert shows(hass, entry, "status", "blocked")
    assert reading(hass, entry, "status").attributes["problem"] == "invalid_auth"
    assert shows(hass, entry, "backlog", "1")
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == SOURCE_REAUTH


async def test_a_database_that_refuses_a_point_is_not_away(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    database.impostor = BUSY
    database.types["home_assistant_events", "value"] = str
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await settle(hass, entry)
    assert shows(hass, entry, "status", "retrying")
    database.impostor = None
    await settle(hass, entry)
    await hass.async_block_till_done()
    assert shows(hass, entry, "points_quarantined", "1")
    assert shows(hass, entry, "status", "degraded")
    assert shows(hass, entry, "database_connected", "on")


async def test_the_log_tells_once_that_the_database_is_lost_and_once_that_it_is_back(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    for problem in (BUSY, BUSY, BROKEN):
        database.impostor = problem
        await settle(hass, entry)
    database.impostor = None
    await settle(hass, entry)
    assert len(database.seen) >= 4
    told = [
        record.levelname
        for record in caplog.records
        if "does not accept points" in record.message or "accepts points again" in record.message
    ]
    assert told == ["WARNING", "WARNING"]
    assert re.search(
        r"Attic accepts points again after 0:00:\d\d: 1 delivered, 0 waiting", caplog.text
    )


async def test_a_counter_never_goes_back_at_a_reload(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Statistics take a smaller number for a new meter, and add everything once more."""
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await settle(hass, entry)
    assert shows(hass, entry, "points_written", "1")
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert reading(hass, entry, "points_written").state in {"1", "unknown"}


async def test_a_database_that_does_not_answer_is_seen_before_the_request_ends(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(condition, "UNANSWERED_SECONDS", 0.2)
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await settle(hass, entry)
    assert shows(hass, entry, "current_problem", "none")
    assert shows(hass, entry, "problem", "off")
    database.slowness = 3.0
    database.arrived.clear()
    hass.states.async_set("sensor.a", "2")
    await entry.runtime_data.pipeline.flush()
    await database.arrived.wait()
    await asyncio.sleep(0.3)
    await entry.runtime_data.coordinator._async_refresh(scheduled=True)
    assert shows(hass, entry, "status", "degraded")
    assert shows(hass, entry, "current_problem", "no_answer")
    assert shows(hass, entry, "problem", "on")
    # It was not told that it does not.
    assert shows(hass, entry, "database_connected", "on")
    database.slowness = 0.0
    await settle(hass, entry)
    assert shows(hass, entry, "status", "ok")
    assert shows(hass, entry, "problem", "off")


async def test_why_nothing_is_delivered_is_a_state_of_its_own(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    database.impostor = BUSY
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await settle(hass, entry)
    assert shows(hass, entry, "current_problem", "busy")
    assert shows(hass, entry, "problem", "on")
    assert shows(hass, entry, "last_error", "timeout")


async def test_the_last_write_is_still_shown_after_a_reload(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await settle(hass, entry)
    before = reading(hass, entry, "last_write").state
    assert before != "unknown"
    for _ in range(2):
        assert await hass.config_entries.async_reload(entry.entry_id)
        assert reading(hass, entry, "last_write").state == before


@pytest.mark.usefixtures("everything_shown")
async def test_an_event_that_a_throttle_holds_is_the_oldest_of_the_backlog(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    entry.add_to_hass(hass)
    rule = {"entities": ["sensor.a"], "throttle": 3600}
    hass.config_entries.async_update_entry(entry, options={"noise": {"rules": [rule]}})
    assert await hass.config_entries.async_setup(entry.entry_id)
    for state in "12":
        hass.states.async_set("sensor.a", state)
        await entry.runtime_data.pipeline.commit()
    await asyncio.sleep(1.1)
    await entry.runtime_data.coordinator.async_refresh()
    await until(lambda: shows(hass, entry, "points_written", "1"))
    assert shows(hass, entry, "backlog", "1")
    assert 1 <= int(reading(hass, entry, "oldest_age").state) < 30


async def test_points_per_minute_are_counted_over_time(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    await settle_quiet(entry)
    now = [100.0]
    coordinator = entry.runtime_data.coordinator
    entry.runtime_data.pipeline._health.end_to_end.written = Rate(lambda: now[0])
    await coordinator.async_refresh()
    for number in range(30):
        hass.states.async_set("sensor.a", str(number))
    await settle(hass, entry)
    now[0] += 120
    await coordinator.async_refresh()
    assert float(reading(hass, entry, "points_per_minute").state) == 15.0
    now[0] += 300
    await coordinator.async_refresh()
    now[0] += 300
    await coordinator.async_refresh()
    assert float(reading(hass, entry, "points_per_minute").state) == 0.0


async def test_looking_at_an_idle_destination_wakes_no_thread(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    runtime = entry.runtime_data
    await until(lambda: runtime.coordinator.data.export.status is Status.OK)

    async def look() -> int:
        with patch.object(runtime.pipeline, "snapshot", wraps=runtime.pipeline.snapshot) as read:
            await runtime.coordinator._async_refresh(scheduled=True)
        return read.call_count

    async def is_at_rest() -> bool:
        await runtime.pipeline.flush()
        return await look() == 0

    await until(is_at_rest)
    hass.states.async_set("sensor.a", "1")
    assert await look() == 1
    await until(is_at_rest)
    assert runtime.coordinator.data.ledger["received"] == runtime.pipeline.ledger.received
