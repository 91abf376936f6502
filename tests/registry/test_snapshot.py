"""What the registries say, read into plain values that any database takes."""

import json
from dataclasses import asdict, replace
from enum import IntFlag, StrEnum
from typing import Any

import attr
import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import floor_registry as fr
from homeassistant.helpers import label_registry as lr
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.registry.model import Device, Entity, Home
from custom_components.ha_ingestor.registry.snapshot import (
    Registries,
    async_services,
    async_snapshot,
    describe,
)


class Mode(StrEnum):
    ECO = "eco"


class Feature(IntFlag):
    DIM = 4


@pytest.fixture
def hue(hass: HomeAssistant) -> MockConfigEntry:
    """Add an integration that owns devices."""
    entry = MockConfigEntry(domain="hue", title="Hue Bridge")
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def bulb(device_registry: dr.DeviceRegistry, hue: MockConfigEntry) -> dr.DeviceEntry:
    """Add a device."""
    return device_registry.async_get_or_create(
        config_entry_id=hue.entry_id,
        identifiers={("hue", "bulb")},
        name="Bulb",
        manufacturer="Signify",
        model="Bulb E27",
        model_id="LCA001",
        sw_version="1.93",
        hw_version="2",
        serial_number="77",
        configuration_url="http://bridge.local/",
        entry_type=dr.DeviceEntryType.SERVICE,
    )


def named(home: Home, device_id: str) -> Device:
    return next(device for device in home.devices if device.device_id == device_id)


def entity(home: Home, entity_id: str) -> Entity:
    return next(entity for entity in home.entities if entity.entity_id == entity_id)


def with_entry(registries: Registries, device: dr.DeviceEntry, **changes: Any) -> Registries:
    """Let a device entry say what the registry itself would have refused."""
    entries = tuple(
        attr.evolve(entry, **changes) if entry.id == device.id else entry
        for entry in registries.devices
    )
    return replace(registries, devices=entries)


async def test_a_device_is_described_completely(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    hue: MockConfigEntry,
    bulb: dr.DeviceEntry,
    area_registry: ar.AreaRegistry,
) -> None:
    kitchen = area_registry.async_create("Kitchen")
    bridge = device_registry.async_get_or_create(
        config_entry_id=hue.entry_id, identifiers={("hue", "bridge")}, name="Bridge"
    )
    device_registry.async_update_device(
        bulb.id,
        name_by_user="Reading lamp",
        area_id=kitchen.id,
        labels={"b", "a"},
        via_device_id=bridge.id,
        disabled_by=dr.DeviceEntryDisabler.USER,
    )

    home = await async_snapshot(hass)

    assert [device.device_id for device in home.devices] == [bridge.id, bulb.id]
    assert named(home, bulb.id) == Device(
        device_id=bulb.id,
        name="Reading lamp",
        name_by_user="Reading lamp",
        manufacturer="Signify",
        model="Bulb E27",
        model_id="LCA001",
        sw_version="1.93",
        hw_version="2",
        serial_number="77",
        area_id=kitchen.id,
        effective_area_id=kitchen.id,
        integration="hue",
        entry_type="service",
        configuration_url="http://bridge.local/",
        labels=("a", "b"),
        config_entry_id=hue.entry_id,
        via_device_id=bridge.id,
        disabled_by="user",
    )


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"name_by_user": "Mine", "name": "Bulb"}, "Mine"),
        ({"name": "Bulb"}, "Bulb"),
        ({"name": " ", "name_by_user": ""}, "Bulb E27"),
        ({"name": None, "model": None}, "Hue Bridge"),
        ({"name": None, "model": 12}, "12"),
        ({"name": "\0", "model": ""}, "Hue Bridge"),
    ],
)
async def test_a_device_always_has_a_name(
    hass: HomeAssistant, bulb: dr.DeviceEntry, changes: dict[str, Any], name: str
) -> None:
    home = describe(with_entry(Registries.async_read(hass), bulb, **changes))
    assert named(home, bulb.id).name == name


async def test_a_device_without_anything_is_called_by_its_id(
    hass: HomeAssistant, bulb: dr.DeviceEntry
) -> None:
    changes = {"name": None, "model": None, "config_entry_id": "gone"}
    home = describe(with_entry(Registries.async_read(hass), bulb, **changes))
    assert named(home, bulb.id).name == bulb.id
    assert named(home, bulb.id).integration is None


@pytest.mark.parametrize("version", [7, 1.5, ("1", "2"), Mode.ECO, "1\0", "\ud800"])
async def test_what_integrations_give_as_text_becomes_text(
    hass: HomeAssistant, bulb: dr.DeviceEntry, version: object
) -> None:
    changes = {"sw_version": version, "model_id": version, "serial_number": version}
    home = describe(with_entry(Registries.async_read(hass), bulb, **changes))
    found = named(home, bulb.id)
    for text in (found.sw_version, found.model_id, found.serial_number):
        assert type(text) is str
        assert "\0" not in text
        text.encode()


async def test_a_child_device_comes_after_its_parent_and_has_its_area(
    hass: HomeAssistant,
    hue: MockConfigEntry,
    bulb: dr.DeviceEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    device_registry, entity_registry = dr.async_get(hass), er.async_get(hass)
    area_registry = ar.async_get(hass)
    kitchen = area_registry.async_create("Kitchen")
    device_registry.async_update_device(bulb.id, area_id=kitchen.id)
    part = device_registry.async_get_or_create_child(
        config_entry_id=hue.entry_id, parent_device_id=bulb.id, identifiers={("hue", "part")}
    )
    outlet = entity_registry.async_get_or_create(
        "switch", "hue", "2", config_entry=hue, device_id=part.id
    )

    home = await async_snapshot(hass)

    assert [device.device_id for device in home.devices] == [bulb.id, part.id]
    found = named(home, part.id)
    assert (found.parent_device_id, found.manufacturer) == (bulb.id, None)
    assert (found.area_id, found.effective_area_id) == (None, kitchen.id)
    assert entity(home, outlet.entity_id).effective_area_id == kitchen.id
    assert entity(home, outlet.entity_id).effective_area_id == er.async_get_effective_area_id(
        hass, outlet
    )
    assert "does not exist on child" not in caplog.text


async def test_a_device_that_was_split_is_named_by_what_became_of_it(
    hass: HomeAssistant,
    device_registry: dr.DeviceRegistry,
    hue: MockConfigEntry,
    bulb: dr.DeviceEntry,
) -> None:
    other = MockConfigEntry(domain="zha")
    other.add_to_hass(hass)
    twin = device_registry.async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("zha", "bulb")}, name="Twin"
    )
    leaf = device_registry.async_get_or_create(
        config_entry_id=hue.entry_id, identifiers={("hue", "leaf")}, name="Leaf"
    )
    registries = Registries.async_read(hass)
    for device in (bulb, twin):
        registries = with_entry(
            registries,
            device,
            composite_device_id="old",
            composite_primary_config_entry=other.entry_id,
        )
    registries = with_entry(registries, leaf, via_device_id="old")

    home = describe(registries)

    assert {device.device_id for device in home.devices} == {bulb.id, twin.id, leaf.id}
    assert named(home, leaf.id).via_device_id == bulb.id
    strange = with_entry(registries, leaf, via_device_id="old", config_entry_id="third")
    assert named(describe(strange), leaf.id).via_device_id == twin.id


async def test_an_entity_is_described_completely(
    hass: HomeAssistant,
    entity_registry: er.EntityRegistry,
    area_registry: ar.AreaRegistry,
    hue: MockConfigEntry,
    bulb: dr.DeviceEntry,
) -> None:
    office = area_registry.async_create("Office")
    lamp = entity_registry.async_get_or_create(
        "light",
        "hue",
        "1",
        suggested_object_id="lamp",
        original_name="Lamp",
        original_icon="mdi:bulb",
        original_device_class="fancy",
        config_entry=hue,
        device_id=bulb.id,
        capabilities={"modes": [Mode.ECO], "range": (1, float("inf")), "kinds": {"b", "a"}},
        supported_features=Feature.DIM,
        unit_of_measurement="lm",
        translation_key="lamp",
        entity_category=er.EntityCategory.CONFIG,
        hidden_by=er.RegistryEntryHider.USER,
        disabled_by=er.RegistryEntryDisabler.INTEGRATION,
    )
    entity_registry.async_update_entity(
        lamp.entity_id,
        name="My lamp",
        icon="mdi:lamp",
        area_id=office.id,
        labels={"z", "a"},
        aliases=[er.COMPUTED_NAME, "reading", "light"],
    )
    entity_registry.async_update_entity_options(lamp.entity_id, "light", {"x": 1})

    assert entity(await async_snapshot(hass), "light.lamp") == Entity(
        entity_id="light.lamp",
        registry_id=lamp.id,
        platform="hue",
        unique_id="1",
        device_id=bulb.id,
        area_id=office.id,
        effective_area_id=office.id,
        disabled_by="integration",
        hidden_by="user",
        name="My lamp",
        original_name="Lamp",
        icon="mdi:lamp",
        original_icon="mdi:bulb",
        aliases=("reading", "light"),
        labels=("a", "z"),
        options={"light": {"x": 1}},
        config_entry_id=hue.entry_id,
        entity_category="config",
        device_class="fancy",
        unit_of_measurement="lm",
        supported_features=4,
        capabilities={"modes": ["eco"], "range": [1, None], "kinds": ["a", "b"]},
        translation_key="lamp",
    )


async def test_secrets_in_options_and_in_an_address_are_left_out(
    hass: HomeAssistant,
    entity_registry: er.EntityRegistry,
    device_registry: dr.DeviceRegistry,
    hue: MockConfigEntry,
    bulb: dr.DeviceEntry,
) -> None:
    door = entity_registry.async_get_or_create("lock", "hue", "1", suggested_object_id="door")
    for domain in ("lock", "alarm_control_panel"):
        said = {"default_code": "1234", "more": {"api_key": "1234", "size": 3}}
        entity_registry.async_update_entity_options(door.entity_id, domain, said)
    for url, shown in (
        ("http://admin:1234@lamp.local/setup", "http://...@lamp.local/setup"),
        ("https://lamp.local/?a=1&token=1234", "https://lamp.local/?a=1&token=..."),
        ("homeassistant://hassio/addon/lamp", "homeassistant://hassio/addon/lamp"),
    ):
        device_registry.async_update_device(bulb.id, configuration_url=url)
        home = await async_snapshot(hass)
        (device,) = (each for each in home.devices if each.device_id == bulb.id)
        assert device.configuration_url == shown

    kept = {"more": {"size": 3}}
    assert entity(home, "lock.door").options == {"lock": kept, "alarm_control_panel": kept}


@pytest.mark.parametrize("unique_id", [17, ("a", 1), 1.5])
async def test_a_unique_id_that_is_no_text_becomes_text(
    hass: HomeAssistant, entity_registry: er.EntityRegistry, unique_id: Any
) -> None:
    entity_registry.async_get_or_create("light", "hue", unique_id, suggested_object_id="lamp")
    assert entity(await async_snapshot(hass), "light.lamp").unique_id == str(unique_id)


async def test_areas_floors_and_labels_are_described(
    hass: HomeAssistant,
    area_registry: ar.AreaRegistry,
    floor_registry: fr.FloorRegistry,
    label_registry: lr.LabelRegistry,
) -> None:
    floor = floor_registry.async_create("Upstairs", level=1, aliases={"up", "above"})
    label = label_registry.async_create("Holiday", color="red", description="Lights", icon="mdi:x")
    area_registry.async_create(
        "Attic", floor_id=floor.floor_id, labels={label.label_id}, aliases={"roof"}
    )

    home = await async_snapshot(hass)

    (area,) = home.areas
    assert (area.area_id, area.name, area.floor_id) == ("attic", "Attic", "upstairs")
    assert (area.labels, area.aliases) == (("holiday",), ("roof",))
    (found,) = home.floors
    assert (found.name, found.level, found.aliases) == ("Upstairs", 1, ("above", "up"))
    assert asdict(home.labels[0]) == {
        "label_id": "holiday",
        "name": "Holiday",
        "description": "Lights",
        "color": "red",
        "icon": "mdi:x",
    }


@pytest.mark.usefixtures("bulb")
async def test_two_snapshots_of_an_unchanged_home_are_equal(hass: HomeAssistant) -> None:
    assert await async_snapshot(hass) == await async_snapshot(hass)


async def test_actions_are_described_by_domain(hass: HomeAssistant) -> None:
    hass.services.async_register("lights", "blink", lambda call: None)
    services = await async_services(hass)
    assert services["lights"]["blink"] == {"fields": {}}
    json.dumps(services, allow_nan=False)
