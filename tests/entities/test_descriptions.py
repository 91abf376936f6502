"""How entities are described: names, icons, categories, classes, texts."""

import pytest
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.icon import async_get_icons
from homeassistant.helpers.translation import async_get_translations
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.clients.homeassistant.errors import Problem as RemoteProblem
from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.pipeline.export.result import Problem
from tests.shell import set_up, until
from tests.shown import ON_DEMAND, SHOWN, reading, shows

# What Home Assistant itself adds to every state.
STANDARD = {
    "device_class",
    "friendly_name",
    "icon",
    "options",
    "state_class",
    "unit_of_measurement",
}


@pytest.mark.usefixtures("everything_shown")
async def test_every_entity_has_a_category_a_translated_name_and_an_icon(
    hass: HomeAssistant, entry: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    await set_up(hass, entry)
    await until(lambda: not shows(hass, entry, "backlog", "unknown"))
    texts = await async_get_translations(hass, "en", "entity", [DOMAIN])
    icons = (await async_get_icons(hass, "entity", [DOMAIN]))[DOMAIN]
    for item in er.async_entries_for_config_entry(entity_registry, entry.entry_id):
        assert item.entity_category is EntityCategory.DIAGNOSTIC or item.domain == "button"
        assert item.has_entity_name
        prefix = f"component.{DOMAIN}.entity.{item.domain}.{item.translation_key}"
        assert item.original_name == texts[f"{prefix}.name"]
        assert "default" in icons[item.domain][item.translation_key]

        state = reading(hass, entry, item.unique_id.removeprefix(f"{entry.entry_id}_"))
        for option in state.attributes.get("options", ()):
            assert texts[f"{prefix}.state.{option}"]
        for attribute in state.attributes.keys() - STANDARD:
            assert texts[f"{prefix}.state_attributes.{attribute}.name"]


@pytest.mark.usefixtures("everything_shown")
async def test_sensors_have_the_device_and_state_classes_of_statistics(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Long-term statistics depend on it."""
    await set_up(hass, entry)
    kinds = {
        key: tuple(
            reading(hass, entry, key).attributes.get(kind)
            for kind in ("device_class", "state_class")
        )
        for key in SHOWN | ON_DEMAND
    }
    assert kinds == {
        "status": ("enum", None),
        "points_captured": (None, "total_increasing"),
        "points_written": (None, "total_increasing"),
        "points_quarantined": (None, "total_increasing"),
        "points_evicted": (None, "total_increasing"),
        "points_lost": (None, "total_increasing"),
        "points_recovered": (None, "total_increasing"),
        "points_filtered": (None, "total_increasing"),
        "points_deduplicated": (None, "total_increasing"),
        "oldest_age": ("duration", "measurement"),
        "spool_size": ("data_size", "measurement"),
        "write_latency": ("duration", "measurement"),
        "breaker": ("enum", None),
        "next_retry": ("timestamp", None),
        "backfill": (None, None),
        "last_error": (None, None),
        "current_problem": ("enum", None),
        "points_per_minute": (None, "measurement"),
        "problem": ("problem", None),
        "processor_time": ("duration", "total_increasing"),
        "queue_memory": ("data_size", "measurement"),
        "disk_written": ("data_size", "total_increasing"),
        "backlog": (None, "measurement"),
        "last_write": ("timestamp", None),
        "database_connected": ("connectivity", None),
    }


async def test_every_problem_has_a_text_where_it_is_shown(hass: HomeAssistant) -> None:
    texts = await async_get_translations(hass, "en", "entity", {DOMAIN})
    shown = [key for key in texts if key.endswith(".state_attributes.problem.name")]

    assert shown
    for key in shown:
        for problem in RemoteProblem if ".remote_connected." in key else Problem:
            assert texts[f"{key.removesuffix('name')}state.{problem}"]
