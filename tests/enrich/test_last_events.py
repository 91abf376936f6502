"""The last event of an entity says what it was, however it went."""

from collections.abc import Awaitable, Callable

import pytest
from homeassistant.config_entries import ConfigEntry, ConfigFlow
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockEntity,
    MockModule,
    MockPlatform,
    mock_config_flow,
    mock_integration,
    mock_platform,
)

from tests.emulator import Emulator
from tests.shell import deliver, points, set_up


@pytest.fixture
async def heater(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
    kitchen: ar.AreaEntry,
) -> MockConfigEntry:
    """Run an integration with a device in the kitchen and the entity sensor.heater."""

    async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
        await hass.config_entries.async_forward_entry_setups(entry, ["sensor"])
        return True

    async def async_unload_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
        return await hass.config_entries.async_unload_platforms(entry, ["sensor"])

    async def async_add_heater(
        _hass: HomeAssistant,
        _entry: ConfigEntry,
        async_add_entities: AddConfigEntryEntitiesCallback,
    ) -> None:
        device = DeviceInfo(identifiers={("heating", "1")}, name="Heater")
        async_add_entities(
            [MockEntity(unique_id="1", device_info=device, name="Heater", should_poll=False)]
        )

    mock_integration(
        hass,
        MockModule(
            "heating", async_setup_entry=async_setup_entry, async_unload_entry=async_unload_entry
        ),
    )
    mock_platform(hass, "heating.sensor", MockPlatform(async_setup_entry=async_add_heater))
    mock_platform(hass, "heating.config_flow", None)
    heating = MockConfigEntry(domain="heating")
    with mock_config_flow("heating", ConfigFlow):
        await set_up(hass, heating)
    entity = entity_registry.async_get("sensor.heater")
    assert entity
    assert entity.device_id
    device_registry.async_update_device(entity.device_id, area_id=kitchen.id)
    return heating


async def _remove_entity(hass: HomeAssistant, _heating: ConfigEntry) -> None:
    er.async_get(hass).async_remove("sensor.heater")


async def _rename_entity(hass: HomeAssistant, _heating: ConfigEntry) -> None:
    er.async_get(hass).async_update_entity("sensor.heater", new_entity_id="sensor.stove")


async def _disable_entity(hass: HomeAssistant, _heating: ConfigEntry) -> None:
    er.async_get(hass).async_update_entity(
        "sensor.heater", disabled_by=er.RegistryEntryDisabler.USER
    )


async def _remove_device(hass: HomeAssistant, _heating: ConfigEntry) -> None:
    entity = er.async_get(hass).async_get("sensor.heater")
    assert entity
    assert entity.device_id
    dr.async_get(hass).async_remove_device(entity.device_id)


async def _remove_integration(hass: HomeAssistant, heating: ConfigEntry) -> None:
    await hass.config_entries.async_remove(heating.entry_id)


@pytest.mark.parametrize(
    "remove",
    [
        _remove_entity,
        _rename_entity,
        _disable_entity,
        _remove_device,
        _remove_integration,
    ],
)
async def test_the_last_event_of_an_entity_still_says_what_it_was(
    hass: HomeAssistant,
    heater: MockConfigEntry,
    entry: MockConfigEntry,
    database: Emulator,
    remove: Callable[[HomeAssistant, ConfigEntry], Awaitable[None]],
) -> None:
    """However it goes away: the registry has forgotten it before its state is removed."""
    await set_up(hass, entry)
    await remove(hass, heater)
    await deliver(hass, entry)
    last = points(database, "sensor.heater")[-1]
    assert last.tags["event_type"] == "entity_removed"
    assert (last.tags["integration"], last.tags.get("area")) == ("heating", "Kitchen")


async def test_a_renamed_entity_goes_on_under_its_new_name(
    hass: HomeAssistant, heater: MockConfigEntry, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    await _rename_entity(hass, heater)
    await deliver(hass, entry)
    first = points(database, "sensor.stove")[0]
    assert (first.tags["integration"], first.tags["area"]) == ("heating", "Kitchen")


async def test_an_id_that_is_used_again_is_described_anew(
    hass: HomeAssistant,
    heater: MockConfigEntry,
    entry: MockConfigEntry,
    database: Emulator,
) -> None:
    await set_up(hass, entry)
    await _remove_entity(hass, heater)
    await hass.async_block_till_done()
    hass.states.async_set("sensor.heater", "7")
    await deliver(hass, entry)
    last = points(database, "sensor.heater")[-1]
    assert last.fields["value"] == 7.0
    assert "integration" not in last.tags
