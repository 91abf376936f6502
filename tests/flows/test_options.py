"""Changing how a destination behaves, while it runs and has a backlog."""

import asyncio
from collections.abc import Iterator
from typing import Any, Final

import pytest
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.enrich.selection import EVERYTHING, Match
from custom_components.ha_ingestor.flows.filter_preview import PREVIEWS, SAVE, SAVE_ANYWAY
from custom_components.ha_ingestor.flows.fits_nothing import FITS_NOTHING
from custom_components.ha_ingestor.flows.options import CONFIRM, MENUS, PAGES
from custom_components.ha_ingestor.flows.series_changes import STEPS
from custom_components.ha_ingestor.flows.write_history import (
    COUNTED,
    PROGRESS,
    SCHEMA,
    WRITE_HISTORY,
)
from custom_components.ha_ingestor.options.filter import entity_filter
from custom_components.ha_ingestor.options.mqtt import PRESETS_SCHEMA
from custom_components.ha_ingestor.options.noise import RULE_FIELDS, rule_table
from custom_components.ha_ingestor.options.spool import (
    delivery_settings,
    spool_settings,
)
from custom_components.ha_ingestor.options.weather import weather_entity, weather_max_age
from custom_components.ha_ingestor.pipeline.export.settings import DeliverySettings
from custom_components.ha_ingestor.pipeline.model import NO_RULES, Rules
from custom_components.ha_ingestor.pipeline.spool.durability import Durability
from custom_components.ha_ingestor.pipeline.spool.settings import SpoolSettings, WhenFull
from tests.emulator import Answer, Emulator
from tests.flows.steps import enter, locate, suggested, told
from tests.pages import WORDS, confirm, explained, fields, fill_in, open_page, save
from tests.shell import NOWHERE, new_entry, points, set_up, until, unzipped

BUSY = Answer(status=503, body='{"error":"timeout"}')
MIB = 1024 * 1024
SPOOL = {
    "durability": "strict",
    "max_size": 64,
    "max_age": 7,
    "min_free": 100,
    "compress": False,
    "gather": 20,
    "expired": "evict",
    "request_points": 250,
    "longest_pause": 600,
    "failures_to_open": 1,
    "full": "newest",
}


async def pending(entry: MockConfigEntry) -> int:
    """Count the points that wait on the disk."""
    return int((await entry.runtime_data.pipeline.snapshot()).pending)


async def with_backlog(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator, states: str
) -> None:
    """Capture what the database does not take."""
    database.impostor = BUSY
    await set_up(hass, entry)
    for state in states:
        hass.states.async_set("sensor.a", state)
    await entry.runtime_data.pipeline.flush()
    assert await pending(entry) == len(states)


async def test_options_change_with_a_backlog_which_is_kept(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await with_backlog(hass, entry, database, "abc")
    before = entry.runtime_data
    page = await open_page(hass, entry, "spool")
    result = await fill_in(hass, page, **SPOOL)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.state is ConfigEntryState.LOADED
    assert entry.runtime_data is not before
    await entry.runtime_data.pipeline.flush()
    snapshot = await entry.runtime_data.pipeline.snapshot()
    assert snapshot.spool_limit == 64 * MIB
    assert (snapshot.pending, snapshot.ledger["captured"]) == (4, 4)

    database.impostor = None
    await entry.runtime_data.pipeline.flush()
    await until(lambda: len(points(database)) == 4)
    assert [point.fields["state"] for point in points(database)] == ["a", "b", "c", "1"]


async def test_the_backlog_is_delivered_to_the_reconfigured_address(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await with_backlog(hass, entry, database, "abc")
    async with Emulator(profile=database.profile) as other:
        result = await locate(hass, other.url, result=await entry.start_reconfigure_flow(hass))
        result = await enter(hass, result, database="home_assistant")
        assert result["reason"] == "reconfigure_successful"
        hass.states.async_set("sensor.a", "d")
        await hass.async_block_till_done()
        await entry.runtime_data.pipeline.flush()
        await until(lambda: len(points(other)) == 4)
        assert [point.fields["state"] for point in points(other)] == ["a", "b", "c", "d"]
        await until(lambda: entry.runtime_data.pipeline.ledger.written == 4)
    assert points(database) == []


async def test_points_per_request_hold_at_once_also_for_what_waits_already(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await with_backlog(hass, entry, database, "abcdefghijklmnopqrstuvw")
    page = await open_page(hass, entry, "spool")
    await fill_in(hass, page, **{**SPOOL, "gather": 0, "request_points": 10})
    database.impostor = None
    begun = len(database.writes)
    await entry.runtime_data.pipeline.flush()
    await until(lambda: len(points(database)) == 24)
    sizes = [unzipped(seen).count(b"\n") + 1 for seen in database.writes[begun:]]
    assert max(sizes) == 10
    await until(lambda: entry.runtime_data.pipeline.ledger.written == 24)


async def test_options_are_saved_twice_in_a_second_and_the_last_ones_hold(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await with_backlog(hass, entry, database, "abc")
    flows = hass.config_entries.options
    pages = [await open_page(hass, entry, "spool") for _ in range(2)]
    results = await asyncio.gather(
        *(
            flows.async_configure(page["flow_id"], {**SPOOL, "max_size": size})
            for page, size in zip(pages, (32, 96), strict=True)
        )
    )
    assert [result["type"] for result in results] == [FlowResultType.CREATE_ENTRY] * 2
    for state in "de":
        hass.states.async_set("sensor.a", state)
        await asyncio.sleep(0)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    await entry.runtime_data.pipeline.flush()
    snapshot = await entry.runtime_data.pipeline.snapshot()
    assert snapshot.spool_limit == 96 * MIB
    assert (snapshot.pending, snapshot.unbalanced) == (5, "")
    database.impostor = None
    await entry.runtime_data.pipeline.flush()
    await until(lambda: len(points(database)) == 5)
    assert [point.fields["state"] for point in points(database)] == ["a", "b", "c", "d", "e"]


@pytest.mark.usefixtures("socket_enabled")
async def test_options_are_saved_while_nothing_answers_at_the_address(
    hass: HomeAssistant,
) -> None:
    entry = new_entry(NOWHERE)
    await set_up(hass, entry)
    hass.states.async_set("sensor.a", "1")
    result = await fill_in(hass, await open_page(hass, entry, "spool"), **SPOOL)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.state is ConfigEntryState.LOADED
    hass.states.async_set("sensor.a", "2")
    await entry.runtime_data.pipeline.flush()
    snapshot = await entry.runtime_data.pipeline.snapshot()
    assert (snapshot.pending, snapshot.ledger["captured"]) == (3, 3)
    assert snapshot.ledger["lost"] == {}


async def test_what_was_chosen_is_shown_the_next_time(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    page = await open_page(hass, entry, "spool")
    assert suggested(page) == PAGES["spool"].defaults
    await fill_in(hass, page, **SPOOL)
    assert suggested(await open_page(hass, entry, "spool")) == SPOOL


async def test_saving_one_page_keeps_the_options_of_the_others(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    hass.config_entries.async_update_entry(entry, options={"another": {"a": 1}})
    await hass.async_block_till_done()
    await fill_in(hass, await open_page(hass, entry, "spool"), **SPOOL)
    assert entry.options == {"another": {"a": 1}, "spool": SPOOL}


RULE = {
    "name": "Power",
    "globs": ["sensor.*"],
    "device_classes": ["power"],
    "heartbeat": 5,
    "throttle": 10,
    "deadband": 0.5,
}
EMPTY: dict[str, Any] = {"globs": [" "], "device_classes": []}
VALID: dict[str, dict[str, Any]] = {
    "spool": SPOOL,
    "homeiq": {
        "tags": ["floor"],
        "availability": "skip",
        "convert_units": True,
        "aliases": False,
    },
    "core": {
        "measurement_attr": "entity_id",
        "default_measurement": "state",
        "override_measurement": "",
        "tags": {"house": "north"},
        "tags_attributes": ["friendly_name"],
        "ignore_attributes": ["icon"],
        "component_config": {"light.a": {"ignore_attributes": []}},
        "component_config_domain": {"light": {"override_measurement": "x"}},
        "component_config_glob": {},
    },
    "attributes": {
        "shape": "flat",
        "only": ["media_*", "volume_level"],
        "drop": ["media_position*"],
        "recorder": True,
        "coordinates": False,
        "media": True,
    },
    "filter": {
        "include": {"domains": ["sensor"], "floors": ["ground"], "categories": ["diagnostic"]},
        "exclude": {
            "entities": ["light.a"],
            "globs": ["sensor.*_[ab]", "*_linkquality"],
            "domains": ["update", "my_own"],
            "integrations": ["mqtt"],
            "device_classes": ["signal_strength"],
            "categories": ["config"],
            "areas": ["attic"],
            "floors": ["cellar"],
            "devices": ["0123456789abcdef"],
            "labels": ["private"],
        },
    },
    "events": {
        "types": ["automation_triggered", "My event"],
        "reported": True,
        "registries": True,
    },
    "weather": {"entity": "weather.home", "max_age": 1.5},
    "noise": {"rules": [RULE], "window": 2},
}
MANY_TAGS = [
    *("registry_id", "entity_category", "labels", "floor", "device"),
    *("manufacturer", "model", "sw_version", "state_class"),
]
REFUSED = [
    ("spool", {"max_size": 7}, {"max_size": "spool_too_small"}),
    ("spool", {"max_size": 0}, {"max_size": "spool_too_small"}),
    ("spool", {"max_size": 2**40}, {"max_size": "out_of_range"}),
    ("spool", {"max_size": 64.5}, {"max_size": "not_whole"}),
    ("noise", {"rules": [RULE | {"heartbeat": -1}]}, {"rules": "heartbeat_out_of_range"}),
    ("noise", {"rules": [RULE | {"throttle": 1e9}]}, {"rules": "throttle_out_of_range"}),
    ("noise", {"rules": [RULE | {"deadband": -0.1}]}, {"rules": "deadband_out_of_range"}),
    ("noise", {"rules": [RULE, RULE | {"name": " "}]}, {"rules": "rule_without_name"}),
    ("spool", {"max_age": 0.01}, {"max_age": "age_too_short"}),
    ("homeiq", {"tags": MANY_TAGS}, {"tags": "too_many_tags"}),
    (
        "core",
        {"tags_attributes": [f"a{number:02}" for number in range(18)], "tags": {}},
        {"tags_attributes": "too_many_tags"},
    ),
    (
        "core",
        {"tags": {f"a{number:02}": "x" for number in range(18)}, "tags_attributes": []},
        {"tags": "too_many_tags"},
    ),
    ("core", {"tags": "north"}, {"tags": "not_a_mapping"}),
    (
        "core",
        {"component_config": {"a.b": {"tags": 1}}},
        {"component_config": "part_not_understood"},
    ),
    ("core", {"tags": ["a"]}, {"tags": "not_a_mapping"}),
    ("core", {"tags": {"room": ["a"]}}, {"tags": "part_not_understood"}),
    ("attributes", {"only": [" "]}, {"only": "bad_name"}),
    ("attributes", {"only": ["a\nb"]}, {"only": "bad_name"}),
    ("attributes", {"drop": ["a" * 256]}, {"drop": "text_too_long"}),
    ("attributes", {"drop": ["icon", "**"]}, {"drop": "everything_dropped"}),
    ("attributes", {"only": ["entity_picture"]}, {"only": "secret_name"}),
    ("attributes", {"only": ["volume_level", "API_key"]}, {"only": "secret_name"}),
    ("attributes", {"drop": ["media*", "volume_*"]}, {"only": "only_what_is_dropped"}),
    ("filter", {"exclude": {"globs": ["a.*", "a b"]}}, {"exclude": "not_a_pattern"}),
    ("filter", {"exclude": {"globs": ["a.b.*"]}}, {"exclude": "not_a_pattern"}),
    ("filter", {"exclude": {"globs": ["a.[b"]}}, {"exclude": "not_a_pattern"}),
    ("filter", {"exclude": {"globs": ["*"]}}, {"exclude": "fits_everything"}),
    ("filter", {"exclude": {"globs": ["?*.**"]}}, {"exclude": "fits_everything"}),
    ("filter", {"exclude": {"domains": ["light.a"]}}, {"exclude": "not_a_name"}),
    ("filter", {"exclude": {"device_classes": ["so warm"]}}, {"exclude": "not_a_name"}),
    ("filter", {"exclude": {"integrations": ["Philips Hue"]}}, {"exclude": "not_a_name"}),
    (
        "filter",
        {"exclude": {"entities": ["0123456789abcdef" * 2]}},
        {"exclude": "not_an_entity_id"},
    ),
    ("filter", {"include": {"globs": ["**"]}}, {"include": "fits_everything"}),
    ("filter", {"include": {"domains": ["a b"]}}, {"include": "not_a_name"}),
    ("filter", {"include": {"areas": ["attic"]}}, {"exclude": "in_both_lists"}),
    ("events", {"types": ["a", "  "]}, {"types": "event_type_empty"}),
    ("events", {"types": ["e" * 65]}, {"types": "event_type_too_long"}),
    ("events", {"types": ["state_changed"]}, {"types": "always_captured"}),
    ("events", {"types": ["state_reported "]}, {"types": "use_switch"}),
    ("events", {"types": ["*"]}, {"types": "every_event"}),
    ("events", {"types": ["homeassistant_close"]}, {"types": "too_late"}),
    ("weather", {"entity": "0123456789abcdef" * 2}, {"entity": "not_weather"}),
    ("weather", {"max_age": 0.2}, {"max_age": "weather_too_short"}),
    ("noise", {"rules": [RULE | {"globs": ["a b"]}]}, {"rules": "not_a_pattern"}),
    ("noise", {"rules": [{"name": "A", "heartbeat": 5}]}, {"rules": "rule_for_nothing"}),
    (
        "noise",
        {"rules": [{"name": "A", "globs": [" "], "throttle": 5}]},
        {"rules": "rule_for_nothing"},
    ),
    ("noise", {"rules": [{"name": "A", "globs": ["*"]}]}, {"rules": "rule_without_effect"}),
    ("noise", {"rules": [RULE | {"heartbeat": 0.5}]}, {"rules": "heartbeat_too_fast"}),
    ("noise", {"rules": [RULE | {"throttle": 301}]}, {"rules": "heartbeat_throttled"}),
]


def shown_filter(stored: dict[str, Any]) -> dict[str, Any]:
    """Read a stored filter as it was entered."""
    exclude = {name: values for name, values in stored.items() if values and name != "include"}
    return {"include": stored["include"], "exclude": exclude}


@pytest.mark.parametrize(("page", "wrong", "errors"), REFUSED)
async def test_what_cannot_work_is_refused_and_can_be_corrected(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    page: str,
    wrong: dict[str, Any],
    errors: dict[str, str],
) -> None:
    await set_up(hass, entry)
    if any(page in choices for choices in MENUS.values()):
        result = await open_page(hass, entry, page)
    else:
        result = await fill_in(hass, await open_page(hass, entry, "points"), profile=page)
    result = await fill_in(hass, result, **{**VALID[page], **wrong})
    assert (result["step_id"], result["errors"]) == (page, errors)
    assert suggested(result) == {**VALID[page], **wrong}
    assert entry.options == {}
    result = await fill_in(hass, result, **VALID[page])
    while "confirmed" in result.get("menu_options", ()):
        result = await confirm(hass, result)
    if page == "filter":
        result = await save(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    stored = entry.options[page]
    assert (shown_filter(stored) if page == "filter" else stored) == VALID[page]


def test_options_are_read_in_the_units_of_the_spool() -> None:
    assert spool_settings({"spool": SPOOL}) == SpoolSettings(
        durability=Durability.STRICT,
        max_bytes=64 * MIB,
        max_age=7 * 86_400,
        min_free_bytes=100 * MIB,
        compress=False,
        full=WhenFull.NEWEST,
    )
    assert delivery_settings({"spool": SPOOL}) == DeliverySettings(
        request_points=250,
        longest_pause=600,
        failures_to_open=1,
        gather_seconds=20,
        evicts_expired=True,
    )


@pytest.mark.parametrize("options", [{}, {"spool": {}}, {"spool": {"max_age": 0}}])
def test_without_options_everything_is_as_it_always_was(options: dict[str, Any]) -> None:
    assert spool_settings(options) == SpoolSettings()
    assert delivery_settings(options) == DeliverySettings(
        request_points=5000,
        longest_pause=60,
        failures_to_open=3,
        gather_seconds=5,
        evicts_expired=False,
        gzip=True,
    )


async def test_an_empty_maximum_age_is_the_default(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    entered = {key: value for key, value in SPOOL.items() if key != "max_age"}
    await fill_in(hass, await open_page(hass, entry, "spool"), **entered)
    assert spool_settings(entry.options).max_age == SpoolSettings().max_age


@pytest.mark.parametrize("page", PAGES)
def test_every_option_has_a_label_and_an_explanation(page: str) -> None:
    assert explained(WORDS["options"]["step"][page]) == fields(PAGES[page].schema)
    shown = PAGES[page].shown(PAGES[page].defaults)
    assert set(shown) == set(fields(PAGES[page].schema))


# What is wrong with history that a user asks for.
NO_HISTORY: Final = {
    *("backfill_time", "backfill_running", "backfill_no_entity", "no_history"),
    *("nothing_recorded", "all_excluded", "backfill_no_content"),
}


def test_every_page_and_every_refusal_has_words_and_there_are_no_others() -> None:
    steps = WORDS["options"]["step"]
    for name, choices in MENUS.items():
        assert list(steps[name]["menu_options"]) == choices
        assert list(steps[name]["menu_option_descriptions"]) == choices
    for name in PREVIEWS:
        assert set(steps[name]["menu_options"]) == {SAVE, SAVE_ANYWAY, "filter"}
    for name in (*STEPS, FITS_NOTHING):
        assert list(steps[name]["menu_options"]) == CONFIRM
    history = {WRITE_HISTORY, *COUNTED.values(), *PROGRESS}
    assert set(steps) == {*MENUS, *PAGES, *PREVIEWS, *STEPS, FITS_NOTHING, *history}
    reasons = {reason for _, _, errors in REFUSED for reason in errors.values()} | NO_HISTORY
    assert set(WORDS["options"]["error"]) == reasons


def selectors(schema: Any) -> Iterator[Any]:
    """Yield how the fields of a form are asked for."""
    for field in schema.schema.values():
        if isinstance(field, section):
            yield from selectors(field.schema)
        else:
            yield field


def test_every_choice_has_a_name_and_there_are_no_others() -> None:
    choices: dict[str, set[str]] = {}
    for schema in (*(page.schema for page in PAGES.values()), PRESETS_SCHEMA, SCHEMA):
        for selector in selectors(schema):
            config: dict[str, Any] = getattr(selector, "config", {})
            if (key := config.get("translation_key")) and "options" in config:
                choices.setdefault(key, set()).update(map(str, config["options"]))
    named = {
        key: set(words["options"]) for key, words in WORDS["selector"].items() if "options" in words
    }
    assert choices == {key: words for key, words in named.items() if key != "dialect"}


def test_every_field_of_a_rule_has_a_name_and_an_explanation() -> None:
    words = WORDS["selector"]["noise_rule"]["fields"]
    assert set(words) == set(RULE_FIELDS)
    assert all(field["name"] and field["description"] for field in words.values())


def test_rules_are_read_in_seconds_and_in_their_order() -> None:
    first, second = rule_table({"noise": {"rules": [RULE, {"name": "B", "domains": ["light"]}]}})
    assert first == (
        Match(globs=("sensor.*",), device_classes=frozenset({"power"})),
        Rules(heartbeat=300.0, throttle=10.0, deadband=0.5),
    )
    assert second == (Match(domains=frozenset({"light"})), NO_RULES)


def test_every_list_of_the_filter_is_read() -> None:
    stored = {**VALID["filter"]["exclude"], "include": VALID["filter"]["include"]}
    read = entity_filter({"filter": stored})
    for part, match in (("include", read.include), ("exclude", read.exclude)):
        for name, values in VALID["filter"][part].items():
            assert sorted(getattr(match, name)) == sorted(values)
    assert entity_filter({}) == EVERYTHING


async def test_entries_of_a_filter_are_stripped_lowered_and_listed_once(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    typed = {"globs": [" Sensor.* ", "sensor.*", ""], "domains": ["Light"]}
    page = await open_page(hass, entry, "filter")
    await save(hass, await fill_in(hass, page, exclude=typed, include={"domains": [" "]}))
    stored = entry.options["filter"]
    assert (stored["globs"], stored["domains"], stored["areas"]) == (["sensor.*"], ["light"], [])
    assert stored["include"] == {}
    page = await open_page(hass, entry, "events")
    await fill_in(hass, page, types=[" a ", "a", "b"], reported=False, registries=False)
    assert entry.options["events"]["types"] == ["a", "b"]


async def test_a_refusal_names_what_is_wrong(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await set_up(hass, entry)
    page = await open_page(hass, entry, "filter")
    result = await fill_in(hass, page, exclude={"globs": ["a.*", "b b"]})
    assert result["description_placeholders"]
    assert result["description_placeholders"]["invalid_value"] == "b b"
    result = await fill_in(hass, await open_page(hass, entry, "points"), profile="core")
    wrong = {"component_config": {"light.a": {"ignore_attributes": ["icon"], "tags": {}}}}
    result = await fill_in(hass, result, measurement_attr="entity_id", **wrong)
    assert told(result)["invalid_value"] == "component_config.light.a.tags"


def refusal(result: ConfigFlowResult) -> str:
    """Read what is said at the field `rules`."""
    assert result["errors"]
    text: str = WORDS["options"]["error"][result["errors"]["rules"]]
    return text.format(**told(result))


async def test_a_number_in_a_rule_is_refused_with_its_name_its_bounds_and_its_rule(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    page = await open_page(hass, entry, "noise")
    result = await fill_in(hass, page, window=0, rules=[RULE | {"throttle": 604_801}])
    said = refusal(result)
    assert said == "The throttle of the rule “Power” must be from 0 to 604 800 seconds."
    result = await fill_in(hass, result, window=0, rules=[RULE, RULE | {"name": ""}])
    said = refusal(result)
    assert said == "Give rule 2 of the list a name."


async def test_a_chosen_weather_entity_can_be_removed(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    page = await open_page(hass, entry, "weather")
    await fill_in(hass, page, entity="weather.home", max_age=1)
    assert (weather_entity(entry.options), weather_max_age(entry.options)) == ("weather.home", 3600)
    await fill_in(hass, await open_page(hass, entry, "weather"), max_age=1)
    assert weather_entity(entry.options) == ""


async def test_the_menu_names_the_destination_as_text(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    object.__setattr__(entry, "title", "*Haus* <b>x</b> [y](z)")
    await set_up(hass, entry)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["step_id"] == "init"
    shown = result["description_placeholders"] or {}
    assert shown["title"] == r"\*Haus\* &lt;b&gt;x&lt;/b&gt; \[y\]\(z\)"
