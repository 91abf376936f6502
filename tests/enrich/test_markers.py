"""Points that mark a new name or a new place of an entity."""

from collections.abc import Callable

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.const import DOMAIN
from tests.emulator import Emulator
from tests.shell import Point, deliver, points, set_up

LAMP = "light.lamp"


@pytest.fixture
def bulb(hass: HomeAssistant, device_registry: dr.DeviceRegistry) -> dr.DeviceEntry:
    """Add a device."""
    hue = MockConfigEntry(domain="hue")
    hue.add_to_hass(hass)
    return device_registry.async_get_or_create(
        config_entry_id=hue.entry_id, identifiers={("hue", "bulb")}
    )


@pytest.fixture
def lamp(entity_registry: er.EntityRegistry, bulb: dr.DeviceEntry) -> er.RegistryEntry:
    """Add an entity of the device, which has no state yet."""
    return entity_registry.async_get_or_create(
        "light",
        "hue",
        "1",
        suggested_object_id="lamp",
        original_name="Lamp",
        device_id=bulb.id,
    )


def marks(database: Emulator) -> list[Point]:
    """Read the markers."""
    kinds = {"entity_renamed", "entity_moved"}
    return [point for point in points(database) if point.tags["event_type"] in kinds]


async def test_a_new_name_is_marked_with_both_and_the_id_that_stays(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    entity_registry: er.EntityRegistry,
    lamp: er.RegistryEntry,
) -> None:
    await set_up(hass, entry)
    entity_registry.async_update_entity(LAMP, new_entity_id="light.reading")
    await deliver(hass, entry)
    (mark,) = marks(database)
    assert mark.tags["event_type"] == "entity_renamed"
    assert (mark.tags["entity_id"], mark.tags["integration"]) == ("light.reading", "hue")
    assert mark.fields["old_entity_id"] == LAMP
    assert mark.fields["new_entity_id"] == "light.reading"
    assert mark.fields["registry_id"] == lamp.id


def _move_entity(hass: HomeAssistant, lamp: er.RegistryEntry, area_id: str | None) -> None:
    er.async_get(hass).async_update_entity(lamp.entity_id, area_id=area_id)


def _move_device(hass: HomeAssistant, lamp: er.RegistryEntry, area_id: str | None) -> None:
    assert lamp.device_id
    dr.async_get(hass).async_update_device(lamp.device_id, area_id=area_id)


@pytest.mark.parametrize("move", [_move_entity, _move_device])
async def test_a_new_place_is_marked_with_both(
    hass: HomeAssistant,
    *,
    entry: MockConfigEntry,
    database: Emulator,
    area_registry: ar.AreaRegistry,
    lamp: er.RegistryEntry,
    move: Callable[[HomeAssistant, er.RegistryEntry, str | None], None],
) -> None:
    """Also of an entity that has not changed since the start."""
    kitchen, hall = area_registry.async_create("Kitchen"), area_registry.async_create("Hall")
    move(hass, lamp, kitchen.id)
    await set_up(hass, entry)
    move(hass, lamp, hall.id)
    await deliver(hass, entry)
    (mark,) = marks(database)
    assert mark.tags["event_type"] == "entity_moved"
    assert (mark.tags["entity_id"], mark.tags["area"]) == (LAMP, "Hall")
    assert (mark.fields["old_area"], mark.fields["old_area_id"]) == ("Kitchen", kitchen.id)
    assert (mark.fields["new_area"], mark.fields["new_area_id"]) == ("Hall", hall.id)


async def test_what_was_in_a_removed_area_is_marked_with_its_name(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    area_registry: ar.AreaRegistry,
    lamp: er.RegistryEntry,
) -> None:
    kitchen = area_registry.async_create("Kitchen")
    _move_device(hass, lamp, kitchen.id)
    await set_up(hass, entry)
    area_registry.async_delete(kitchen.id)
    await deliver(hass, entry)
    (mark,) = marks(database)
    assert (mark.fields["old_area"], mark.fields.get("new_area")) == ("Kitchen", None)


async def test_a_device_that_moves_leaves_the_entities_that_have_an_area_of_their_own(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    area_registry: ar.AreaRegistry,
    lamp: er.RegistryEntry,
) -> None:
    kitchen, hall = area_registry.async_create("Kitchen"), area_registry.async_create("Hall")
    _move_entity(hass, lamp, kitchen.id)
    await set_up(hass, entry)
    _move_device(hass, lamp, hall.id)
    await deliver(hass, entry)
    assert marks(database) == []


async def test_an_area_with_a_new_name_moves_nothing(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    area_registry: ar.AreaRegistry,
    lamp: er.RegistryEntry,
) -> None:
    kitchen = area_registry.async_create("Kitchen")
    _move_entity(hass, lamp, kitchen.id)
    await set_up(hass, entry)
    area_registry.async_update(kitchen.id, name="Cuisine")
    await deliver(hass, entry)
    assert marks(database) == []


async def test_our_own_entities_are_not_marked(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    area_registry: ar.AreaRegistry,
    entity_registry: er.EntityRegistry,
) -> None:
    await set_up(hass, entry)
    own = next(item for item in entity_registry.entities.values() if item.platform == DOMAIN)
    kitchen = area_registry.async_create("Kitchen")
    entity_registry.async_update_entity(own.entity_id, area_id=kitchen.id)
    entity_registry.async_update_entity(own.entity_id, new_entity_id=f"{own.domain}.renamed")
    await deliver(hass, entry)
    assert marks(database) == []


async def test_a_new_name_or_place_is_not_missed_during_a_reload(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    area_registry: ar.AreaRegistry,
    lamp: er.RegistryEntry,
) -> None:
    kitchen = area_registry.async_create("Kitchen")
    await set_up(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    _move_device(hass, lamp, kitchen.id)
    er.async_get(hass).async_update_entity(LAMP, new_entity_id="light.reading")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await deliver(hass, entry)
    moved, renamed = marks(database)
    assert (moved.tags["entity_id"], moved.fields["new_area"]) == (LAMP, "Kitchen")
    assert renamed.fields["old_entity_id"] == LAMP


@pytest.mark.usefixtures("lamp")
async def test_a_rename_of_an_entity_that_is_now_excluded_is_not_marked(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    entity_registry: er.EntityRegistry,
) -> None:
    await set_up(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    entity_registry.async_update_entity(LAMP, new_entity_id="light.reading")
    options = {"filter": {"globs": ["light.*"]}}
    hass.config_entries.async_update_entry(entry, options=options)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await deliver(hass, entry)
    assert marks(database) == []
