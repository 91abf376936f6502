"""Every number that can be entered has two bounds, and what is beyond them does no harm."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
from homeassistant.helpers.json import json_bytes
from homeassistant.helpers.selector import NumberSelector, ObjectSelector, Selector, selector
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml_dict
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ha_ingestor.flows import data_api, destination, fields, place
from custom_components.ha_ingestor.flows.options import PAGES
from custom_components.ha_ingestor.options.data_api import refresh_seconds
from custom_components.ha_ingestor.options.spool import delivery_settings
from custom_components.ha_ingestor.repair_flows import data_api as data_api_repair
from tests.emulator import Emulator
from tests.pages import PACKAGE, WORDS, confirm, fill_in, open_page
from tests.shell import new_entry, points, set_up, until

FORMS: Mapping[str, Any] = {
    **{name: page.schema for name, page in PAGES.items()},
    "address": destination.ADDRESS_SCHEMA,
    **{name: fields.schema(of, {}, {}, {}, {}) for name, of in fields.CREDENTIALS.items()},
    **{f"{name}_place": fields.schema(of, {}, {}, {}, {}) for name, of in fields.PLACES.items()},
    **{f"create_{name}": schema for name, schema in place.CREATE_SCHEMAS.items()},
    "data_api": data_api.SCHEMA,
    "data_api_repair": data_api_repair.SCHEMA,
}
# A page as a user would leave it; each number in turn is then made absurd.
RULE = {"name": "A", "globs": ["*"], "heartbeat": 5, "throttle": 10, "deadband": 0.5}
VALID: Mapping[str, dict[str, Any]] = {
    "spool": {
        "durability": "balanced",
        "max_size": 64,
        "max_age": 7,
        "min_free": 100,
        "compress": True,
        "gather": 5,
    },
    "weather": {"max_age": 1.5},
    "noise": {"rules": [], "window": 2},
    "history": {"gap_days": 2},
}
ABSURD = [1e21, 2.0**63, 2**63, 10**30, -1, -1e21, math.inf, -math.inf, math.nan, "1e21", "nan"]


def numbers(schema: Any) -> Iterator[tuple[str, NumberSelector]]:
    """Yield every number of a form, those in sections and in rows of lists too."""
    for key, found in schema.schema.items():
        if isinstance(found, section):
            yield from numbers(found.schema)
        if isinstance(found, ObjectSelector):
            for name, field in found.config.get("fields", {}).items():
                inner = field["selector"]
                inner = inner if isinstance(inner, Selector) else selector(inner)
                if isinstance(inner, NumberSelector):
                    yield f"{key}.{name}", inner
        if isinstance(found, NumberSelector):
            yield str(key), found


def fields_with_numbers() -> list[tuple[str, str]]:
    return [(form, name) for form, schema in FORMS.items() for name, _ in numbers(schema)]


NUMBERS = {
    (form, name): number for form, schema in FORMS.items() for name, number in numbers(schema)
}


def test_every_number_in_every_form_has_both_bounds() -> None:
    assert {("spool", "max_size"), ("noise", "rules.heartbeat"), ("data_api", "refresh")} <= set(
        fields_with_numbers()
    )
    unbounded = [
        (form, name)
        for form, schema in FORMS.items()
        for name, number in numbers(schema)
        if not {"min", "max"} <= number.config.keys() or number.config["max"] >= 2**53
    ]
    assert unbounded == []


def test_every_number_of_an_action_has_both_bounds() -> None:
    for action in load_yaml_dict(str(PACKAGE / "services.yaml")).values():
        for field in (action or {}).get("fields", {}).values():
            number = field["selector"].get("number")
            assert number is None or {"min", "max"} <= number.keys()


@pytest.mark.parametrize("absurd", ABSURD, ids=str)
@pytest.mark.parametrize(
    ("page", "name"), [field for field in fields_with_numbers() if field[0] in PAGES]
)
async def test_an_absurd_number_is_refused_with_a_sentence_and_nothing_is_stored(
    hass: HomeAssistant, entry: MockConfigEntry, page: str, name: str, absurd: Any
) -> None:
    await set_up(hass, entry)
    field, _, inner = name.partition(".")
    entered = {field: [RULE, {**RULE, "name": "B", inner: absurd}] if inner else absurd}

    result = await fill_in(hass, await open_page(hass, entry, page), **{**VALID[page], **entered})

    assert result["type"] is FlowResultType.FORM
    assert result["errors"]
    ((where, reason),) = result["errors"].items()
    told = result["description_placeholders"]
    assert where == field
    assert told
    assert WORDS["options"]["error"][reason].format(**told)
    assert not inner or told["invalid_value"] == "B"
    assert entry.options == {}


@pytest.mark.parametrize(("page", "name"), [each for each in NUMBERS if each[0] in PAGES])
async def test_a_fraction_is_stored_as_it_is_or_refused_with_a_sentence(
    hass: HomeAssistant, entry: MockConfigEntry, page: str, name: str
) -> None:
    hass.states.async_set("light.a", "on")  # a rule that fits nothing has to be confirmed
    await set_up(hass, entry)
    number = NUMBERS[page, name].config
    fraction = max(number["min"], 1) + 0.5
    field, _, inner = name.partition(".")
    entered = {field: [{**RULE, inner: fraction}] if inner else fraction}

    result = await fill_in(hass, await open_page(hass, entry, page), **{**VALID[page], **entered})

    if number["step"] == 1:
        assert result["errors"] == {field: "not_whole"}
        assert WORDS["options"]["error"]["not_whole"]
        assert entry.options == {}
    else:
        stored = entry.options[page][field]
        assert (stored[0][inner] if inner else stored) == fraction


# As the storage of Home Assistant gives them back: it can hold no whole number beyond 64 bits.
@pytest.mark.parametrize(
    "absurd", [1e21, 2**64 - 1, 1e300, -5, math.nan, math.inf, "much", None], ids=str
)
async def test_an_entry_with_absurd_numbers_of_an_earlier_version_loads_and_opens(
    hass: HomeAssistant, database: Emulator, absurd: Any
) -> None:
    entry = new_entry(database.url)
    options = {
        "spool": dict.fromkeys(("max_size", "max_age", "min_free", "gather"), absurd),
        "weather": {"max_age": absurd},
        "noise": {
            "window": absurd,
            "rules": [{"name": "A", "globs": ["light.*"], "heartbeat": absurd, "deadband": absurd}],
        },
    }
    hass.states.async_set("light.a", "on")
    await set_up(hass, entry, options)
    assert entry.state is ConfigEntryState.LOADED

    for page in options:
        result = await open_page(hass, entry, page)
        schema = result["data_schema"]
        assert schema
        shown = {str(key): (key.description or {})["suggested_value"] for key in schema.schema}
        json_bytes(shown)
        if page == "noise":
            shown["rules"] = [
                {key: value for key, value in rule.items() if value != 0} | {"throttle": 1}
                for rule in shown["rules"]
            ]
        shown = {key: value for key, value in shown.items() if value is not None}
        result = await fill_in(hass, result, **shown)
        assert result["type"] is FlowResultType.CREATE_ENTRY, result["errors"]
    json_bytes(dict(entry.options))
    hass.states.async_set("sensor.after", "1")
    await entry.runtime_data.pipeline.flush()
    await until(lambda: points(database, "sensor.after"))


async def test_an_absurd_number_on_one_page_does_not_spoil_what_another_page_stores(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry, {"spool": {"max_size": 1e21}})
    await fill_in(hass, await open_page(hass, entry, "weather"), max_age=2)
    assert entry.options["weather"]["max_age"] == 2
    json_bytes(dict(entry.options))  # which raises for a number that storage cannot hold


@pytest.mark.parametrize("absurd", ["1e21", "99999999999999999999", "-5", "18446744073709551615"])
async def test_an_absurd_number_is_refused_and_the_page_opens_again_as_the_frontend_does_it(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    absurd: str,
) -> None:
    entry.add_to_hass(hass)
    # What an earlier version stored, as its storage gives it back.
    stored = {"spool": {"max_size": float(absurd), "min_free": float(absurd)}}
    hass.config_entries.async_update_entry(entry, options=stored)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert await async_setup_component(hass, "config", {})
    client = await hass_client()
    path = "/api/config/config_entries/options/flow"
    menu = await (await client.post(path, json={"handler": entry.entry_id})).json()
    path = f"{path}/{menu['flow_id']}"
    form = await (await client.post(path, json={"next_step_id": "spool"})).json()
    shown = {field["name"]: field for field in form["data_schema"]}
    assert {"min", "max"} <= shown["max_size"]["selector"]["number"].keys()
    values = {name: field["description"]["suggested_value"] for name, field in shown.items()}

    body = json.dumps({**values, "max_size": "@"}).replace('"@"', absurd)
    headers = {"Content-Type": "application/json"}
    reply = await client.post(path, data=body, headers=headers)
    again = await reply.json()
    assert again["errors"].keys() == {"max_size"}

    reply = await client.post(path, json=values)
    assert (await reply.json())["type"] == "create_entry"
    json_bytes(dict(entry.options))
    await hass.async_block_till_done()


async def test_numbers_in_free_forms_are_stored_as_text(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    page = await open_page(hass, entry, "points")
    result = await fill_in(hass, page, profile="core")
    entered = {"measurement_attr": "unit_of_measurement", "tags": {"a": 2**70, "b": math.nan}}
    result = await fill_in(hass, result, **entered)
    while "confirmed" in result.get("menu_options", ()):
        result = await confirm(hass, result)
    assert entry.options["core"]["tags"] == {"a": "1180591620717411303424", "b": "nan"}
    json_bytes(dict(entry.options))


@pytest.mark.parametrize("absurd", ABSURD, ids=str)
async def test_an_absurd_interval_of_a_data_api_is_refused_with_a_sentence(
    hass: HomeAssistant, entry: MockConfigEntry, absurd: Any
) -> None:
    await set_up(hass, entry)
    flows = hass.config_entries.subentries
    result = await flows.async_init((entry.entry_id, "data_api"), context={"source": "user"})
    entered = {"url": "http://127.0.0.1:9", "verify_ssl": True, "refresh": absurd}

    result = await flows.async_configure(result["flow_id"], entered)

    assert (result["type"], result["errors"]) == (FlowResultType.FORM, {"refresh": "out_of_range"})
    words = WORDS["config_subentries"]["data_api"]["error"]["out_of_range"]
    assert words.format(**(result["description_placeholders"] or {}))
    assert not entry.subentries


@pytest.mark.parametrize(("stored", "seconds"), [(10**21, 86_400), (-1, 300), (math.nan, 1800)])
def test_an_absurd_interval_of_a_data_api_is_read_as_the_nearest_possible(
    stored: float, seconds: float
) -> None:
    assert refresh_seconds({"refresh": stored}) == seconds


@pytest.mark.parametrize("stored", [500.5, "500.5", "500"])
def test_a_number_that_has_to_be_whole_is_read_as_one(stored: Any) -> None:
    found = delivery_settings({"spool": {"request_points": stored}}).request_points
    assert (found, type(found)) == (500, int)
