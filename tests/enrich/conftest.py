"""Entities of an integration in the registries, in an area, of a device and of a part of it."""

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
)

from custom_components.ha_ingestor.enrich.catalog import Catalog

LAMP = "light.lamp"


@pytest.fixture
async def catalog(hass: HomeAssistant) -> Catalog:
    """Follow the registries."""
    catalog = Catalog(hass)
    await catalog.async_start()
    return catalog


@pytest.fixture
def hue(hass: HomeAssistant) -> MockConfigEntry:
    """Add an integration that owns devices."""
    entry = MockConfigEntry(domain="hue")
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def kitchen(area_registry: ar.AreaRegistry) -> ar.AreaEntry:
    """Add an area."""
    return area_registry.async_create("Kitchen")


@pytest.fixture
def bulb(device_registry: dr.DeviceRegistry, hue: MockConfigEntry) -> dr.DeviceEntry:
    """Add a device."""
    return device_registry.async_get_or_create(
        config_entry_id=hue.entry_id,
        identifiers={("hue", "bulb")},
        manufacturer="Signify",
        model="Bulb E27",
        sw_version="1.93",
    )


@pytest.fixture
def lamp(
    entity_registry: er.EntityRegistry, hue: MockConfigEntry, bulb: dr.DeviceEntry
) -> er.RegistryEntry:
    """Add an entity of the device."""
    lamp = entity_registry.async_get_or_create(
        "light",
        "hue",
        "1",
        suggested_object_id="lamp",
        original_name="Lamp",
        config_entry=hue,
        device_id=bulb.id,
    )
    assert lamp.entity_id == LAMP
    return lamp


@pytest.fixture
def outlet(
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
    hue: MockConfigEntry,
    bulb: dr.DeviceEntry,
) -> er.RegistryEntry:
    """Add an entity of a part of the device."""
    part = device_registry.async_get_or_create_child(
        config_entry_id=hue.entry_id, parent_device_id=bulb.id, identifiers={("hue", "part")}
    )
    return entity_registry.async_get_or_create(
        "switch", "hue", "2", config_entry=hue, device_id=part.id
    )


@pytest.fixture
def upstairs(
    floor_registry: fr.FloorRegistry, area_registry: ar.AreaRegistry, kitchen: ar.AreaEntry
) -> fr.FloorEntry:
    """Put the kitchen on a floor."""
    floor = floor_registry.async_create("Upstairs")
    area_registry.async_update(kitchen.id, floor_id=floor.floor_id)
    return floor
