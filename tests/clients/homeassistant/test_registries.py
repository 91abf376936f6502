"""What is read of the registries, and what of it is believed."""

from typing import Any

import aiohttp
import pytest

from custom_components.ha_ingestor.clients.homeassistant.connection import Connection
from custom_components.ha_ingestor.clients.homeassistant.registries import (
    Registry,
    list_registries,
    refresh_entities,
    relist,
)
from tests.emulator.home_assistant import Home, Refusal

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def test_every_registry_is_listed_with_what_the_rules_need(
    session: aiohttp.ClientSession, home: Home
) -> None:
    home.register(
        "sensor.power",
        platform="shelly",
        device_id="d2",
        area_id="attic",
        labels=["loud", 7],
        original_device_class="power",
        entity_category="diagnostic",
    )
    home.devices = [
        {"id": "d1", "name": "Plug", "manufacturer": "Shelly", "model": 7, "sw_version": "1"},
        {"id": "d2", "name": "Socket 2", "parent_device_id": "d1", "labels": None},
        {"name": "without an id"},
        "no row",
    ]
    home.areas = [{"area_id": "attic", "name": "Attic", "floor_id": "top"}]
    home.floors = [{"floor_id": "top", "name": "Top", "level": 2}]
    home.labels = [{"label_id": "loud", "name": "Loud!"}]
    home.entries = [{"entry_id": "e1", "domain": "shelly", "title": "Plug", "created_at": 5.5}]
    connection = await Connection.open(session, home.url, home.token)
    found = await list_registries(connection)
    await connection.close()

    entity = found.entities["sensor.power"]
    assert entity.id == "id of sensor.power"
    assert (entity.platform, entity.area_id, entity.device_id) == ("shelly", "attic", "d2")
    assert entity.labels == {"loud"}
    assert entity.original_device_class == "power"
    assert entity.entity_category == "diagnostic"
    assert set(found.devices) == {"d1", "d2"}
    assert (found.devices["d1"].manufacturer, found.devices["d1"].model) == ("Shelly", None)
    assert found.devices["d2"].parent_device_id == "d1"
    assert found.areas["attic"].floor_id == "top"
    assert found.floors["top"].level == 2
    assert found.labels["loud"].name == "Loud!"
    assert found.config_entries["e1"].created_at == 5.5


async def test_entities_are_asked_for_in_portions(
    session: aiohttp.ClientSession, home: Home
) -> None:
    for number in range(1201):
        home.register(f"sensor.s{number}", device_class="power")
    connection = await Connection.open(session, home.url, home.token)
    found = await list_registries(connection)
    await connection.close()
    assert len(found.entities) == 1201
    assert {each.device_class for each in found.entities.values()} == {"power"}
    assert home.commands["config/entity_registry/get_entries"] == 3


async def test_a_part_of_the_registry_is_read_again(
    session: aiohttp.ClientSession, home: Home
) -> None:
    home.register("sensor.a", area_id="attic")
    home.register("sensor.b", area_id="attic")
    home.register("sensor.c", area_id="attic")
    connection = await Connection.open(session, home.url, home.token)
    found = await list_registries(connection)
    home.register("sensor.a", area_id="cellar")
    home.register("sensor.b", area_id="cellar")
    del home.entities["sensor.c"]
    await refresh_entities(connection, found, ["sensor.a", "sensor.c", "sensor.never"])
    areas = {name: entry.area_id for name, entry in found.entities.items()}
    assert areas == {"sensor.a": "cellar", "sensor.b": "attic"}
    home.areas = [{"area_id": "cellar", "name": "Cellar"}]
    await relist(connection, found, Registry.AREAS)
    await connection.close()
    assert found.areas["cellar"].name == "Cellar"


async def test_config_entries_may_be_kept_for_administrators(
    session: aiohttp.ClientSession, home: Home
) -> None:
    def refuse(_asked: Any) -> Any:
        raise Refusal(code="unauthorized")

    home.answers["config_entries/get"] = refuse
    connection = await Connection.open(session, home.url, home.token)
    found = await list_registries(connection)
    await connection.close()
    assert found.config_entries == {}
