"""Homes that share a data-api: no row of one is taken for a row of another."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.clients.data_api.client import DataApiClient
from custom_components.ha_ingestor.data_api.instances import merged, prefix_of, prefixes
from custom_components.ha_ingestor.data_api.runner import RegistrySync
from custom_components.ha_ingestor.registry.model import Device, Entity, Home
from custom_components.ha_ingestor.registry.remote_homes import RemoteSnapshot, async_remote_homes
from custom_components.ha_ingestor.registry.schedule import Intervals
from custom_components.ha_ingestor.registry.watch import WATCH, RegistryWatch
from scripts.rig.data_api import DataApi, Era
from tests.shell import until

SOON = Intervals(quiet=0.05, longest=0.5)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PORCH = Entity(
    entity_id="light.porch",
    registry_id="r1",
    platform="hue",
    unique_id="1",
    device_id="d1",
    effective_area_id="attic",
    labels=("old",),
    config_entry_id="e1",
)
CABIN = Home(
    devices=(
        Device(device_id="d0", name="Bridge", config_entry_id="e1"),
        Device(device_id="d1", name="Lamp", via_device_id="d0", effective_area_id="attic"),
    ),
    entities=(PORCH,),
)


@pytest.fixture(name="server", params=Era)
async def _server(request: pytest.FixtureRequest, socket_enabled: None) -> AsyncIterator[DataApi]:
    async with DataApi(era=request.param, has_services=True) as server:
        yield server


@pytest.fixture(name="hue")
def _hue(hass: HomeAssistant) -> MockConfigEntry:
    hass.data[WATCH] = RegistryWatch(hass, SOON)
    entry = MockConfigEntry(domain="hue", title="Hue Bridge")
    entry.add_to_hass(hass)
    er.async_get(hass).async_get_or_create(
        "light", "hue", "1", config_entry=entry, suggested_object_id="porch"
    )
    return entry


def sync_of(hass: HomeAssistant, server: DataApi, *instances: str) -> RegistrySync:
    client = DataApiClient(async_get_clientsession(hass), server.url)
    return RegistrySync(
        hass,
        client,
        on_change=lambda: None,
        refresh=SOON.refresh,
        entry_id="entry",
        instances=instances,
    )


def put(hass: HomeAssistant, home: Home, *, entry_id: str = "entry", name: str = "Cabin") -> None:
    snapshot = RemoteSnapshot(entry_id=entry_id, instance=name, home=home, taken_at=NOON)
    async_remote_homes(hass).async_put(f"{entry_id} {name}", snapshot)


async def test_rows_of_a_remote_home_have_keys_of_their_own(
    hass: HomeAssistant, server: DataApi, hue: MockConfigEntry
) -> None:
    sync = sync_of(hass, server, "Cabin")
    put(hass, CABIN)
    put(hass, CABIN, entry_id="another destination", name="Boat")
    sync.async_start()
    await until(lambda: sync.state.last_sync)
    assert set(server.tables.entities) == {"light.porch", "light.cabin__porch"}
    assert set(server.tables.devices) == {"cabin__d0", "cabin__d1"}
    here, there = (server.tables.entities[key] for key in ("light.porch", "light.cabin__porch"))
    assert (here["device_id"], there["device_id"]) == (None, "cabin__d1")
    assert there["area_id"] == "cabin__attic"
    if server.era is Era.TODAY:
        assert (here["labels"], there["labels"]) == ([], ["old", "instance:Cabin"])
        assert there["config_entry_id"] == "cabin__e1"
        assert server.tables.devices["cabin__d1"]["via_device"] == "cabin__d0"
        assert server.tables.devices["cabin__d1"]["labels"] == ["instance:Cabin"]
    assert sync.state.rows_rejected == 0
    await sync.async_stop()


async def test_only_what_changed_in_a_remote_home_is_sent(
    hass: HomeAssistant, server: DataApi, hue: MockConfigEntry
) -> None:
    sync = sync_of(hass, server, "Cabin")
    sync.async_start()
    await until(lambda: sync.state.last_sync)
    sent = sync.state.rows_sent
    put(hass, CABIN)
    await until(lambda: sync.state.rows_sent == sent + 3)
    changed = Entity(entity_id="light.stove", registry_id="r1", platform="hue")
    put(hass, Home(devices=CABIN.devices, entities=(changed,)))
    await until(lambda: "light.cabin__stove" in server.tables.entities)
    await until(lambda: sync.state.rows_pending == 0)
    assert sync.state.rows_sent == sent + 4
    assert sync.state.entities_renamed == 1
    assert sync.state.stale == ("light.cabin__porch",)
    put(hass, Home(devices=CABIN.devices, entities=(changed,)))
    await asyncio.sleep(0.2)
    assert sync.state.rows_sent == sent + 4
    await sync.async_stop()


async def test_rows_of_a_home_that_is_not_connected_are_not_stale(
    hass: HomeAssistant, server: DataApi, hue: MockConfigEntry
) -> None:
    """After a restart of Home Assistant nothing is known of it; without it they are stale."""
    before = sync_of(hass, server, "Cabin", "Boat")
    put(hass, CABIN)
    put(hass, CABIN, name="Boat")
    before.async_start()
    await until(lambda: before.state.last_sync)
    await before.async_stop()
    await until(lambda: len(server.tables.entities) == 3)
    for name in ("Cabin", "Boat"):
        async_remote_homes(hass).async_drop(f"entry {name}")

    after = sync_of(hass, server, "Cabin")
    after.async_start()
    await until(lambda: after.state.rows_stale >= 3)
    assert after.state.stale == ("boat__d0", "boat__d1", "light.boat__porch")
    put(hass, CABIN)
    await until(lambda: after.state.rows_stored["entities"] == 2)
    assert after.state.rows_stale == 3
    await after.async_stop()


@pytest.mark.parametrize(
    ("instances", "expected"),
    [
        (["Cabin"], ["cabin"]),
        (["Summer house", "Boat"], ["summer_house", "boat"]),
        (["Hütte", "日本"], ["hutte", "ri_ben"]),
        (["a__b", "_"], ["a_b", "unknown"]),
    ],
)
def test_a_prefix_is_the_instance_as_home_assistant_makes_ids(
    instances: list[str], expected: list[str]
) -> None:
    assert list(prefixes(instances).values()) == expected


def test_instances_that_are_spelled_alike_have_prefixes_of_their_own() -> None:
    found = prefixes(["My cabin", "my-cabin", "MY CABIN"])
    assert found["My cabin"] == "my_cabin"
    assert len(set(found.values())) == 3
    assert prefixes(["My cabin", "MY CABIN"])["MY CABIN"] == found["MY CABIN"]


@pytest.mark.parametrize(
    ("key", "prefix"),
    [
        ("light.cabin__porch", "cabin"),
        ("cabin__d1", "cabin"),
        ("light.porch", ""),
        ("5f0c1c0e6f2f4a7c8b1d", ""),
        ("light.cabin_porch", ""),
        ("light.my_cabin__a__b", "my_cabin"),
    ],
)
def test_the_prefix_is_read_from_a_key(key: str, prefix: str) -> None:
    assert prefix_of(key) == prefix


def test_no_key_is_there_twice_whatever_an_old_registry_has() -> None:
    own = Entity(entity_id="light.cabin__porch", registry_id="x", platform="old")
    found = merged(Home(entities=(own,)), {"cabin": CABIN}, {"cabin": "cabin"}).entities
    assert found == (own,)


def test_what_does_not_name_a_row_stays_as_it_is() -> None:
    [entity] = merged(Home(), {"Cabin": CABIN}, {"Cabin": "cabin"}).entities
    kept: dict[str, Any] = {"platform": "hue", "unique_id": "1", "name": None}
    assert {name: getattr(entity, name) for name in kept} == kept
