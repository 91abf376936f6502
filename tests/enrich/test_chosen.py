"""Which entities are captured, and by which rules: as the registries say now."""

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers import label_registry as lr
from homeassistant.helpers.entity import EntityCategory

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.enrich.catalog import Catalog
from custom_components.ha_ingestor.enrich.describe import EXCLUDED, OWN_ENTITY
from custom_components.ha_ingestor.enrich.selection import EntityFilter, Match
from custom_components.ha_ingestor.pipeline.model import NO_RULES, Rules

LAMP = "light.lamp"


async def test_what_is_excluded_is_filtered_and_is_not_when_it_does_not_fit_any_more(
    hass: HomeAssistant,
    entity_registry: er.EntityRegistry,
    label_registry: lr.LabelRegistry,
    lamp: er.RegistryEntry,
) -> None:
    private = label_registry.async_create("Private")
    catalog = Catalog(
        hass, entity_filter=EntityFilter(exclude=Match(labels=frozenset({private.label_id})))
    )
    await catalog.async_start()
    assert catalog[LAMP].filtered == ""
    entity_registry.async_update_entity(LAMP, labels={private.label_id})
    assert catalog[LAMP].filtered == EXCLUDED
    label_registry.async_update(private.label_id, name="Secret")
    assert catalog[LAMP].filtered == EXCLUDED
    entity_registry.async_update_entity(LAMP, labels=set())
    assert catalog[LAMP].filtered == ""


@pytest.mark.parametrize(
    "match",
    [
        pytest.param(Match(device_classes=frozenset({"power"})), id="device class"),
        pytest.param(Match(domains=frozenset({"sensor"})), id="domain"),
        pytest.param(Match(entities=frozenset({"sensor.a"})), id="entity"),
        pytest.param(Match(globs=("*.a",)), id="glob"),
    ],
)
async def test_an_entity_without_registry_entry_can_be_chosen_by_what_is_seen_of_it(
    hass: HomeAssistant, match: Match
) -> None:
    hass.states.async_set("sensor.a", "1", {"device_class": "power"})
    rules = Rules(heartbeat=60.0)
    assert Catalog(hass, entity_filter=EntityFilter(exclude=match))["sensor.a"].filtered == EXCLUDED
    assert Catalog(hass, rules=((match, rules),))["sensor.a"].rules == rules
    assert Catalog(hass, rules=((match, rules),))["light.b"].rules is NO_RULES


async def test_rules_follow_the_registry(
    hass: HomeAssistant, entity_registry: er.EntityRegistry, lamp: er.RegistryEntry
) -> None:
    seldom = Rules(throttle=5.0)
    catalog = Catalog(hass, rules=((Match(device_classes=frozenset({"outlet"})), seldom),))
    await catalog.async_start()
    assert catalog[LAMP].rules is NO_RULES
    entity_registry.async_update_entity(LAMP, device_class="outlet")
    assert catalog[LAMP].rules == seldom


async def test_the_area_and_the_integration_choose_too(
    hass: HomeAssistant,
    entity_registry: er.EntityRegistry,
    kitchen: ar.AreaEntry,
    lamp: er.RegistryEntry,
) -> None:
    entity_registry.async_update_entity(LAMP, area_id=kitchen.id)
    for match in (Match(areas=frozenset({kitchen.id})), Match(integrations=frozenset({"hue"}))):
        assert Catalog(hass, entity_filter=EntityFilter(exclude=match))[LAMP].filtered == EXCLUDED


async def test_the_floor_the_device_and_its_parts_and_the_category_choose_too(
    hass: HomeAssistant,
    kitchen: ar.AreaEntry,
    lamp: er.RegistryEntry,
    bulb: dr.DeviceEntry,
    outlet: er.RegistryEntry,
) -> None:
    ground = fr.async_get(hass).async_create("Ground")
    ar.async_get(hass).async_update(kitchen.id, floor_id=ground.floor_id)
    er.async_get(hass).async_update_entity(
        LAMP, area_id=kitchen.id, entity_category=EntityCategory.DIAGNOSTIC
    )
    assert outlet.device_id
    for entity_id, match in (
        (LAMP, Match(floors=frozenset({ground.floor_id}))),
        (LAMP, Match(categories=frozenset({"diagnostic"}))),
        (LAMP, Match(devices=frozenset({bulb.id}))),
        (outlet.entity_id, Match(devices=frozenset({bulb.id}))),
        (outlet.entity_id, Match(devices=frozenset({outlet.device_id}))),
    ):
        excluding, including = EntityFilter(exclude=match), EntityFilter(include=match)
        assert Catalog(hass, entity_filter=excluding)[entity_id].filtered == EXCLUDED
        assert Catalog(hass, entity_filter=including)[entity_id].filtered == ""
        assert Catalog(hass, entity_filter=including)["sensor.other"].filtered == EXCLUDED
    only_part = EntityFilter(include=Match(devices=frozenset({outlet.device_id})))
    assert Catalog(hass, entity_filter=only_part)[LAMP].filtered == EXCLUDED


async def test_what_is_included_follows_the_registries(
    hass: HomeAssistant, kitchen: ar.AreaEntry, lamp: er.RegistryEntry
) -> None:
    area_registry, floor_registry = ar.async_get(hass), fr.async_get(hass)
    ground = floor_registry.async_create("Ground")
    match = Match(floors=frozenset({ground.floor_id}))
    catalog = Catalog(hass, entity_filter=EntityFilter(include=match))
    await catalog.async_start()
    assert catalog[LAMP].filtered == EXCLUDED
    er.async_get(hass).async_update_entity(LAMP, area_id=kitchen.id)
    assert catalog[LAMP].filtered == EXCLUDED
    area_registry.async_update(kitchen.id, floor_id=ground.floor_id)
    assert catalog[LAMP].filtered == ""
    floor_registry.async_delete(ground.floor_id)
    assert catalog[LAMP].filtered == EXCLUDED
    catalog.async_stop()


async def test_our_own_entities_are_filtered(
    catalog: Catalog, entity_registry: er.EntityRegistry
) -> None:
    entity_registry.async_get_or_create("sensor", DOMAIN, "1", suggested_object_id="backlog")
    assert catalog["sensor.backlog"].filtered == OWN_ENTITY
