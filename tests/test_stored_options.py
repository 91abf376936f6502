"""Options that nobody could have entered end nothing silently, wherever they come from."""

from collections.abc import Callable
from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryState, ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.flows.options import PAGES
from custom_components.ha_ingestor.options.attributes import attributes_policy
from custom_components.ha_ingestor.options.core import core_settings
from custom_components.ha_ingestor.options.events import captures_reports, event_types
from custom_components.ha_ingestor.options.filter import entity_filter
from custom_components.ha_ingestor.options.history import gap_days
from custom_components.ha_ingestor.options.noise import deduplication_window, rule_table
from custom_components.ha_ingestor.options.points import chosen_tags, profile_page
from custom_components.ha_ingestor.options.spool import delivery_settings, spool_settings
from custom_components.ha_ingestor.options.weather import weather_entity, weather_max_age
from custom_components.ha_ingestor.pipeline.encode.attributes import AttributesPolicy
from tests.emulator import Emulator
from tests.pages import confirm, fill_in, open_page
from tests.shell import deliver, new_entry, points, set_up, until

ABSURD: list[Any] = [
    *("x", 5, -1, 1e21, True, ["x"], [None], [5], {"x": 1}, [{"x": 1}], [["x"]], "\ud800"),
    *(10**400, [{"name": 5}], [{"name": "A", "entities": 5}]),
]
OF_BEHAVIOUR = (
    *(("spool", "durability"), ("spool", "full"), ("spool", "compress"), ("events", "types")),
    *(("events", "reported"), ("noise", "rules"), ("noise", "window"), ("weather", "entity")),
    *(("weather", "max_age"), ("history", "gap_days"), ("spool", None), ("noise", None)),
)
OF_POINTS = (
    *(("points", "profile"), ("homeiq", "availability"), ("homeiq", "tags"), ("filter", "include")),
    *(("filter", "domains"), ("filter", "entities"), ("attributes", "drop"), ("filter", None)),
    *(("attributes", "shape"), ("attributes", "coordinates"), ("points", None)),
)


def issue(hass: HomeAssistant, entry: MockConfigEntry, key: str) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"options_{entry.entry_id}_{key}")


def stored(page: str, name: str | None, value: Any) -> dict[str, Any]:
    return {page: value if name is None else {name: value}}


def names_in(found: ir.IssueEntry | None) -> str:
    assert found
    assert found.translation_placeholders
    return found.translation_placeholders["options"]


FIELDS = [(key, name) for key, page in PAGES.items() for name in (*page.defaults, None)]


@pytest.mark.parametrize(("page", "name"), FIELDS)
def test_every_page_can_be_read_whatever_is_stored(page: str, name: str | None) -> None:
    for value in ABSURD:
        options = stored(page, name, value)
        for each in PAGES.values():
            assert each.read(options).keys() >= each.defaults.keys()
        read: list[Callable[[Any], object]] = [
            *(spool_settings, delivery_settings, rule_table, deduplication_window, event_types),
            *(captures_reports, weather_entity, weather_max_age, gap_days, entity_filter),
            *(profile_page, chosen_tags, core_settings),
            lambda found: attributes_policy(found, AttributesPolicy()),
        ]
        for reader in read:
            reader(options)


@pytest.mark.parametrize(("page", "name"), OF_BEHAVIOUR)
async def test_behaviour_that_cannot_be_read_is_the_default_and_every_point_is_captured(
    hass: HomeAssistant, database: Emulator, page: str, name: str | None
) -> None:
    entry = new_entry(database.url)
    await set_up(hass, entry, stored(page, name, [5]))
    assert page in names_in(issue(hass, entry, "options_replaced"))
    hass.states.async_set("sensor.a", "1")
    await deliver(hass, entry)
    assert points(database, "sensor.a")
    await hass.config_entries.async_remove(entry.entry_id)
    assert not [each for _, each in ir.async_get(hass).issues if entry.entry_id in each]


@pytest.mark.parametrize(("page", "name"), OF_POINTS)
async def test_nothing_is_guessed_of_what_is_recorded_and_how(
    hass: HomeAssistant, database: Emulator, page: str, name: str | None
) -> None:
    entry = new_entry(database.url)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options=stored(page, name, [5]))
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.error_reason_translation_key == "options_not_usable"
    told = issue(hass, entry, "options_not_usable")
    assert page in names_in(told)
    assert told
    assert told.severity is ir.IssueSeverity.ERROR
    assert database.writes == []
    await hass.config_entries.async_remove(entry.entry_id)


async def test_an_option_of_a_newer_version_is_named_until_its_page_was_submitted(
    hass: HomeAssistant, database: Emulator
) -> None:
    entry = new_entry(database.url)
    await set_up(hass, entry, {"spool": {"durability": "quantum", "max_size": 64}})

    told = issue(hass, entry, "options_replaced")
    assert names_in(told) == "spool.durability"
    assert told
    assert told.severity is ir.IssueSeverity.WARNING
    # Saving another page leaves it as it is.
    await fill_in(hass, await open_page(hass, entry, "history"), gap_days=2)
    await hass.async_block_till_done()
    assert entry.options["spool"] == {"durability": "quantum", "max_size": 64}
    assert issue(hass, entry, "options_replaced")

    page = await open_page(hass, entry, "spool")
    assert page["data_schema"]
    shown = {
        str(key): key.description["suggested_value"]
        for key in page["data_schema"].schema
        if key.description
    }
    assert shown["durability"] == "balanced"
    assert shown["max_size"] == 64
    await fill_in(hass, page, **shown)
    await hass.async_block_till_done()

    assert issue(hass, entry, "options_replaced") is None
    assert entry.options["spool"]["durability"] == "balanced"
    assert entry.state is ConfigEntryState.LOADED


async def test_an_unknown_profile_is_chosen_again_in_the_options(
    hass: HomeAssistant, database: Emulator
) -> None:
    entry = new_entry(database.url)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options={"points": {"profile": "quantum"}})
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert names_in(issue(hass, entry, "options_not_usable")) == "points.profile"

    result = await fill_in(hass, await open_page(hass, entry, "points"), profile="tidy")
    if result["type"] is FlowResultType.FORM:
        result = await fill_in(hass, result, availability="marker", convert_units=False)
    while result["type"] is FlowResultType.MENU:
        result = await confirm(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await until(lambda: entry.state is ConfigEntryState.LOADED)

    assert issue(hass, entry, "options_not_usable") is None
    hass.states.async_set("sensor.a", "5")
    await deliver(hass, entry)
    assert [one.fields for one in points(database, "sensor.a")] == [{"value": 5.0}]


async def test_what_can_be_read_of_a_list_stays(hass: HomeAssistant, database: Emulator) -> None:
    entry = new_entry(database.url)
    rules = [
        {"name": "A", "entities": ["sensor.a"], "throttle": 3600},
        {"name": "B", "entities": 5, "throttle": 3600},
        "x",
    ]
    options = {
        "noise": {"rules": rules},
        "events": {"types": ["one", 2]},
        "filter": {"domains": "light"},
    }
    await set_up(hass, entry, options)
    assert names_in(issue(hass, entry, "options_replaced")) == "events.types, noise.rules"
    assert issue(hass, entry, "options_not_usable") is None
    for value in ("1", "2"):
        hass.states.async_set("sensor.a", value)
        hass.states.async_set("sensor.b", value)
        hass.states.async_set("light.a", value)
        hass.bus.async_fire("one", {"a": value})
        await hass.async_block_till_done()
    await deliver(hass, entry)
    assert len(points(database, "sensor.a")) == 1
    assert len(points(database, "sensor.b")) == 2
    assert points(database, "light.a") == []
    assert len([one for one in points(database) if one.tags["event_type"] == "one"]) == 2


@pytest.mark.parametrize(
    "topics", [5, None, "x", ["x"], [{"topic": 5}], [{"topic": "a/#/b"}], [{}]]
)
async def test_topics_that_cannot_be_read_stop_nothing(
    hass: HomeAssistant, database: Emulator, topics: Any
) -> None:
    mqtt = ConfigSubentryData(
        data={"topics": topics}, subentry_type="mqtt", title="Topics", unique_id=None
    )
    before = new_entry(database.url)
    entry = MockConfigEntry(
        domain=DOMAIN, title="Attic", data=dict(before.data), subentries_data=[mqtt]
    )
    await set_up(hass, entry)
    assert names_in(issue(hass, entry, "options_replaced")) == "Topics: topics"
    hass.states.async_set("sensor.a", "1")
    await deliver(hass, entry)
    assert points(database, "sensor.a")
