"""The documentation has the names, defaults and parameters that the code has."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
from homeassistant.data_entry_flow import section as section_of_form

from custom_components.ha_ingestor.entities.buttons import BUTTONS, DATA_API_BUTTONS
from custom_components.ha_ingestor.entities.data_api import DATA_API_SENSORS
from custom_components.ha_ingestor.entities.descriptions import SENSORS
from custom_components.ha_ingestor.flows.options import PAGES
from custom_components.ha_ingestor.health.http.metric_table import NUMBERS
from custom_components.ha_ingestor.health.http.metrics import metrics
from custom_components.ha_ingestor.health.self_test import Verdict
from custom_components.ha_ingestor.metadata_store.listings import DEVICES, ENTITIES, Listing
from custom_components.ha_ingestor.options.noise import RULE_FIELDS
from custom_components.ha_ingestor.options.number import Number
from custom_components.ha_ingestor.pipeline.encode.own_points import Fault
from custom_components.ha_ingestor.websocket_api import COMMANDS
from tests.pages import WORDS

from .reading import SERVICES, first, rows, section, text

STEPS: Final = WORDS["options"]["step"]


def labels() -> Iterator[tuple[str, str, str]]:
    """Yield page, key and label of every field of the options."""
    for key, page in PAGES.items():
        for marker, field in page.schema.schema.items():
            if isinstance(field, section_of_form):
                words = STEPS[key]["sections"][str(marker)]["data"]
                yield from ((key, str(each), words[str(each)]) for each in field.schema.schema)
            else:
                yield key, str(marker), STEPS[key]["data"][str(marker)]


def shown_default(selector: Any, value: Any) -> str:
    """Return the word of a default that has one."""
    if isinstance(value, bool) and "translation_key" not in selector.config:
        return "on" if value else "off"
    if isinstance(selector, Number):
        return f"{value:g}"
    key = selector.config.get("translation_key")
    options = WORDS["selector"].get(key, {}).get("options", {})
    return options.get(value, "") if isinstance(value, str) else ""


@pytest.mark.parametrize(("page", "key", "label"), labels())
def test_every_option_is_documented_with_its_default(page: str, key: str, label: str) -> None:
    part = section(text("options.md"), STEPS[page]["title"])
    (row,) = (row for row in rows(part) if row[0] == label)
    schema = {str(marker): selector for marker, selector in PAGES[page].schema.schema.items()}
    defaults = PAGES[page].shown(PAGES[page].defaults)
    if key in schema and (default := shown_default(schema[key], defaults.get(key))):
        assert row[1].removesuffix(" hours").split(" MiB")[0].removesuffix(" s") == default


@pytest.mark.parametrize("key", RULE_FIELDS)
def test_every_field_of_a_rule_is_documented(key: str) -> None:
    label = WORDS["selector"]["noise_rule"]["fields"][key]["name"]
    part = section(text("options.md"), "Thinning and heartbeat")
    assert f"**{label}**" in part or label in first(part)


def test_every_tag_to_choose_is_documented_where_it_is_offered() -> None:
    offered: dict[str, set[str]] = {"HomeIQ": set(), "Tidy": set()}
    for tag, _, where in rows(section(text("options.md"), "Tags to choose")):
        for profile in where.split(", "):
            if profile in offered:
                offered[profile].add(tag.strip("`"))
    for key, profile in (("homeiq", "HomeIQ"), ("tidy", "Tidy")):
        schema = {str(marker): selector for marker, selector in PAGES[key].schema.schema.items()}
        assert offered[profile] == set(schema["tags"].config["options"])


@pytest.mark.parametrize(
    "step",
    [
        "user",
        "v1",
        "v2",
        "v3",
        "victoriametrics",
        "v1_place",
        "v2_place",
        "v3_place",
        "create_bucket",
    ],
)
def test_every_field_of_the_set_up_is_documented(step: str) -> None:
    words = WORDS["config"]["step"][step]
    found = {cell for row in rows(text("setup.md")) for cell in row[:2]}
    known = {name.strip() for cell in found for name in re.split(r"[,:]", cell)}
    for part in (words, *words.get("sections", {}).values()):
        assert set(part["data"].values()) <= known


@pytest.mark.parametrize(
    ("kind", "page"),
    [("data_api", "data-api.md"), ("remote", "remote.md"), ("mqtt", "mqtt.md")],
)
def test_every_field_of_what_a_destination_has_beside_its_database_is_documented(
    kind: str, page: str
) -> None:
    known = first(text(page))
    for step in WORDS["config_subentries"][kind]["step"].values():
        # The lists of a filter are those of the options.
        advanced = step.get("sections", {}).get("advanced", {})
        for part in (step, advanced):
            assert set(part.get("data", {}).values()) <= known


def test_every_field_of_an_mqtt_topic_is_documented() -> None:
    labels = {each["name"] for each in WORDS["selector"]["mqtt_topic"]["fields"].values()}
    assert labels <= first(text("mqtt.md"))


@pytest.mark.parametrize(
    ("heading", "descriptions"),
    [
        ("Entities of a destination", SENSORS),
        ("Entities of a data-api", DATA_API_SENSORS),
    ],
)
def test_every_sensor_is_documented_and_whether_it_is_disabled(
    heading: str, descriptions: Any
) -> None:
    documented = {row[0]: row[1] == "yes" for row in rows(section(text("entities.md"), heading))}
    for each in descriptions:
        name = WORDS["entity"]["sensor"][each.key]["name"]
        assert documented[name] is not each.entity_registry_enabled_default, name


def test_every_button_is_documented_and_whether_it_is_disabled() -> None:
    documented = {
        row[0].split(",")[0]: row[1] == "yes"
        for row in rows(section(text("entities.md"), "Buttons"))
    }
    for each in (*BUTTONS, *DATA_API_BUTTONS):
        name = WORDS["entity"]["button"][each.key]["name"]
        assert documented[name] is not each.entity_registry_enabled_default, name


def test_every_binary_sensor_is_documented() -> None:
    names = {each["name"] for each in WORDS["entity"]["binary_sensor"].values()}
    assert names <= first(text("entities.md"))


@pytest.mark.parametrize("issue", WORDS["issues"].values(), ids=WORDS["issues"])
def test_every_repair_is_documented(issue: Mapping[str, Any]) -> None:
    part = " ".join(section(text("entities.md"), "Repairs").split())
    title = issue["title"].removesuffix(": {title}")
    missing = re.fullmatch("The (.+) is missing", title)
    said = f"the {missing[1]}" if missing else title
    assert said.casefold() in part.casefold()


def test_every_problem_is_in_troubleshooting() -> None:
    page = section(text("troubleshooting.md"), "While it runs")
    states = WORDS["entity"]["sensor"]["status"]["state_attributes"]["problem"]["state"]
    for problem in states.keys() - {"none"}:
        assert states[problem] in first(page)
        assert f"`{problem}`" in page


@pytest.mark.parametrize("key", [*WORDS["config"]["error"], "already_configured"])
def test_every_error_of_the_set_up_is_in_troubleshooting(key: str) -> None:
    words = {**WORDS["config"]["error"], **WORDS["config"]["abort"]}
    said = {row[0] for row in rows(section(text("troubleshooting.md"), "While it is set up"))}
    assert any(words[key].startswith(beginning) for beginning in said - {"message"})


@pytest.mark.parametrize("name", SERVICES)
def test_every_action_is_documented_with_its_parameters(name: str) -> None:
    part = section(text("actions.md"), WORDS["services"][name]["name"])
    assert f"`ha_ingestor.{name}`" in part
    assert {row[0].strip("`") for row in rows(part)} >= (SERVICES[name] or {}).get(
        "fields", {}
    ).keys()


def test_every_verdict_of_the_self_test_is_documented_and_has_a_text() -> None:
    documented = first(section(text("actions.md"), "Self-test"))
    for verdict in Verdict:
        assert f"`{verdict}`" in documented
        assert f"self_test_{verdict}" in WORDS["common"]


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_of_a_point_has_a_text(fault: Fault) -> None:
    assert "{number}" in WORDS["exceptions"][fault]["message"]


@pytest.mark.parametrize("listing", [DEVICES, ENTITIES], ids=lambda listing: listing.table)
def test_every_parameter_of_a_list_is_documented(listing: Listing) -> None:
    column = {"devices": 1, "entities": 2}[listing.table]
    known = {
        name.strip("` ")
        for row in rows(section(text("http-api.md"), "Parameters"))
        for name in row[0].split(",")
        if row[column]
    }
    assert known - {"parameter", "---"} == {"limit", "offset", "instance", *listing.filters}


def test_every_metric_is_documented_with_its_type_and_its_labels() -> None:
    table = [row for row in rows(section(text("http-api.md"), "Metrics")) if len(row) == 4]
    kinds = {name.strip("`"): kind for name, kind, *_ in table if name.startswith("`")}
    served = re.findall(r"^# TYPE (\S+) (\S+)$", metrics([], "1.0").decode(), re.MULTILINE)
    assert kinds == dict(served)
    labels = {name.strip("`").removesuffix("_total"): label for name, _, label, _ in table}
    for each in NUMBERS:
        wanted = f"`{each.label}`" if each.label else ""
        assert labels[f"ha_ingestor_{each.name}"] == wanted


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented_with_its_parameters(command: Any) -> None:
    name = command._ws_command
    assert f"`{name}`" in text("websocket-api.md")
    parameters = {str(marker) for marker in command._ws_schema.schema} - {"id", "type"}
    short = name.partition("/")[2]
    documented = {
        parameter.strip("`")
        for parameter, commands, *_ in rows(text("websocket-api.md"))
        if commands == "all" or f"`{short}`" in commands
    }
    assert documented == parameters


def test_every_row_of_the_system_information_is_documented() -> None:
    documented = first(section(text("troubleshooting.md"), "System information"))
    assert set(WORDS["system_health"]["info"].values()) <= documented
