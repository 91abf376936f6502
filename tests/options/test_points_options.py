"""Choosing what points look like, in a real Home Assistant, up to what the database has then."""

from pathlib import Path
from typing import Any

import pytest
from homeassistant.config import YAML_CONFIG_FILE as YAML
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.json import json_dumps
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ha_ingestor.enrich.attribution import Attribution
from custom_components.ha_ingestor.enrich.units import normal_units
from custom_components.ha_ingestor.flows.options import PAGES
from custom_components.ha_ingestor.options.attributes import attributes_policy
from custom_components.ha_ingestor.options.profile import profile_of
from custom_components.ha_ingestor.pipeline.encode.attributes import AttributesPolicy, Shape
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from tests import pages
from tests.emulator import Emulator
from tests.flows.steps import suggested, told
from tests.pages import confirm, fill_in, open_page
from tests.shell import deliver, points, set_up, unzipped

AS_IT_IS = {"tags": [], "availability": "marker", "convert_units": False, "aliases": "both"}


async def choose(
    hass: HomeAssistant, entry: MockConfigEntry, profile: str, **chosen: Any
) -> ConfigFlowResult:
    """Choose a profile and fill in its page."""
    result = await fill_in(hass, await open_page(hass, entry, "points"), profile=profile)
    assert result["step_id"] == profile
    return await fill_in(hass, result, **chosen)


def device_of_two(hass: HomeAssistant) -> None:
    """Register a device with two entities, beside one of nothing."""
    other = MockConfigEntry(domain="test")
    other.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("test", "a")}, sw_version="1.0"
    )
    for name in ("one", "two"):
        entry = er.async_get(hass).async_get_or_create(
            "sensor", "test", name, suggested_object_id=name, device_id=device.id
        )
        hass.states.async_set(entry.entity_id, "1")
    hass.states.async_set("light.alone", "on")


async def test_another_profile_is_confirmed_with_what_it_does_to_the_series(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    device_of_two(hass)
    await set_up(hass, entry)

    result = await choose(
        hass, entry, "tidy", tags=["sw_version"], availability="marker", convert_units=False
    )
    assert result["step_id"] == "to_tidy"
    assert entry.options == {}
    result = await confirm(hass, result)
    assert result["step_id"] == "new_tags"
    # sensor.one, sensor.two, light.alone and sensor.meanwhile; one device, of which two are parts.
    assert told(result)["table"] == "| sw_version | 4 | 4 | 1 | 2 |"
    assert entry.options == {}
    result = await confirm(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY

    hass.states.async_set("sensor.two", "3")
    await deliver(hass, entry)
    *_, last = points(database, "sensor.two")
    assert last.tags["sw_version"] == "1.0"
    assert last.fields["value"] == 3
    assert "state" not in last.fields


async def test_what_leaves_the_series_alone_needs_no_confirmation(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    result = await choose(
        hass, entry, "homeiq", tags=[], availability="field", convert_units=False, aliases="state"
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY

    hass.states.async_set("sensor.a", "unavailable")
    await deliver(hass, entry)
    (point,) = points(database, "sensor.a")
    assert point.fields["available"] is False
    assert point.fields["state"] == "unavailable"
    assert "state_value" not in point.fields


async def test_numbers_become_metric_after_it_was_said_what_that_means(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    result = await choose(hass, entry, "homeiq", **{**AS_IT_IS, "convert_units": True})
    assert result["step_id"] == "new_units"
    await confirm(hass, result)
    attributes = {"device_class": "temperature", "unit_of_measurement": "°F"}
    hass.states.async_set("sensor.a", "212", attributes)
    await deliver(hass, entry)
    (point,) = points(database, "sensor.a")
    assert point.fields["value"] == pytest.approx(100)
    assert point.fields["unit_of_measurement"] == "°C"


async def test_unavailable_is_no_point_where_nobody_wants_one(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    await choose(hass, entry, "homeiq", **{**AS_IT_IS, "availability": "skip"})
    for state in ("unavailable", "1"):
        hass.states.async_set("sensor.a", state)
    await deliver(hass, entry)
    (point,) = points(database, "sensor.a")
    assert point.fields["state"] == "1"
    assert point.fields["old_state"] == "unavailable"


async def test_large_numbers_of_series_have_a_space_between_thousands(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    for number in range(1200):
        hass.states.async_set(f"sensor.of_many_{number}", "1")
    await set_up(hass, entry)
    result = await choose(hass, entry, "homeiq", **{**AS_IT_IS, "tags": ["floor"]})
    assert result["step_id"] == "new_tags"
    tag, without, series, *_ = told(result)["table"].strip("| ").split(" | ")
    assert tag == "floor"
    assert without == series
    assert without.startswith("1\N{NARROW NO-BREAK SPACE}20")


async def test_tags_are_confirmed_when_they_come_and_when_they_go(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    for tags in (["floor", "labels"], []):
        result = await choose(hass, entry, "homeiq", **{**AS_IT_IS, "tags": tags})
        assert result["step_id"] == "new_tags"
        rows = told(result)["table"].split("\n")
        assert [row.split(" | ")[0] for row in rows] == ["| floor", "| labels"]
        await confirm(hass, result)
        assert entry.options["homeiq"]["tags"] == tags
    result = await choose(hass, entry, "homeiq", **AS_IT_IS)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_each_profile_keeps_its_own_choices(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await choose(hass, entry, "homeiq", **{**AS_IT_IS, "aliases": "state"})
    result = await choose(hass, entry, "tidy", tags=[], availability="skip", convert_units=False)
    await confirm(hass, result)
    assert entry.options["points"] == {"profile": "tidy"}

    page = await open_page(hass, entry, "points")
    assert suggested(page) == {"profile": "tidy"}
    result = await fill_in(hass, page, profile="homeiq")
    assert suggested(result) == {**AS_IT_IS, "aliases": "state"}


@pytest.mark.parametrize(
    ("stored", "shown", "names"),
    [
        (True, "both", {"state", "old_state", "state_value", "previous_state"}),
        (False, "state", {"state", "old_state"}),
        ("state_value", "state_value", {"state_value", "previous_state"}),
    ],
)
async def test_the_state_has_the_names_that_were_chosen_also_with_the_old_switch(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    database: Emulator,
    *,
    stored: bool | str,
    shown: str,
    names: set[str],
) -> None:
    await set_up(hass, entry)
    hass.config_entries.async_update_entry(entry, options={"homeiq": {"aliases": stored}})
    await hass.async_block_till_done()
    for state in ("on", "off"):
        hass.states.async_set("switch.a", state)
    await deliver(hass, entry)
    *_, last = points(database, "switch.a")
    assert {name for name, value in last.fields.items() if value in {"on", "off"}} == names

    page = await fill_in(hass, await open_page(hass, entry, "points"), profile="homeiq")
    assert suggested(page)["aliases"] == shown
    await fill_in(hass, page, **{**AS_IT_IS, "aliases": shown})
    assert entry.options["homeiq"]["aliases"] == stored


FILLED_IN = "What its section of configuration.yaml says is filled in."
BUILT_IN = """
influxdb:
  host: influx.local
  token: secret
  precision: ms
  default_measurement: state
  tags:
    house: north
  tags_attributes: friendly_name
  component_config_domain:
    light:
      override_measurement: lamps
"""


async def test_the_settings_of_the_built_in_integration_are_taken_over(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await hass.async_add_executor_job(Path(hass.config.path(YAML)).write_text, BUILT_IN)
    await set_up(hass, entry)
    page = await fill_in(hass, await open_page(hass, entry, "points"), profile="core")
    assert told(page)["found"] == f"{FILLED_IN} Not taken over: precision."
    shown = suggested(page)
    assert shown["default_measurement"] == "state"
    assert shown["tags"] == {"house": "north"}
    assert "secret" not in str(page)
    result = await fill_in(hass, page, **shown)
    assert result["step_id"] == "to_core"
    await confirm(hass, result)

    hass.states.async_set("light.a", "on", {"friendly_name": "Lamp"})
    hass.states.async_set("sensor.b", "21", {"unit_of_measurement": "°C"})
    await deliver(hass, entry)
    body = b"".join(unzipped(seen) for seen in database.writes).decode()
    assert (
        'lamps,domain=light,entity_id=a,friendly_name=Lamp,house=north value=1.0,state="on"' in body
    )
    assert "°C,domain=sensor,entity_id=b,house=north value=21.0 " in body


async def take_over(hass: HomeAssistant, entry: MockConfigEntry, written: str) -> ConfigFlowResult:
    """Open the page of the built-in integration's settings and accept what it shows."""
    await hass.async_add_executor_job(Path(hass.config.path(YAML)).write_text, written)
    await set_up(hass, entry)
    options = {"filter": {"entities": ["light.old"], "areas": ["attic"]}}
    hass.config_entries.async_update_entry(entry, options=options)
    await hass.async_block_till_done()
    page = await fill_in(hass, await open_page(hass, entry, "points"), profile="core")
    await confirm(hass, await fill_in(hass, page, **suggested(page)))
    return page


async def test_what_the_built_in_integration_excludes_is_left_out_too(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    page = await take_over(
        hass,
        entry,
        """
influxdb:
  exclude:
    domains: [update]
    entities: sun.sun, light.old
    entity_globs: ["sensor.*_x"]
""",
    )
    assert told(page)["found"].replace("\\", "") == (
        f"{FILLED_IN} Added to what is excluded in *What to record*: "
        "update, sun.sun, light.old, sensor.*_x."
    )
    stored = {name: values for name, values in entry.options["filter"].items() if values}
    assert stored == {
        "entities": ["light.old", "sun.sun"],
        "areas": ["attic"],
        "domains": ["update"],
        "globs": ["sensor.*_x"],
    }
    for entity_id in ("update.a", "sun.sun", "sensor.a_x", "sensor.a"):
        hass.states.async_set(entity_id, "7")
    await deliver(hass, entry)
    body = b"".join(unzipped(seen) for seen in database.writes).decode()
    assert "entity_id=a value=7.0" in body
    assert not any(f"entity_id={name} " in body for name in ("a_x", "sun"))
    assert "domain=update" not in body

    page = await fill_in(hass, await open_page(hass, entry, "points"), profile="core")
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, "filter": {"entities": ["light.b"]}}
    )
    await fill_in(hass, page, **suggested(page))
    # It is taken over once: what the user changed afterwards stays.
    assert entry.options["filter"] == {"entities": ["light.b"]}


@pytest.mark.parametrize(
    ("lists", "left_out"),
    [
        ("include: {domains: [Sensor]}", "include"),
        ("include: {entity_globs: ['*']}\n  exclude: {entities: [sensor.a]}", "include, exclude"),
        ("exclude: {entity_globs: ['*'], domains: [light]}", "exclude"),
        ("exclude: {domains: [Light]}", "exclude"),
        ("exclude: {entity_globs: ['Sensor.*_x']}", "exclude"),
    ],
)
async def test_lists_that_cannot_be_taken_over_exactly_are_named_and_left_alone(
    hass: HomeAssistant, entry: MockConfigEntry, lists: str, left_out: str
) -> None:
    page = await take_over(hass, entry, f"influxdb:\n  {lists}\n")
    assert told(page) == {"found": f"Not taken over: {left_out}.", "invalid_value": ""}
    assert entry.options["filter"] == {"entities": ["light.old"], "areas": ["attic"]}


@pytest.mark.parametrize("written", [None, "influxdb:", "influxdb: [", "influxdb: yes"])
async def test_without_settings_of_the_built_in_integration_its_defaults_are_shown(
    hass: HomeAssistant, entry: MockConfigEntry, written: str | None
) -> None:
    if written is not None:
        await hass.async_add_executor_job(Path(hass.config.path(YAML)).write_text, written)
    await set_up(hass, entry)
    page = await fill_in(hass, await open_page(hass, entry, "points"), profile="core")
    assert told(page)["found"] == ""
    assert suggested(page) == PAGES["core"].defaults


async def test_the_way_back_from_a_profile_shows_what_was_entered_and_stores_none_of_it(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    written = "influxdb:\n  exclude: {domains: [update]}\n  precision: s\n"
    await hass.async_add_executor_job(Path(hass.config.path(YAML)).write_text, written)
    await set_up(hass, entry)
    page = await fill_in(hass, await open_page(hass, entry, "points"), profile="core")
    result = await fill_in(hass, page, **{**suggested(page), "default_measurement": "mine"})
    assert result["step_id"] == "to_core"

    first = await pages.choose(hass, result, "go_back")
    assert (first["step_id"], suggested(first)) == ("points", {"profile": "core"})
    page = await fill_in(hass, first, profile="core")
    assert suggested(page)["default_measurement"] == "mine"
    assert "Not taken over: precision." in told(page)["found"]
    result = await fill_in(hass, page, **suggested(page))
    first = await pages.choose(hass, result, "go_back")
    page = await fill_in(hass, first, profile="homeiq")
    result = await fill_in(hass, page, **AS_IT_IS)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    # Neither the page of the other profile nor the filter that would have come with it.
    assert set(entry.options) == {"points", "homeiq"}
    assert entry.options["points"] == {"profile": "homeiq"}


async def test_other_measurements_of_the_same_profile_are_confirmed(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    await confirm(hass, await choose(hass, entry, "core", measurement_attr="entity_id"))
    result = await choose(hass, entry, "core", measurement_attr="unit_of_measurement")
    assert result["step_id"] == "new_measurements"
    result = await confirm(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    result = await choose(hass, entry, "core", measurement_attr="unit_of_measurement")
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_attributes_become_what_the_options_say(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    page = await open_page(hass, entry, "attributes")
    result = await fill_in(
        hass,
        page,
        shape="flat",
        drop=["media_*"],
        recorder=True,
        coordinates=False,
        media=True,
    )
    await confirm(hass, result)  # such an attribute is still to come
    attributes = {"volume_level": 0.5, "media_title": "x", "latitude": 1.0, "source": "radio"}
    hass.states.async_set("media_player.a", "on", attributes)
    await deliver(hass, entry)
    (point,) = points(database, "media_player.a")
    found = {key: value for key, value in point.fields.items() if key.startswith("attr")}
    assert found == {"attr_volume_level": 0.5, "attr_source_str": "radio"}


async def test_without_options_every_profile_is_as_it_is_made(hass: HomeAssistant) -> None:
    attribution = Attribution(hass)
    attribution.causes["1"] = "automation.a"
    assert profile_of({}, location="Home", numbers_only=True, attribution=attribution) == HomeIQ(
        dumps=json_dumps,
        location="Home",
        numbers_only=True,
        units=normal_units,
        causes={"1": "automation.a"},
    )


STANDARD = AttributesPolicy(shape=Shape.NUMERIC, only=frozenset({"a"}))


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ({}, STANDARD),
        ({"shape": "standard"}, STANDARD),
        ({"shape": "numeric"}, AttributesPolicy(shape=Shape.NUMERIC)),
        (
            {"only": ["b"]},
            AttributesPolicy(shape=Shape.NUMERIC, only=frozenset({"b"})),
        ),
        (
            {"shape": "json", "drop": ["c"], "recorder": False},
            AttributesPolicy(shape=Shape.JSON, drop=frozenset({"c"}), recorder=False),
        ),
    ],
)
def test_attributes_are_what_the_profile_wants_until_a_user_wants_something_else(
    page: dict[str, Any], expected: AttributesPolicy
) -> None:
    assert attributes_policy({"attributes": page}, STANDARD) == expected
