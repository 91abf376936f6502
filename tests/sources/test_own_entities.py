"""Our own entities are never captured, also not while they go."""

from collections.abc import AsyncIterator

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.const import DOMAIN
from scripts.rig.data_api import DataApi
from tests.data_api.test_data_api import CONNECTED, with_data_api
from tests.emulator import Emulator
from tests.shell import points, set_up, until


@pytest.fixture(name="server")
async def _server(socket_enabled: None) -> AsyncIterator[DataApi]:
    async with DataApi() as server:
        yield server


@pytest.fixture(name="entry")
async def _entry(hass: HomeAssistant, database: Emulator, server: DataApi) -> MockConfigEntry:
    entry = with_data_api(database, server.url)
    await set_up(hass, entry)
    await until(lambda: hass.states.get(CONNECTED))
    return entry


async def test_entities_that_go_with_a_subentry_are_not_captured(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    (subentry,) = entry.subentries.values()
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    await until(lambda: not hass.states.get(CONNECTED))
    await hass.async_block_till_done()
    await _after(hass, entry, database)
    # Another entity that takes the name is nobody of ours.
    hass.states.async_set(CONNECTED, "on")
    await entry.runtime_data.pipeline.flush()
    await until(lambda: points(database, CONNECTED))


async def test_entities_of_a_device_that_is_deleted_are_not_captured(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    registry = er.async_get(hass)
    for each in er.async_entries_for_config_entry(registry, entry.entry_id):
        registry.async_remove(each.entity_id)
    await until(lambda: not hass.states.get(CONNECTED))
    await _after(hass, entry, database)


async def _after(hass: HomeAssistant, entry: MockConfigEntry, database: Emulator) -> None:
    hass.states.async_set("sensor.last", "1")
    await entry.runtime_data.pipeline.flush()
    await until(lambda: points(database, "sensor.last"))
    captured = {point.tags["entity_id"] for point in points(database)}
    assert {each for each in captured if "attic" in each or "data_api" in each} == set()
    assert entry.domain == DOMAIN
