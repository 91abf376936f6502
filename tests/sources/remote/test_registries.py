"""What the registries of a remote home say is answered here, apart from those of this home."""

from http import HTTPStatus
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ha_ingestor.registry.remote_homes import async_remote_homes
from custom_components.ha_ingestor.registry.schedule import Intervals
from custom_components.ha_ingestor.registry.watch import WATCH, RegistryWatch
from custom_components.ha_ingestor.sources.remote import registries
from tests.emulator import Emulator
from tests.emulator.home_assistant import Home
from tests.shell import deliver, set_up, until

from .conftest import entry_with, remote
from .following import connected, link_of
from .test_remote import NOON

SOON = Intervals(quiet=0.05, longest=0.5)


@pytest.fixture(autouse=True)
def _short_waits(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registries, "QUIET_SECONDS", 0.05)
    hass.data[WATCH] = RegistryWatch(hass, SOON)


@pytest.fixture(name="home")
def _furnished(home: Home) -> Home:
    """Furnish the remote home: a strip with an outlet in the attic, and its power."""
    home.floors = [{"floor_id": "top", "name": "Top", "level": 2, "aliases": []}]
    home.areas = [{"area_id": "attic", "name": "Attic", "floor_id": "top", "labels": []}]
    home.labels = [{"label_id": "old", "name": "Old", "color": "red"}]
    home.entries = [{"entry_id": "e1", "domain": "shelly", "title": "Strip"}]
    home.devices = [
        {"id": "d2", "name": None, "name_by_user": None, "parent_device_id": "d1"},
        {
            "id": "d1",
            "name": "Strip",
            "area_id": "attic",
            "manufacturer": "Shelly",
            "model": "Plus",
            "sw_version": "1.0",
            "config_entry_id": "e1",
            "labels": ["old"],
        },
    ]
    home.register("sensor.power", device_id="d2", platform="shelly", aliases=["Watt", None])
    home.changing("sensor.power", "1", NOON, unit_of_measurement="W", supported_features=3)
    return home


async def answered(client: Any, table: str, **query: str) -> list[dict[str, Any]]:
    reply = await client.get(f"/api/ha_ingestor/{table}", params={"limit": "1000", **query})
    assert reply.status == HTTPStatus.OK, await reply.text()
    rows: list[dict[str, Any]] = (await reply.json())[table]
    return rows


async def stored(client: Any, count: int, table: str = "entities", **query: str) -> Any:
    """Wait until there are so many rows of the remote home."""
    found: list[dict[str, Any]] = []

    async def are_there() -> bool:
        found[:] = await answered(client, table, **{"instance": "cabin", **query})
        return len(found) == count

    await until(are_there)
    return found


async def test_devices_and_entities_of_a_remote_home_are_answered_apart(
    hass: HomeAssistant, home: Home, database: Emulator, hass_client: ClientSessionGenerator
) -> None:
    """Also those that have the same ids here."""
    hue = MockConfigEntry(domain="hue")
    hue.add_to_hass(hass)
    lamp = dr.async_get(hass).async_get_or_create(
        config_entry_id=hue.entry_id, identifiers={("hue", "1")}, name="Lamp"
    )
    er.async_get(hass).async_get_or_create(
        "sensor", "hue", "1", suggested_object_id="power", config_entry=hue, device_id=lamp.id
    )
    home.devices[1]["id"] = lamp.id
    home.devices[0]["parent_device_id"] = lamp.id
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    client = await hass_client()
    [power] = await stored(client, 1)
    assert (
        power.items()
        >= {
            "instance": "cabin",
            "stale": False,
            "entity_id": "sensor.power",
            "registry_id": "id of sensor.power",
            "platform": "shelly",
            "device_id": "d2",
            "area_id": None,
            "effective_area_id": "attic",
            "aliases": ["Watt"],
            "unit_of_measurement": "W",
            "supported_features": 3,
            "available_services": None,
            "removed_at": None,
        }.items()
    )
    strip, outlet = sorted(
        await answered(client, "devices", instance="cabin"), key=lambda row: row["name"] == "d2"
    )
    assert (
        strip.items()
        >= {
            "instance": "cabin",
            "device_id": lamp.id,
            "name": "Strip",
            "manufacturer": "Shelly",
            "sw_version": "1.0",
            "integration": "shelly",
            "labels": ["old"],
            "entity_count": 0,
        }.items()
    )
    assert (
        outlet.items()
        >= {
            "parent_device_id": lamp.id,
            "effective_area_id": "attic",
            "manufacturer": "Unknown",
            "entity_count": 1,
        }.items()
    )
    await until(lambda: answered_lamp(client, lamp.id))
    here = await answered(client, "entities", domain="sensor", platform="hue")
    assert [(row["instance"], row["device_id"]) for row in here] == [(None, lamp.id)]
    both = await answered(client, "devices", instance="*")
    assert [row["instance"] for row in both if row["device_id"] == lamp.id] == [None, "cabin"]
    await deliver(hass, entry)


async def answered_lamp(client: Any, device_id: str) -> bool:
    found = await answered(client, "devices")
    return [row["name"] for row in found if row["device_id"] == device_id] == ["Lamp"]


async def test_changes_of_a_remote_registry_are_stored_soon(
    hass: HomeAssistant, home: Home, database: Emulator, hass_client: ClientSessionGenerator
) -> None:
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    client = await hass_client()
    await stored(client, 1)
    home.register("light.new")
    data = {"action": "create", "entity_id": "light.new"}
    await home.fire("entity_registry_updated", {"data": data, "time_fired": "2026-11-21T12:00Z"})
    await stored(client, 2)
    home.areas[0]["name"] = "Loft"
    home.devices = home.devices[1:]
    for registry in ("area", "device"):
        data = {"action": "update"}
        await home.fire(f"{registry}_registry_updated", {"data": data})
    await stored(client, 1, "devices")
    [gone] = [
        row
        for row in await answered(client, "devices", instance="cabin", include_removed="true")
        if row["removed_at"]
    ]
    assert gone["device_id"] == "d2"
    await deliver(hass, entry)


async def test_a_home_that_is_not_connected_keeps_its_rows_as_stale(
    hass: HomeAssistant, home: Home, database: Emulator, hass_client: ClientSessionGenerator
) -> None:
    """Also over a reload; and what changed meanwhile is there after the next connection."""
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    client = await hass_client()
    [before] = await stored(client, 1)
    await home.stop()
    await until(lambda: not link_of(entry).health.state.connected)
    home.register("sensor.power", name="Renamed")
    known = async_remote_homes(hass)
    read = known.all["cabin"]
    await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: known.all["cabin"] is not read)
    await hass.async_block_till_done()
    [stale] = await stored(client, 1)
    assert (before["stale"], stale["stale"]) == (False, True)
    assert (stale["entity_id"], stale["name"]) == ("sensor.power", None)
    assert stale["last_seen"] == before["last_seen"]
    await home.start()
    await connected(entry, 2)
    await until(lambda: renamed(client))
    await deliver(hass, entry)


async def renamed(client: Any) -> bool:
    [row] = await answered(client, "entities", instance="cabin")
    return bool(row["name"] == "Renamed" and not row["stale"])


async def test_only_a_home_that_is_removed_loses_its_rows(
    hass: HomeAssistant, home: Home, database: Emulator, hass_client: ClientSessionGenerator
) -> None:
    async with Home() as other:
        other.register("light.boat")
        entry = entry_with(database, remote(home), remote(other, "boat"))
        await set_up(hass, entry)
        client = await hass_client()
        await stored(client, 1)
        await stored(client, 1, instance="boat")
        await until(lambda: has_rows(client))
        [cabin] = [each for each in entry.subentries.values() if each.title == "Cabin"]
        hass.config_entries.async_remove_subentry(entry, cabin.subentry_id)
        await hass.async_block_till_done()
        await stored(client, 0, include_removed="true")
        await stored(client, 1, instance="boat")
        assert await has_rows(client)
        await deliver(hass, entry)


async def has_rows(client: Any) -> bool:
    return bool(await answered(client, "entities"))


async def test_only_administrators_read_registries_of_another_home(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_read_only_access_token: str,
    home: Home,
    database: Emulator,
) -> None:
    entry = entry_with(database, remote(home))
    await set_up(hass, entry)
    reader = await hass_client(hass_read_only_access_token)
    for table in ("devices", "entities"):
        for instance in ("cabin", "*", "unknown"):
            reply = await reader.get(f"/api/ha_ingestor/{table}", params={"instance": instance})
            assert reply.status == HTTPStatus.UNAUTHORIZED
        assert (await reader.get(f"/api/ha_ingestor/{table}")).status == HTTPStatus.OK
    await deliver(hass, entry)
