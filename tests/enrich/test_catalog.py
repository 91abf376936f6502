"""What the registries say of an entity, at the moment of its event."""

import asyncio

import pytest
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers import label_registry as lr
from homeassistant.helpers.entity import EntityCategory
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    mock_device_registry,
)

from custom_components.ha_ingestor.enrich.catalog import Catalog
from tests.shell import deliver, set_up

LAMP = "light.lamp"


async def test_an_entity_without_registry_entry_is_what_its_id_says(catalog: Catalog) -> None:
    context = catalog["sensor.template"]
    assert (context.entity_id, context.domain) == ("sensor.template", "sensor")
    assert context.filtered == ""
    assert [context.integration, context.device_id, context.area_id, context.area] == [""] * 4


async def test_an_entity_is_looked_up_once_as_long_as_nothing_changes(catalog: Catalog) -> None:
    assert catalog["sensor.template"] is catalog["sensor.template"]


@pytest.mark.usefixtures("lamp")
async def test_device_and_integration_describe_the_entity(
    catalog: Catalog, bulb: dr.DeviceEntry
) -> None:
    context = catalog[LAMP]
    assert context.domain == "light"
    assert context.integration == "hue"
    assert context.device_id == bulb.id
    assert context.manufacturer == "Signify"
    assert context.model == "Bulb E27"
    assert context.sw_version == "1.93"


async def test_an_entity_without_a_device_has_its_integration(
    catalog: Catalog, entity_registry: er.EntityRegistry
) -> None:
    entity_registry.async_get_or_create("sensor", "sun", "1", suggested_object_id="dawn")
    context = catalog["sensor.dawn"]
    assert (context.integration, context.device_id, context.model) == ("sun", "", "")


@pytest.mark.usefixtures("lamp")
async def test_the_area_of_the_device_is_the_area_of_the_entity(
    catalog: Catalog,
    device_registry: dr.DeviceRegistry,
    bulb: dr.DeviceEntry,
    kitchen: ar.AreaEntry,
) -> None:
    device_registry.async_update_device(bulb.id, area_id=kitchen.id)
    assert (catalog[LAMP].area_id, catalog[LAMP].area) == (kitchen.id, "Kitchen")


@pytest.mark.usefixtures("lamp")
async def test_the_entitys_own_area_comes_before_that_of_its_device(
    catalog: Catalog,
    area_registry: ar.AreaRegistry,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
    bulb: dr.DeviceEntry,
) -> None:
    hall, attic = area_registry.async_create("Hall"), area_registry.async_create("Attic")
    device_registry.async_update_device(bulb.id, area_id=attic.id)
    entity_registry.async_update_entity(LAMP, area_id=hall.id)
    assert catalog[LAMP].area == "Hall"


async def test_a_child_device_has_the_area_and_the_make_of_its_parent(
    catalog: Catalog,
    device_registry: dr.DeviceRegistry,
    bulb: dr.DeviceEntry,
    outlet: er.RegistryEntry,
    kitchen: ar.AreaEntry,
) -> None:
    device_registry.async_update_device(bulb.id, area_id=kitchen.id)
    context = catalog[outlet.entity_id]
    assert context.device_id == outlet.device_id != bulb.id
    assert (context.area, context.manufacturer) == ("Kitchen", "Signify")


async def test_an_area_with_a_new_name_is_known_by_it(
    catalog: Catalog,
    area_registry: ar.AreaRegistry,
    entity_registry: er.EntityRegistry,
    lamp: er.RegistryEntry,
    kitchen: ar.AreaEntry,
) -> None:
    entity_registry.async_update_entity(lamp.entity_id, area_id=kitchen.id)
    assert catalog[LAMP].area == "Kitchen"
    area_registry.async_update(kitchen.id, name="Cuisine")
    assert (catalog[LAMP].area_id, catalog[LAMP].area) == (kitchen.id, "Cuisine")


async def test_a_removed_area_is_forgotten(
    catalog: Catalog,
    area_registry: ar.AreaRegistry,
    entity_registry: er.EntityRegistry,
    lamp: er.RegistryEntry,
    kitchen: ar.AreaEntry,
) -> None:
    entity_registry.async_update_entity(lamp.entity_id, area_id=kitchen.id)
    assert catalog[LAMP].area == "Kitchen"
    area_registry.async_delete(kitchen.id)
    assert (catalog[LAMP].area_id, catalog[LAMP].area) == ("", "")


async def test_a_moved_entity_is_where_it_is_now(
    catalog: Catalog,
    area_registry: ar.AreaRegistry,
    entity_registry: er.EntityRegistry,
    lamp: er.RegistryEntry,
    kitchen: ar.AreaEntry,
) -> None:
    entity_registry.async_update_entity(lamp.entity_id, area_id=kitchen.id)
    assert catalog[LAMP].area == "Kitchen"
    hall = area_registry.async_create("Hall")
    entity_registry.async_update_entity(lamp.entity_id, area_id=hall.id)
    assert catalog[LAMP].area == "Hall"


@pytest.mark.usefixtures("lamp")
async def test_a_moved_device_takes_its_entities_along(
    catalog: Catalog,
    area_registry: ar.AreaRegistry,
    device_registry: dr.DeviceRegistry,
    bulb: dr.DeviceEntry,
    kitchen: ar.AreaEntry,
) -> None:
    device_registry.async_update_device(bulb.id, area_id=kitchen.id)
    assert catalog[LAMP].area == "Kitchen"
    hall = area_registry.async_create("Hall")
    device_registry.async_update_device(bulb.id, area_id=hall.id)
    assert catalog[LAMP].area == "Hall"


async def test_a_moved_parent_takes_the_entities_of_its_children_along(
    catalog: Catalog,
    device_registry: dr.DeviceRegistry,
    bulb: dr.DeviceEntry,
    outlet: er.RegistryEntry,
    kitchen: ar.AreaEntry,
) -> None:
    assert catalog[outlet.entity_id].area == ""
    device_registry.async_update_device(bulb.id, area_id=kitchen.id)
    assert catalog[outlet.entity_id].area == "Kitchen"


@pytest.mark.usefixtures("lamp")
async def test_updated_software_shows_with_the_next_event(
    catalog: Catalog, device_registry: dr.DeviceRegistry, bulb: dr.DeviceEntry
) -> None:
    assert catalog[LAMP].sw_version == "1.93"
    device_registry.async_update_device(bulb.id, sw_version="2.0", model="Bulb E14")
    assert (catalog[LAMP].sw_version, catalog[LAMP].model) == ("2.0", "Bulb E14")


async def test_an_entity_given_to_another_device_is_described_by_that_one(
    catalog: Catalog,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
    hue: MockConfigEntry,
    lamp: er.RegistryEntry,
) -> None:
    assert catalog[LAMP].model == "Bulb E27"
    strip = device_registry.async_get_or_create(
        config_entry_id=hue.entry_id, identifiers={("hue", "strip")}, model="Strip"
    )
    entity_registry.async_update_entity(lamp.entity_id, device_id=strip.id)
    assert (catalog[LAMP].device_id, catalog[LAMP].model) == (strip.id, "Strip")


async def test_an_entity_that_gets_a_registry_entry_is_described_by_it(
    catalog: Catalog, entity_registry: er.EntityRegistry
) -> None:
    assert catalog["sensor.dawn"].integration == ""
    entity_registry.async_get_or_create("sensor", "sun", "1", suggested_object_id="dawn")
    assert catalog["sensor.dawn"].integration == "sun"


async def test_numbers_that_an_older_home_assistant_stored_as_text_become_text(
    hass: HomeAssistant, entity_registry: er.EntityRegistry, hue: MockConfigEntry
) -> None:
    old = dr.DeviceEntry(config_entry_id=hue.entry_id, manufacturer=7, model=2.5, sw_version=0)  # type: ignore[arg-type]
    mock_device_registry(hass, {old.id: old})
    entity_registry.async_get_or_create(
        "light", "hue", "1", suggested_object_id="lamp", config_entry=hue, device_id=old.id
    )
    context = Catalog(hass)[LAMP]
    assert [context.manufacturer, context.model, context.sw_version] == ["7", "2.5", "0"]


async def test_an_entity_has_an_id_that_stays_and_a_category(
    catalog: Catalog, entity_registry: er.EntityRegistry, lamp: er.RegistryEntry
) -> None:
    assert (catalog[LAMP].registry_id, catalog[LAMP].entity_category) == (lamp.id, "")
    entity_registry.async_update_entity(LAMP, entity_category=EntityCategory.DIAGNOSTIC)
    assert catalog[LAMP].entity_category == "diagnostic"


@pytest.mark.usefixtures("lamp")
async def test_a_device_is_called_what_the_user_calls_it(
    catalog: Catalog, device_registry: dr.DeviceRegistry, bulb: dr.DeviceEntry
) -> None:
    device_registry.async_update_device(bulb.id, name="Hue bulb 1")
    assert catalog[LAMP].device == "Hue bulb 1"
    device_registry.async_update_device(bulb.id, name_by_user="Reading lamp")
    assert catalog[LAMP].device == "Reading lamp"


async def test_a_child_device_has_its_own_name(
    catalog: Catalog,
    device_registry: dr.DeviceRegistry,
    bulb: dr.DeviceEntry,
    outlet: er.RegistryEntry,
) -> None:
    assert outlet.device_id
    device_registry.async_update_device(bulb.id, name_by_user="Strip")
    device_registry.async_update_child_device(outlet.device_id, name_by_user="Outlet 2")
    assert catalog[outlet.entity_id].device == "Outlet 2"


@pytest.mark.usefixtures("lamp")
async def test_the_floor_is_that_of_the_area_under_its_present_name(
    catalog: Catalog,
    *,
    area_registry: ar.AreaRegistry,
    device_registry: dr.DeviceRegistry,
    floor_registry: fr.FloorRegistry,
    bulb: dr.DeviceEntry,
    kitchen: ar.AreaEntry,
    upstairs: fr.FloorEntry,
) -> None:
    device_registry.async_update_device(bulb.id, area_id=kitchen.id)
    assert catalog[LAMP].floor == "Upstairs"
    floor_registry.async_update(upstairs.floor_id, name="First floor")
    assert catalog[LAMP].floor == "First floor"
    attic = floor_registry.async_create("Attic")
    area_registry.async_update(kitchen.id, floor_id=attic.floor_id)
    assert catalog[LAMP].floor == "Attic"
    floor_registry.async_delete(attic.floor_id)
    assert catalog[LAMP].floor == ""


@pytest.mark.usefixtures("lamp", "upstairs")
async def test_floors_in_another_order_change_nothing(
    catalog: Catalog, floor_registry: fr.FloorRegistry
) -> None:
    attic = floor_registry.async_create("Attic")
    known = catalog[LAMP]
    floor_registry.async_reorder(
        [attic.floor_id, *(floor.floor_id for floor in floor_registry.async_list_floors())][:2]
    )
    assert catalog[LAMP] is known


@pytest.mark.usefixtures("lamp")
async def test_labels_are_those_of_entity_and_device_under_their_present_names(
    catalog: Catalog,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
    label_registry: lr.LabelRegistry,
    bulb: dr.DeviceEntry,
) -> None:
    zigbee, cosy = label_registry.async_create("Zigbee"), label_registry.async_create("Cosy")
    device_registry.async_update_device(bulb.id, labels={zigbee.label_id})
    entity_registry.async_update_entity(LAMP, labels={cosy.label_id})
    assert catalog[LAMP].labels == ("Cosy", "Zigbee")
    label_registry.async_update(cosy.label_id, name="Snug")
    assert catalog[LAMP].labels == ("Snug", "Zigbee")
    label_registry.async_update(zigbee.label_id, name="Mesh")
    assert catalog[LAMP].labels == ("Mesh", "Snug")
    label_registry.async_delete(zigbee.label_id)
    label_registry.async_delete(cosy.label_id)
    assert catalog[LAMP].labels == ()


@pytest.mark.usefixtures("lamp")
async def test_only_what_a_change_touches_is_described_again(
    catalog: Catalog,
    *,
    area_registry: ar.AreaRegistry,
    entity_registry: er.EntityRegistry,
    floor_registry: fr.FloorRegistry,
    label_registry: lr.LabelRegistry,
    kitchen: ar.AreaEntry,
    upstairs: fr.FloorEntry,
) -> None:
    label = label_registry.async_create("Cosy")
    elsewhere = area_registry.async_create("Hall")
    entity_registry.async_update_entity(LAMP, area_id=elsewhere.id)
    known = catalog[LAMP]
    area_registry.async_update(kitchen.id, name="Cuisine")
    floor_registry.async_update(upstairs.floor_id, name="First floor")
    label_registry.async_update(label.label_id, name="Snug")
    assert catalog[LAMP] is known


async def test_an_entity_that_vanishes_during_an_event_keeps_what_is_known_of_it(
    hass: HomeAssistant,
    catalog: Catalog,
    entity_registry: er.EntityRegistry,
    lamp: er.RegistryEntry,
) -> None:
    """Registry events of a listener wait for the end of the dispatch, the registry does not."""

    @callback
    def async_change_and_remove(_event: Event) -> None:
        entity_registry.async_update_entity(LAMP, name="Once more")
        entity_registry.async_remove(LAMP)

    hass.bus.async_listen_once("now", async_change_and_remove)
    hass.bus.async_fire("now")
    assert catalog[LAMP].registry_id == lamp.id


async def test_what_is_known_does_not_grow_with_every_id_that_ever_was(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    hue: MockConfigEntry,
) -> None:
    """Some integrations make an entity for each of their jobs, and remove it again."""
    await set_up(hass, entry)
    catalog = entry.runtime_data.source._catalog
    size = len(catalog)
    for number in range(50):
        made = entity_registry.async_get_or_create("sensor", "hue", f"j{number}", config_entry=hue)
        entity_registry.async_update_entity(made.entity_id, name="Job")
        renamed = entity_registry.async_update_entity(
            made.entity_id, new_entity_id=f"sensor.job_{number}"
        )
        entity_registry.async_remove(renamed.entity_id)
        hass.states.async_set(f"sensor.short_{number}", "1")
        hass.states.async_remove(f"sensor.short_{number}")
    await hass.async_block_till_done()
    assert len(catalog) == size
    await deliver(hass, entry)


async def test_a_change_while_the_registries_are_read_is_not_missed(
    hass: HomeAssistant, entity_registry: er.EntityRegistry, hue: MockConfigEntry
) -> None:
    """They are too many for one go."""
    made = [
        entity_registry.async_get_or_create("sensor", "hue", f"n{number}", config_entry=hue)
        for number in range(2_000)
    ]
    catalog = Catalog(hass)
    reading = hass.async_create_task(catalog.async_start())
    await asyncio.sleep(0)
    assert not reading.done()
    area = ar.async_get(hass).async_create("Attic")
    for each in (made[0], made[-2]):
        entity_registry.async_update_entity(each.entity_id, area_id=area.id)
    entity_registry.async_remove(made[-1].entity_id)
    await reading
    assert [catalog[each.entity_id].area for each in (made[0], made[-2])] == ["Attic", "Attic"]
    assert made[-1].entity_id not in catalog
    catalog.async_stop()


async def test_a_stopped_catalog_keeps_its_descriptions(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    lamp: er.RegistryEntry,
    bulb: dr.DeviceEntry,
) -> None:
    """Two catalogs that both live through a reload would each do the work of the other."""
    catalog = Catalog(hass)
    await catalog.async_start()
    assert catalog[lamp.entity_id].sw_version == "1.93"
    catalog.async_stop()
    device_registry.async_update_device(bulb.id, sw_version="2.0")
    assert catalog[lamp.entity_id].sw_version == "1.93"
