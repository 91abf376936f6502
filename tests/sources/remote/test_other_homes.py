"""What is made of homes with floors, parts of devices, and answers that nobody expects."""

import asyncio
from typing import Any

import pytest
from homeassistant.core import HomeAssistant

from custom_components.ha_ingestor.sources.remote import registry_reader
from tests.emulator import Emulator
from tests.emulator.home_assistant import Home
from tests.shell import deliver, points, set_up, until

from .conftest import entry_with, remote
from .following import balanced, captured, connected, link_of
from .test_remote import NOON, registry_event, told


def fired(event_type: str, data: Any, second: int = 1) -> Any:
    """Make an event as the other home sends it."""
    return {
        "event_type": event_type,
        "data": data,
        "time_fired": f"2026-11-21T12:00:{second:02}+00:00",
        "context": {"id": f"at {second}", "parent_id": None, "user_id": None},
    }


async def test_a_part_of_a_device_has_the_manufacturer_of_the_whole_and_its_floor(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    home.floors = [{"floor_id": "up", "name": "Upstairs", "level": 1}]
    home.areas = [{"area_id": "attic", "name": "Attic", "floor_id": "up"}]
    home.devices = [
        {"id": "strip", "name": "Strip", "area_id": "attic", "manufacturer": "Shelly"},
        {"id": "outlet", "name": "Outlet 1", "parent_device_id": "strip", "manufacturer": "?"},
    ]
    home.register("sensor.power", device_id="outlet")
    home.changing("sensor.power", "1", NOON)
    points_page = {"profile": "tidy", "tags": ["area", "device", "floor"]}
    entry = entry_with(database, remote(home), points=points_page)
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 1)
    await deliver(hass, entry)
    [point] = points(database)
    places = {name: point.tags.get(name) for name in ("device", "area", "floor")}
    assert places == {"device": "Outlet 1", "area": "Attic", "floor": "Upstairs"}


async def test_an_entity_that_is_made_again_elsewhere_has_not_moved(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    home.areas = [{"area_id": "attic", "name": "Attic"}, {"area_id": "cellar", "name": "Cellar"}]
    home.register("light.a", area_id="attic")
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    asked = "config/area_registry/list"
    times = home.commands[asked]
    del home.entities["light.a"]
    await home.fire("entity_registry_updated", registry_event("remove", "light.a", 1))
    await home.fire("area_registry_updated", {"data": {"action": "update", "area_id": "attic"}})
    await until(lambda: home.commands[asked] > times)
    home.register("light.a", area_id="cellar")
    await home.fire("entity_registry_updated", registry_event("create", "light.a", 2))
    await home.set_state("light.a", "on", NOON + 3)
    await captured(entry, 1)
    await deliver(hass, entry)
    [point] = points(database)
    assert (point.tags["event_type"], point.tags["area"]) == ("state_changed", "Cellar")


async def test_the_last_event_of_an_entity_that_was_changed_and_removed_says_where_it_was(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    home.areas = [{"area_id": "attic", "name": "Attic"}]
    home.register("light.a", area_id="attic")
    home.changing("light.a", "on", NOON)
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 1)
    kind = "entity_registry_updated"
    changes = {"icon": "mdi:lamp"}
    # All of this is over before the first question is answered.
    del home.entities["light.a"]
    await home.fire(kind, registry_event("update", "light.a", 1, changes=changes))
    await home.fire(kind, registry_event("remove", "light.a", 2))
    await home.send(home.removing("light.a"))
    await captured(entry, 2)
    await deliver(hass, entry)
    last = points(database)[-1]
    assert (last.tags["event_type"], last.tags["area"]) == ("entity_removed", "Attic")


@pytest.mark.parametrize(
    ("data", "entity_id"),
    [
        ({"entity_id": "light.a"}, "light.a"),
        ({"service_data": {"entity_id": ["light.a"]}}, "light.a"),
        ({"service_data": {"entity_id": ["light.a", "light.b"]}}, None),
        ({"entity_id": "light.nowhere"}, "light.nowhere"),
        ({"entity_id": 7}, None),
        ({}, None),
    ],
    ids=str,
)
async def test_an_event_about_one_entity_has_its_tags(
    hass: HomeAssistant, home: Home, database: Emulator, data: Any, entity_id: str | None
) -> None:
    home.register("light.a")
    home.register("light.b")
    entry = entry_with(database, remote(home), events={"types": ["my_event"]})
    await set_up(hass, entry)
    await connected(entry)
    await home.fire("my_event", fired("my_event", data))
    await captured(entry, 1)
    await deliver(hass, entry)
    [point] = points(database)
    assert (point.tags["event_type"], point.tags.get("entity_id")) == ("my_event", entity_id)


async def test_an_event_about_an_entity_that_is_left_out_is_counted_and_not_written(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    home.register("light.a")
    left_out = remote(home, filter={"entities": ["light.a"]})
    entry = entry_with(database, left_out, events={"types": ["my_event"]})
    await set_up(hass, entry)
    await connected(entry)
    await home.fire("my_event", fired("my_event", {"entity_id": "light.a"}))
    await captured(entry, 1)
    ledger = await balanced(entry)
    await deliver(hass, entry)
    assert (ledger["filtered"], ledger["captured"]) == ({"excluded": 1}, 0)
    assert points(database) == []


@pytest.mark.parametrize("content", [None, "text", [], {"data": [1]}, {"data": "text"}], ids=str)
async def test_an_event_of_another_form_is_counted_as_lost_and_costs_no_other(
    hass: HomeAssistant, home: Home, database: Emulator, content: Any
) -> None:
    entry = entry_with(database, remote(home), events={"types": ["automation_triggered"]})
    await set_up(hass, entry)
    await connected(entry)
    await home.fire("automation_triggered", content)
    ran = fired("automation_triggered", {"name": "Dusk"})
    await home.fire("automation_triggered", ran, {**ran, "context": "none"})
    await home.set_state("sensor.a", "1", NOON)
    await captured(entry, 4)
    ledger = await balanced(entry)
    assert home.logins == ["good"]
    await deliver(hass, entry)
    assert (ledger["received"], ledger["lost"]) == (4, {"internal_error": 1})
    assert len(points(database)) == 3


async def test_registries_are_listed_again_although_nothing_told_of_a_change(
    hass: HomeAssistant, home: Home, database: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_reader, "REFRESH_SECONDS", 0.1)
    home.areas = [{"area_id": "attic", "name": "Attic"}]
    home.register("light.a", area_id="attic")
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    asked = "config/area_registry/list"
    home.areas = [{"area_id": "attic", "name": "Loft"}]
    times = home.commands[asked]
    await until(lambda: home.commands[asked] > times + 1)
    await home.set_state("light.a", "on", NOON)
    await until(lambda: link_of(entry).health.events >= 1)
    await deliver(hass, entry)
    [point] = points(database)
    assert point.tags["area"] == "Loft"


async def test_other_event_types_are_asked_for_over_the_same_connection(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    entry = entry_with(database, remote(home), events={"types": ["before"]})
    await set_up(hass, entry)
    await connected(entry)
    hass.config_entries.async_update_entry(entry, options={"events": {"types": ["after"]}})
    await hass.async_block_till_done()
    await home.set_state("light.a", "on", NOON)
    [client] = home.clients
    await until(lambda: "after" in client.subscriptions.values())
    assert "before" not in client.subscriptions.values()
    await home.fire("after", fired("after", {}))
    await captured(entry, 2)
    await deliver(hass, entry)
    assert home.logins == ["good"]
    types = [point.tags["event_type"] for point in points(database)]
    assert types == ["state_changed", "after"]


async def test_another_home_at_the_same_place_is_captured_from_its_beginning(
    hass: HomeAssistant, home: Home, database: Emulator
) -> None:
    """Its states are older than those of the home that was there."""
    home.entries = [{"entry_id": "one", "domain": "sun"}]
    home.changing("sensor.a", "1", NOON)
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    await connected(entry)
    await captured(entry, 1)
    await home.stop()
    home.entries = [{"entry_id": "two", "domain": "sun"}]
    home.removing("sensor.a")
    home.changing("sensor.b", "2", NOON - 3600)
    await asyncio.sleep(0)
    await home.start()
    await connected(entry, 2)
    await captured(entry, 2)
    await deliver(hass, entry)
    assert told(database) == [("sensor.a", "1", NOON), ("sensor.b", "2", NOON - 3600)]
