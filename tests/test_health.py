"""What a user sees of a destination: its sensors, its device, its diagnostics."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from unittest.mock import AsyncMock, patch

import pytest
from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.const import EntityCategory
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.helpers.icon import async_get_icons
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ha_ingestor.clients.homeassistant.errors import Problem as RemoteProblem
from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.diagnostics import async_get_config_entry_diagnostics
from custom_components.ha_ingestor.health import condition
from custom_components.ha_ingestor.pipeline.export.breaker import BreakerState
from custom_components.ha_ingestor.pipeline.export.export_state import Status
from custom_components.ha_ingestor.pipeline.export.result import Problem
from custom_components.ha_ingestor.pipeline.rate import Rate
from tests.emulator import Answer, Emulator, Fault
from tests.shell import NOWHERE, new_entry, set_up, until
from tests.tls import Authority

BUSY = Answer(status=503, body='{"error":"timeout"}')
BROKEN = Answer(status=500, body='{"error":"engine: out of luck"}')
REFUSED = Answer(status=401, body='{"error":"authorization failed"}')
SHOWN = {
    "status",
    "current_problem",
    "last_error",
    "points_per_minute",
    "problem",
    "points_written",
    "points_quarantined",
    "points_evicted",
    "points_lost",
    "points_recovered",
    "backlog",
    "last_write",
    "database_connected",
}
ON_DEMAND = {
    "points_captured",
    "points_filtered",
    "points_deduplicated",
    "oldest_age",
    "spool_size",
    "write_latency",
    "breaker",
    "next_retry",
    "backfill",
    "processor_time",
    "queue_memory",
    "disk_written",
}
# What Home Assistant itself adds to every state.
STANDARD = {
    "device_class",
    "friendly_name",
    "icon",
    "options",
    "state_class",
    "unit_of_measurement",
}


@pytest.fixture
def everything_shown() -> Iterator[None]:
    """Be a user who has enabled every entity."""
    with patch.object(Entity, "entity_registry_enabled_default", new=True):
        yield


def entity_ids(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Find the entities of an entry by their keys."""
    found = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return {item.unique_id.removeprefix(f"{entry.entry_id}_"): item.entity_id for item in found}


def reading(hass: HomeAssistant, entry: MockConfigEntry, key: str) -> State:
    """Read one entity."""
    state = hass.states.get(entity_ids(hass, entry)[key])
    assert state
    return state


def shows(hass: HomeAssistant, entry: MockConfigEntry, key: str, state: str) -> bool:
    """Whether an entity has come to this state."""
    return reading(hass, entry, key).state == state


async def settle(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Commit what was captured, see what becomes of it, and let ten seconds pass."""
    pipeline = entry.runtime_data.pipeline
    await hass.async_block_till_done()
    await until(lambda: pipeline.export_state.status is not Status.STARTING)
    state, ledger = pipeline.export_state, (await pipeline.snapshot()).ledger

    async def something_happened() -> bool:
        snapshot = await pipeline.snapshot()
        export = snapshot.export
        is_written = export.status is Status.OK and export.last_write and not snapshot.backlog
        is_put_aside = snapshot.ledger["quarantined"] > ledger["quarantined"]
        is_refused = export is not state and export.status is not Status.OK
        is_under_way = snapshot.breaker is BreakerState.HALF_OPEN
        return bool(is_written or is_put_aside or is_refused) and not is_under_way

    async def is_shown() -> bool:
        # A refusal that came before the flush is followed by one more try, which may be under way.
        coordinator = entry.runtime_data.coordinator
        await coordinator.async_refresh()
        return coordinator.data.breaker is not BreakerState.HALF_OPEN

    await pipeline.flush()
    await until(something_happened)
    await until(is_shown)


async def diagnostics(
    hass: HomeAssistant, client: ClientSessionGenerator, entry: MockConfigEntry
) -> dict[str, Any]:
    """Download the diagnostics of an entry."""
    assert await async_setup_component(hass, "diagnostics", {})
    reply = await (await client()).get(f"/api/diagnostics/config_entry/{entry.entry_id}")
    assert reply.status == HTTPStatus.OK
    data: dict[str, Any] = (await reply.json())["data"]
    return data


async def settle_quiet(entry: MockConfigEntry) -> None:
    """Wait until the destination is known to work."""
    await until(lambda: entry.runtime_data.pipeline.export_state.status is Status.OK)


def assert_balanced(ledger: dict[str, Any], pending: int) -> None:
    """Every point is accounted for, once."""
    filtered, lost = sum(ledger["filtered"].values()), sum(ledger["lost"].values())
    counted = filtered + ledger["deduplicated"] + ledger["captured"]
    assert ledger["received"] == counted + ledger["waiting"]
    settled = ledger["written"] + ledger["quarantined"] + ledger["evicted"] + lost
    assert ledger["captured"] == settled + pending


async def test_before_the_first_write_the_connection_is_unknown(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
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


async def test_a_destination_is_a_service(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    device_registry: dr.DeviceRegistry,
) -> None:
    await set_up(hass, entry)

    def device() -> dr.DeviceEntry:
        (found,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
        return found

    assert device().entry_type is dr.DeviceEntryType.SERVICE
    assert device().identifiers == {(DOMAIN, entry.entry_id)}
    shown = (device().name, device().manufacturer, device().model)
    assert shown == ("Attic", "InfluxData", "InfluxDB 1")
    await until(lambda: device().sw_version == database.profile.version)


async def test_the_page_of_the_device_leads_to_the_panel(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    device_registry: dr.DeviceRegistry,
) -> None:
    await set_up(hass, entry)
    (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    # Home Assistant's own pages have a scheme of their own.
    assert device.configuration_url == f"homeassistant://ha-ingestor/flow?entry={entry.entry_id}"


async def test_two_destinations_of_one_name_are_told_apart(
    hass: HomeAssistant, database: Emulator, device_registry: dr.DeviceRegistry
) -> None:
    first, second = new_entry(database.url), new_entry(database.url, database="other")
    second.add_to_hass(hass)
    await set_up(hass, first)
    names = {
        device.name
        for entry in (first, second)
        for device in dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    }
    port = database.url.rpartition(":")[2]
    assert names == {
        f"Attic (home_assistant, 127.0.0.1:{port})",
        f"Attic (other, 127.0.0.1:{port})",
    }


async def test_two_destinations_of_one_name_in_two_organizations_are_told_apart(
    hass: HomeAssistant, database: Emulator, device_registry: dr.DeviceRegistry
) -> None:
    first, second = (
        new_entry(database.url, dialect="v2", org=org, bucket="b", database="", token="t0ken")
        for org in ("north", "south")
    )
    second.add_to_hass(hass)
    await set_up(hass, first)
    names = {
        device.name
        for entry in (first, second)
        for device in dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    }
    port = database.url.rpartition(":")[2]
    assert names == {f"Attic ({org}/b, 127.0.0.1:{port})" for org in ("north", "south")}


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


@pytest.mark.usefixtures("everything_shown")
async def test_every_entity_has_a_category_a_translated_name_and_an_icon(
    hass: HomeAssistant, entry: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    await set_up(hass, entry)
    await until(lambda: not shows(hass, entry, "backlog", "unknown"))
    texts = await async_get_translations(hass, "en", "entity", [DOMAIN])
    icons = (await async_get_icons(hass, "entity", [DOMAIN]))[DOMAIN]
    for item in er.async_entries_for_config_entry(entity_registry, entry.entry_id):
        assert item.entity_category is EntityCategory.DIAGNOSTIC or item.domain == "button"
        assert item.has_entity_name
        prefix = f"component.{DOMAIN}.entity.{item.domain}.{item.translation_key}"
        assert item.original_name == texts[f"{prefix}.name"]
        assert "default" in icons[item.domain][item.translation_key]

        state = reading(hass, entry, item.unique_id.removeprefix(f"{entry.entry_id}_"))
        for option in state.attributes.get("options", ()):
            assert texts[f"{prefix}.state.{option}"]
        for attribute in state.attributes.keys() - STANDARD:
            assert texts[f"{prefix}.state_attributes.{attribute}.name"]


@pytest.mark.usefixtures("everything_shown")
async def test_sensors_have_the_device_and_state_classes_of_statistics(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Long-term statistics depend on it."""
    await set_up(hass, entry)
    kinds = {
        key: tuple(
            reading(hass, entry, key).attributes.get(kind)
            for kind in ("device_class", "state_class")
        )
        for key in SHOWN | ON_DEMAND
    }
    assert kinds == {
        "status": ("enum", None),
        "points_captured": (None, "total_increasing"),
        "points_written": (None, "total_increasing"),
        "points_quarantined": (None, "total_increasing"),
        "points_evicted": (None, "total_increasing"),
        "points_lost": (None, "total_increasing"),
        "points_recovered": (None, "total_increasing"),
        "points_filtered": (None, "total_increasing"),
        "points_deduplicated": (None, "total_increasing"),
        "oldest_age": ("duration", "measurement"),
        "spool_size": ("data_size", "measurement"),
        "write_latency": ("duration", "measurement"),
        "breaker": ("enum", None),
        "next_retry": ("timestamp", None),
        "backfill": (None, None),
        "last_error": (None, None),
        "current_problem": ("enum", None),
        "points_per_minute": (None, "measurement"),
        "problem": ("problem", None),
        "processor_time": ("duration", "total_increasing"),
        "queue_memory": ("data_size", "measurement"),
        "disk_written": ("data_size", "total_increasing"),
        "backlog": (None, "measurement"),
        "last_write": ("timestamp", None),
        "database_connected": ("connectivity", None),
    }


@pytest.mark.usefixtures("everything_shown")
async def test_the_ledger_balances_whatever_became_of_the_points(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    hass_client: ClientSessionGenerator,
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.written", "text")
    await settle(hass, entry)
    database.types["home_assistant_events", "value"] = str
    hass.states.async_set("sensor.refused", "1")
    await settle(hass, entry)
    database.impostor = BUSY
    hass.states.async_set("sensor.pending", "text")
    await settle(hass, entry)

    data = await diagnostics(hass, hass_client, entry)
    ledger = data["ledger"]
    assert ledger["balanced"] is True
    fates = {key: ledger[key] for key in ("written", "quarantined", "pending", "evicted", "lost")}
    assert fates == {"written": 1, "quarantined": 1, "pending": 1, "evicted": 0, "lost": {}}
    assert ledger["filtered"]["own_entity"] > 0
    assert_balanced(ledger, ledger["pending"])
    top_entities = {each["subject"] for each in data["chatty_entities"]["by_points"]}
    assert top_entities == {"sensor.refused", "sensor.pending", "sensor.written"}

    await entry.runtime_data.coordinator.async_refresh()
    shown: dict[str, Any] = {
        fate: int(reading(hass, entry, f"points_{fate}").state)
        for fate in ("captured", "written", "quarantined", "evicted", "deduplicated")
    }
    for fate in ("filtered", "lost"):
        state = reading(hass, entry, f"points_{fate}")
        shown[fate] = state.attributes["reasons"]
        assert int(state.state) == sum(shown[fate].values())
    shown |= {
        name: reading(hass, entry, "points_captured").attributes[name]
        for name in ("received", "waiting")
    }
    assert_balanced(shown, reading(hass, entry, "backlog").attributes["pending"])
    assert shown["written"] == 1


@pytest.mark.usefixtures("everything_shown")
@pytest.mark.parametrize(("waiting", "is_balanced"), [(2, True), (1, False)])
async def test_what_waits_is_part_of_what_was_received(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    *,
    waiting: int,
    is_balanced: bool,
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await settle(hass, entry)
    pipeline = entry.runtime_data.pipeline
    snapshot = await pipeline.snapshot()
    counts = {"filtered": {"a": 3}, "deduplicated": 4, "captured": 5, "written": 1}
    counts |= {"quarantined": 1, "evicted": 1, "lost": {"killed": 1}}
    ledger = {**snapshot.ledger, **counts, "received": 14, "waiting": waiting}
    known = replace(snapshot, ledger=ledger, pending=1)
    monkeypatch.setattr(pipeline, "snapshot", AsyncMock(return_value=known))
    await entry.runtime_data.coordinator.async_refresh()

    attributes = reading(hass, entry, "points_captured").attributes
    assert (attributes["received"], attributes["waiting"]) == (14, waiting)
    told = await async_get_config_entry_diagnostics(hass, entry)
    assert told["ledger"]["waiting"] == waiting
    assert told["ledger"]["balanced"] is is_balanced


async def test_diagnostics_tell_neither_credentials_nor_the_address(
    hass: HomeAssistant,
    database: Emulator,
    hass_client: ClientSessionGenerator,
    authority: Authority,
) -> None:
    secrets = {"token": "t0ken", "username": "adam", "password": "pa55"}
    entry = new_entry(database.url, ca_certificate=authority.pem, **secrets)
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await settle(hass, entry)
    text = json.dumps(await diagnostics(hass, hass_client, entry))
    assert "home_assistant" in text
    assert [
        secret for secret in (*secrets.values(), "127.0.0.1", "CERTIFICATE") if secret in text
    ] == []


async def test_diagnostics_of_an_unreachable_database_do_not_tell_the_address(
    hass: HomeAssistant, socket_enabled: None, hass_client: ClientSessionGenerator
) -> None:
    entry = new_entry(NOWHERE)
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await settle(hass, entry)
    data = await diagnostics(hass, hass_client, entry)
    assert data["health"]["export"]["problem"] == "unreachable"
    assert "127.0.0.1" not in json.dumps(data)


LEAKY = (
    '{"error":"partial write: unable to parse \'a latitude=52.520008,longitude=13.404954,'
    "password=pa55word': token t0ken-of-adam field type conflict dropped=1\"}"
)
SECRETS = ("52.520008", "13.404954", "pa55word", "t0ken-of-adam", "not_home", "Elm", "s3ssion")


async def test_a_refused_point_leaks_nothing_to_diagnostics_log_or_attributes(
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
) -> None:
    entry.add_to_hass(hass)
    options = {"attributes": {"coordinates": True}}
    hass.config_entries.async_update_entry(entry, options=options)
    hass.config.location_name = "Elm Street 5"
    place = {"latitude": 52.520008, "longitude": 13.404954}
    hass.states.async_set("device_tracker.a", "not_home", place)
    refusal = Answer(status=400, body=LEAKY)
    database.faults.append(Fault(answer=refusal, only=b"device_tracker.a"))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: entry.runtime_data.pipeline.ledger.quarantined)

    data = await diagnostics(hass, hass_client, entry)

    line = data["health"]["rejection"]["line"]
    assert "device_tracker.a" in line
    assert "attributes=" in line
    assert "field type conflict" in data["health"]["rejection"]["reason"]
    text = json.dumps(data)
    assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.usefixtures("everything_shown")
@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=302, headers={"Location": "https://login.example/a?session=s3ssion&x=1"}),
        Answer(status=302, headers={"Location": "/login?session=s3ssion"}),
        Answer(status=503, body=LEAKY),
        Answer(status=403, body=LEAKY),
    ],
)
async def test_the_answer_of_another_server_leaks_no_secret(  # noqa: PLR0917
    hass: HomeAssistant,
    database: Emulator,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
) -> None:
    database.impostor = answer
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    await settle(hass, entry)
    await hass.async_block_till_done()

    data = await diagnostics(hass, hass_client, entry)
    issues = [str(found.translation_placeholders) for found in ir.async_get(hass).issues.values()]
    states = [str(state.as_dict()) for state in hass.states.async_all()]
    logged = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components")
    ]
    assert any("does not accept points" in message for message in logged)
    told = json.dumps([data, issues, states, logged])
    assert [secret for secret in SECRETS if secret in told] == []


async def test_every_problem_has_a_text_where_it_is_shown(hass: HomeAssistant) -> None:
    texts = await async_get_translations(hass, "en", "entity", {DOMAIN})
    shown = [key for key in texts if key.endswith(".state_attributes.problem.name")]

    assert shown
    for key in shown:
        for problem in RemoteProblem if ".remote_connected." in key else Problem:
            assert texts[f"{key.removesuffix('name')}state.{problem}"]


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
