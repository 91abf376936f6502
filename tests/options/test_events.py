"""What is captured beside changes of states, and what is not, as the options say."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.options.filter import FILTER
from tests.emulator import Emulator
from tests.shell import Point, deliver, new_entry, points, set_up


def configured(database: Emulator, **options: Any) -> MockConfigEntry:
    """Build an entry with options."""
    entry = new_entry(database.url)
    return MockConfigEntry(domain=DOMAIN, title=entry.title, data=entry.data, options=options)


def of_type(database: Emulator, event_type: str) -> list[Point]:
    """Read the points of one type."""
    return [point for point in points(database) if point.tags["event_type"] == event_type]


def listening(database: Emulator, *types: str) -> MockConfigEntry:
    """Build an entry that captures events."""
    return configured(database, events={"types": list(types), "reported": False})


async def test_an_event_of_a_chosen_type_becomes_a_point_and_others_do_not(
    hass: HomeAssistant, database: Emulator
) -> None:
    entry = listening(database, "doorbell")
    await set_up(hass, entry)
    hass.bus.async_fire("doorbell", {"by": "Ann", "times": 2}, context=Context(id="1"))
    hass.bus.async_fire("telephone")
    await deliver(hass, entry)
    (point,) = points(database)
    assert point.tags["event_type"] == "doorbell"
    assert json.loads(point.fields["event_data"]) == {"by": "Ann", "times": 2}
    assert point.fields["context_id"] == "1"


async def test_data_changed_after_the_event_are_not_captured(
    hass: HomeAssistant, database: Emulator
) -> None:
    entry = listening(database, "doorbell")
    await set_up(hass, entry)
    data = {"by": "Ann"}
    hass.bus.async_fire("doorbell", data)
    data["by"] = "Bob"
    await deliver(hass, entry)
    (point,) = points(database)
    assert json.loads(point.fields["event_data"]) == {"by": "Ann"}


ABOUT = [
    {"entity_id": "light.a"},
    {"entity_id": ["light.a"]},
    {"domain": "light", "service": "turn_on", "service_data": {"entity_id": ["light.a"]}},
]
ABOUT_NONE = [
    {},
    {"entity_id": "light.not_there"},
    {"entity_id": "anything"},
    {"entity_id": ["light.a", "light.b"]},
    {"entity_id": 5},
    {"service_data": None},
    {"service_data": {"entity_id": {"x": 1}}},
]


@pytest.mark.parametrize("data", ABOUT)
async def test_an_event_about_an_entity_says_what_the_entity_is(
    hass: HomeAssistant,
    database: Emulator,
    entity_registry: er.EntityRegistry,
    data: dict[str, Any],
) -> None:
    entity_registry.async_get_or_create("light", "hue", "1", suggested_object_id="a")
    entry = listening(database, "doorbell")
    await set_up(hass, entry)
    hass.bus.async_fire("doorbell", data)
    await deliver(hass, entry)
    (point,) = of_type(database, "doorbell")
    assert (point.tags["entity_id"], point.tags["integration"]) == ("light.a", "hue")


@pytest.mark.parametrize("data", ABOUT_NONE)
async def test_an_event_about_no_entity_that_there_is_becomes_a_point_too(
    hass: HomeAssistant, database: Emulator, data: dict[str, Any]
) -> None:
    hass.states.async_set("light.a", "on")
    entry = listening(database, "doorbell")
    await set_up(hass, entry)
    hass.bus.async_fire("doorbell", data)
    await deliver(hass, entry)
    (point,) = of_type(database, "doorbell")
    assert "integration" not in point.tags


async def test_nothing_about_an_excluded_entity_is_captured_and_it_is_counted(
    hass: HomeAssistant, database: Emulator
) -> None:
    entry = configured(
        database,
        **{FILTER: {"globs": ["lock.*"]}, "events": {"types": ["call_service"], "reported": True}},
    )
    await set_up(hass, entry)
    hass.states.async_set("lock.door", "locked")
    hass.states.async_set("lock.door", "locked")
    data = {"domain": "lock", "service": "unlock", "service_data": {"entity_id": "lock.door"}}
    hass.bus.async_fire("call_service", data)
    hass.states.async_set("light.a", "on")
    runtime = entry.runtime_data
    await deliver(hass, entry)
    assert [point.tags["entity_id"] for point in points(database)] == ["light.a"]
    ledger = (await runtime.pipeline.snapshot()).ledger
    assert ledger["filtered"]["excluded"] == 3
    assert ledger["received"] == sum(ledger["filtered"].values()) + ledger["captured"]


async def test_a_report_without_a_change_is_a_point_at_its_own_time(
    hass: HomeAssistant, database: Emulator, freezer: FrozenDateTimeFactory
) -> None:
    entry = configured(database, events={"types": [], "reported": True})
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "7")
    freezer.tick(60)
    hass.states.async_set("sensor.a", "7")
    now = datetime.now(UTC)
    await deliver(hass, entry)
    first, again = points(database, "sensor.a")
    assert (first.tags["event_type"], again.tags["event_type"]) == (
        "state_changed",
        "state_reported",
    )
    assert again.fields["value"] == 7
    assert abs(again.time / 1e9 - now.timestamp()) < 0.001


async def test_reports_are_not_captured_unless_the_user_wants_them(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "7")
    hass.states.async_set("sensor.a", "7")
    await deliver(hass, entry)
    assert len(points(database)) == 1


async def test_no_event_is_missed_during_a_reload(hass: HomeAssistant, database: Emulator) -> None:
    entry = configured(database, events={"types": ["doorbell"], "reported": True})
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "7")
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.bus.async_fire("doorbell", {"by": "Ann"})
    hass.states.async_set("sensor.a", "7")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await deliver(hass, entry)
    found = [point.tags["event_type"] for point in points(database)]
    assert found == ["state_changed", "doorbell", "state_reported"]


async def test_what_the_options_do_not_ask_for_any_more_is_not_captured_from_a_reload(
    hass: HomeAssistant, database: Emulator
) -> None:
    entry = listening(database, "doorbell", "telephone")
    await set_up(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.bus.async_fire("doorbell")
    hass.bus.async_fire("telephone")
    options = {"events": {"types": ["telephone"], "reported": False}}
    hass.config_entries.async_update_entry(entry, options=options)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await deliver(hass, entry)
    assert [point.tags["event_type"] for point in points(database)] == ["telephone"]


async def test_the_stop_of_home_assistant_is_marked_to_the_very_end(
    hass: HomeAssistant, database: Emulator
) -> None:
    types = ["homeassistant_stop", "homeassistant_final_write"]
    entry = listening(database, *types)
    await set_up(hass, entry)
    await hass.async_stop(force=True)
    assert [point.tags["event_type"] for point in points(database)] == types


async def test_the_start_of_home_assistant_is_marked(
    hass: HomeAssistant, database: Emulator
) -> None:
    types = ["homeassistant_start", "homeassistant_started"]
    entry = listening(database, *types)
    await set_up(hass, entry)
    await hass.async_start()
    await deliver(hass, entry)
    assert [point.tags["event_type"] for point in points(database)] == types


async def test_a_change_knows_the_automation_and_the_user_behind_it(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    user = await hass.auth.async_create_user("Ann")
    await set_up(hass, entry)
    context = Context(user_id=user.id)
    run = {"name": "Dusk", "entity_id": "automation.dusk"}
    hass.bus.async_fire("automation_triggered", run, context=context)
    hass.states.async_set("light.a", "on", context=context)
    await deliver(hass, entry)
    (point,) = points(database, "light.a")
    assert (point.fields["cause"], point.fields["context_user"]) == ("automation.dusk", "Ann")


async def test_points_have_the_weather_of_their_moment(
    hass: HomeAssistant, database: Emulator
) -> None:
    entry = configured(database, weather={"entity": "weather.home", "max_age": 3})
    measured = {"temperature": 68, "temperature_unit": "°F"}
    hass.states.async_set("sensor.before", "1")
    hass.states.async_set("weather.home", "sunny", measured)
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    hass.states.async_set("weather.home", "rainy", measured | {"temperature": 50})
    hass.states.async_set("sensor.a", "2")
    hass.states.async_remove("weather.home")
    hass.states.async_set("sensor.a", "3")
    await deliver(hass, entry)
    one, two, three = points(database, "sensor.a")
    assert (one.tags["weather_condition"], one.fields["temperature"]) == ("sunny", 20.0)
    assert (two.tags["weather_condition"], two.fields["temperature"]) == ("rainy", 10.0)
    for point in (three, *points(database, "sensor.before")):
        assert "weather_condition" not in point.tags
        assert "temperature" not in point.fields


async def test_rules_of_the_options_hold_back_noise(
    hass: HomeAssistant, database: Emulator
) -> None:
    rule = {"name": "Power", "device_classes": ["power"], "deadband": 5}
    entry = configured(database, noise={"rules": [rule], "window": 0})
    await set_up(hass, entry)
    for number in range(10):
        hass.states.async_set("sensor.power", str(number), {"device_class": "power"})
        hass.states.async_set("sensor.other", str(number))
    await deliver(hass, entry)
    assert [point.fields["value"] for point in points(database, "sensor.power")] == [0, 5]
    assert len(points(database, "sensor.other")) == 10
