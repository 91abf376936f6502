"""What to record: the page, its preview, and what becomes of it."""

from typing import Any

import pytest
import voluptuous as vol
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.flows.filter_preview import SAVE, SAVE_ANYWAY
from custom_components.ha_ingestor.health import filter_preview
from custom_components.ha_ingestor.health.home_entities import async_preview_filter
from custom_components.ha_ingestor.options.filter import PAGE
from custom_components.ha_ingestor.options.page import OptionError
from tests.emulator import Answer, Emulator
from tests.flows.steps import suggested, told
from tests.pages import WORDS, choose, fill_in, open_page, save
from tests.shell import points, set_up, until

BUSY = Answer(status=503, body='{"error":"timeout"}')


async def previewed(hass: HomeAssistant, entry: MockConfigEntry, **entered: Any) -> Any:
    """Fill in the page, and look at the preview."""
    result = await fill_in(hass, await open_page(hass, entry, "filter"), **entered)
    assert result["type"] is FlowResultType.MENU, result["errors"]
    return result


@pytest.fixture(autouse=True)
def _home(hass: HomeAssistant) -> None:
    for entity_id in ("light.a", "light.b", "sensor.a"):
        hass.states.async_set(entity_id, "1", {"device_class": "power", "brightness": 3})


async def test_only_what_is_included_arrives_without_a_restart(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    await save(hass, await previewed(hass, entry, include={"domains": ["light"]}))
    for entity_id in ("light.a", "light.b", "sensor.a"):
        hass.states.async_set(entity_id, "2")
    await entry.runtime_data.pipeline.flush()
    await until(lambda: len(points(database, "light.b")) == 2)
    assert len(points(database, "light.a")) == 2
    assert [point.fields["state"] for point in points(database, "sensor.a")] == ["1"]
    ledger = (await entry.runtime_data.pipeline.snapshot()).ledger
    # Of the second value of the sensor, and of what the test changes while the page is stored.
    assert ledger["filtered"]["excluded"] >= 1
    assert ledger["received"] == sum(ledger["filtered"].values()) + ledger["captured"]


async def test_the_preview_says_what_is_new_and_what_is_gone(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    entry.add_to_hass(hass)
    options = {"filter": {"include": {"domains": ["sensor"]}}}
    hass.config_entries.async_update_entry(entry, options=options)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    result = await previewed(hass, entry, include={"domains": ["light"]})
    words = WORDS["options"]["step"][result["step_id"]]
    assert words["description"].format(**told(result))
    # Not a word of entries that fit nothing, as there are none.
    assert told(result)["changes"] == (
        "Recorded from now on (2, of which 2 changed in the last hour): light.a, light.b\n\n"
        "No longer recorded (1): sensor.a"
    )
    assert (told(result)["captured"], told(result)["total"]) == ("2", "3")
    assert result["menu_options"] == [SAVE, "filter"]
    assert entry.options == options


async def test_the_preview_names_what_has_most_points_once_that_is_known(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filter_preview, "HOURS_MIN", 0.0)
    await set_up(hass, entry)
    hass.states.async_set("light.b", "2")
    await hass.async_block_till_done()
    await entry.runtime_data.pipeline.flush()
    result = await previewed(hass, entry, exclude={"domains": ["sensor"]})
    assert result["step_id"] == "filter_preview"
    most, gone = told(result)["changes"].split("\n\n")
    assert most.startswith("Most points per hour: light.b ")
    # One that did not change since the start has no rate.
    assert "light.a" not in most
    assert gone == "No longer recorded (1): sensor.a"


async def test_the_page_is_shown_again_as_it_was_filled_in_when_a_user_goes_back(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    entered = {"include": {"domains": ["light"]}, "exclude": {"entities": ["light.b"]}}
    result = await choose(hass, await previewed(hass, entry, **entered), "filter")
    assert suggested(result) == entered
    assert entry.options == {}
    result = await fill_in(hass, result, include={}, exclude=entered["exclude"])
    assert told(result)["changes"] == "No longer recorded (1): light.b"
    await save(hass, result)
    assert entry.options["filter"]["include"] == {}
    assert entry.options["filter"]["entities"] == ["light.b"]


@pytest.mark.parametrize(
    "entered",
    [
        pytest.param({"exclude": {"globs": ["*.typo*"]}}, id="a pattern fits nothing"),
        pytest.param({"include": {"domains": ["lihgt"]}}, id="nothing is left"),
    ],
)
async def test_entries_that_fit_nothing_are_named_and_can_be_saved_anyway(
    hass: HomeAssistant, entry: MockConfigEntry, entered: Any
) -> None:
    await set_up(hass, entry)
    result = await previewed(hass, entry, **entered)
    assert result["menu_options"] == [SAVE_ANYWAY, "filter"]
    *_, unfit = told(result)["changes"].replace("\\", "").split("\n\n")
    assert unfit in {f"Fits nothing in your home: {each}" for each in ("*.typo*", "lihgt")}
    await save(hass, result)


async def test_an_area_is_called_by_its_name_and_its_name_is_no_markup(
    hass: HomeAssistant, entry: MockConfigEntry, area_registry: ar.AreaRegistry
) -> None:
    await set_up(hass, entry)
    area = area_registry.async_create("![x](y) <b>Attic</b>")
    exclude = {"areas": [area.id, "gone"]}
    unfit = told(await previewed(hass, entry, exclude=exclude))["changes"]
    assert "\\!\\[x\\]\\(y\\) &lt;b&gt;Attic&lt;/b&gt;" in unfit
    assert "gone" in unfit


async def test_the_page_offers_what_the_home_has_and_how_often_but_not_our_own(
    hass: HomeAssistant, entry: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    lamp = entity_registry.async_get_or_create("light", "hue", "1", suggested_object_id="hue")
    hass.states.async_set(lamp.entity_id, "on")
    await set_up(hass, entry)
    page = await open_page(hass, entry, "filter")
    assert page["data_schema"]
    include = page["data_schema"].schema["include"].schema.schema
    offered = {
        str(name): [option["label"] for option in field.config["options"]]
        for name, field in include.items()
        if "options" in field.config and not field.config.get("translation_key")
    }
    assert offered == {
        "domains": ["light (3)", "sensor (1)"],
        "integrations": ["hue (1)"],
        "device_classes": ["power (3)"],
    }


def test_the_sections_have_no_default_that_a_browser_would_show_instead() -> None:
    assert PAGE.schema({}) == {}


async def test_a_filter_is_saved_while_points_wait_and_none_of_them_is_lost(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    database.impostor = BUSY
    await set_up(hass, entry)
    await entry.runtime_data.pipeline.flush()
    await save(hass, await previewed(hass, entry, exclude={"domains": ["light", "sensor"]}))
    hass.states.async_set("light.a", "2")
    await entry.runtime_data.pipeline.flush()
    database.impostor = None
    await entry.runtime_data.pipeline.flush()
    await until(lambda: len(points(database)) >= 3)
    for entity_id in ("light.a", "light.b", "sensor.a"):
        assert [point.fields["state"] for point in points(database, entity_id)] == ["1"]


async def test_a_filter_is_previewed_and_saved_while_the_destination_is_not_loaded(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    entry.add_to_hass(hass)
    result = await previewed(hass, entry, exclude={"domains": ["light"]})
    assert told(result)["changes"] == "No longer recorded (2): light.a, light.b"
    await save(hass, result)
    assert entry.options["filter"]["domains"] == ["light"]


async def test_the_same_preview_is_given_as_plain_values(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    found = await async_preview_filter(hass, entry, {"exclude": {"domains": ["light"]}})
    assert (found["captured"], found["total"]) == (1, 3)
    assert found["removed"] == ("light.a", "light.b")
    with pytest.raises(OptionError):
        await async_preview_filter(hass, entry, {"exclude": {"globs": ["*"]}})
    hostile: Any
    for hostile in ({"exclude": {"domains": [1]}}, {"include": 3}, {"other": {}}, 7):
        with pytest.raises(vol.Invalid):
            await async_preview_filter(hass, entry, hostile)
