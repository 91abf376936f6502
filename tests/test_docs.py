"""The documentation says what the code does: names, defaults, parameters, links and examples."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.util.yaml import load_yaml_dict, parse_yaml

from custom_components.ha_ingestor.entities.data_api_sensor import REGISTRY_DESCRIPTIONS
from custom_components.ha_ingestor.flows.options import PAGES
from custom_components.ha_ingestor.metadata_store.answers import DEVICES, ENTITIES, Listing
from custom_components.ha_ingestor.options.noise import RULE_FIELDS
from custom_components.ha_ingestor.options.number import Number
from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder, Profile
from custom_components.ha_ingestor.pipeline.encode.profiles.core import Core
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.encode.profiles.tidy import Tidy
from custom_components.ha_ingestor.pipeline.model import Capture, EntityContext, NoContext
from custom_components.ha_ingestor.sensor import DESCRIPTIONS
from tests.pages import PACKAGE, WORDS

ROOT: Final = PACKAGE.parent.parent
DOCS: Final = ROOT / "docs"
PAGES_OF_TEXT: Final = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
SERVICES: Final = load_yaml_dict(str(PACKAGE / "services.yaml"))
STEPS: Final = WORDS["options"]["step"]

_LINK: Final = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text(name: str) -> str:
    return (DOCS / name).read_text()


def section(page: str, heading: str) -> str:
    """Return what is below a heading, up to the next one of any level."""
    found = re.search(
        rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", page, re.MULTILINE | re.DOTALL
    )
    assert found, heading
    return found[1]


def rows(page: str) -> list[list[str]]:
    """Return the cells of all tables."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    cells = [re.split(r"(?<!\\)\|", line.strip("|")) for line in lines]
    return [[cell.strip().replace("\\|", "|") for cell in row] for row in cells]


def first(page: str) -> set[str]:
    """Return the first cells of all rows, also those that name several things."""
    return {name.strip() for row in rows(page) for name in row[0].split(",")} | {
        row[0] for row in rows(page)
    }


def anchors(file: Path) -> set[str]:
    """Return the anchors that GitHub makes of the headings."""
    headings = _HEADING.findall(_FENCE.sub("", file.read_text()))
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("file", PAGES_OF_TEXT, ids=lambda file: file.name)
def test_a_link_leads_to_a_page_and_a_heading_that_are_there(file: Path) -> None:
    for link in _LINK.findall(_FENCE.sub("", file.read_text())):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_in_the_index() -> None:
    linked = set(_LINK.findall(text("README.md")))
    assert {file.name for file in DOCS.glob("*.md")} - linked == {"README.md"}


def test_the_introduction_stays_one() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 160


def labels() -> Iterator[tuple[str, str, str]]:
    """Yield page, key and label of every field of the options."""
    for key, page in PAGES.items():
        for marker in page.schema.schema:
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
    if default := shown_default(schema[key], defaults.get(key)):
        assert row[1].removesuffix(" hours").split(" MiB")[0].removesuffix(" s") == default


@pytest.mark.parametrize("key", RULE_FIELDS)
def test_every_field_of_a_rule_is_documented(key: str) -> None:
    label = WORDS["selector"]["noise_rule"]["fields"][key]["name"]
    part = section(text("options.md"), "Noise")
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


@pytest.mark.parametrize("step", ["user", "v1", "v2", "v3", "victoriametrics"])
def test_every_field_of_the_set_up_is_documented(step: str) -> None:
    words = WORDS["config"]["step"][step]
    found = {cell for row in rows(text("setup.md")) for cell in row[:2]}
    known = {name.strip() for cell in found for name in re.split(r"[,:]", cell)}
    for part in (words, *words.get("sections", {}).values()):
        assert set(part["data"].values()) <= known


def test_every_field_of_a_data_api_is_documented() -> None:
    fields = WORDS["config_subentries"]["data_api"]["step"]["user"]["data"]
    assert set(fields.values()) <= first(text("data-api.md"))


@pytest.mark.parametrize(
    ("heading", "descriptions"),
    [
        ("Entities of a destination", DESCRIPTIONS),
        ("Entities of a data-api", REGISTRY_DESCRIPTIONS),
    ],
)
def test_every_sensor_is_documented_and_whether_it_is_disabled(
    heading: str, descriptions: Any
) -> None:
    documented = {row[0]: row[1] == "yes" for row in rows(section(text("entities.md"), heading))}
    for each in descriptions:
        name = WORDS["entity"]["sensor"][each.translation_key]["name"]
        assert documented[name] is not each.entity_registry_enabled_default, name


def test_every_binary_sensor_is_documented() -> None:
    names = {each["name"] for each in WORDS["entity"]["binary_sensor"].values()}
    assert names <= first(text("entities.md"))


@pytest.mark.parametrize("issue", WORDS["issues"].values(), ids=WORDS["issues"])
def test_every_repair_is_documented(issue: Mapping[str, Any]) -> None:
    part = " ".join(section(text("entities.md"), "Repairs").split())
    title = issue["title"].removeprefix("{title}: ")
    missing = re.fullmatch("(the .+) is missing", title)
    assert (missing[1] if missing else title) in part


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
    assert {row[0].strip("`") for row in rows(part)} >= SERVICES[name]["fields"].keys()


@pytest.mark.parametrize("listing", [DEVICES, ENTITIES], ids=lambda listing: listing.table)
def test_every_parameter_of_a_list_is_documented(listing: Listing) -> None:
    column = {"devices": 1, "entities": 2}[listing.table]
    known = {
        name.strip("` ")
        for row in rows(section(text("http-api.md"), "Parameters"))
        for name in row[0].split(",")
        if row[column]
    }
    assert known - {"parameter", "---"} == {"limit", "offset", *listing.filters}


def dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


@pytest.mark.parametrize(
    ("heading", "profile"),
    [
        ("HomeIQ", HomeIQ(dumps=dumps, location="Home")),
        ("Tidy", Tidy(dumps=dumps, location="Home")),
        ("As the built-in InfluxDB integration", Core()),
        ("VictoriaMetrics", HomeIQ(dumps=dumps, location="Home", numbers_only=True)),
    ],
)
def test_an_example_is_what_the_profile_writes(heading: str, profile: Profile) -> None:
    attributes = {
        "state_class": "measurement",
        "unit_of_measurement": "W",
        "device_class": "power",
        "friendly_name": "Washer power",
    }
    washer = EntityContext(
        entity_id="sensor.washer_power",
        domain="sensor",
        integration="shelly",
        area_id="laundry",
        area="Laundry",
        floor="Ground floor",
        device_id="d1f0",
        device="Washer",
        manufacturer="Shelly",
        model="Plug S",
        sw_version="1.4",
    )
    old, new = (
        SimpleNamespace(
            state=state,
            attributes=attributes,
            last_changed_timestamp=seconds,
            last_updated_timestamp=seconds,
        )
        for state, seconds in (("3.1", 1795651190.0), ("412.5", 1795651200.25))
    )
    context = replace(NoContext(), id="01KAYQ4A3V")
    (line,) = Encoder(profile=profile).encode([Capture(washer, new, old, 0.0, context)]).lines

    ((_, example),) = _FENCE.findall(section(text("points.md"), heading))
    # Wrapped for reading: behind a comma, and where line protocol has its spaces.
    parts = [part.strip() for part in example.splitlines()]
    assert "".join(part if part.endswith(",") else f"{part} " for part in parts).strip() == line


@pytest.mark.parametrize("number", range(3))
async def test_an_example_of_an_automation_is_valid(hass: HomeAssistant, number: int) -> None:
    blocks = [block for kind, block in _FENCE.findall(text("examples.md")) if kind == "yaml"]
    assert len(blocks) == 3
    automation = parse_yaml(blocks[number])
    assert isinstance(automation, dict)
    assert automation.keys() <= {"triggers", "conditions", "actions"}
    cv.TRIGGER_SCHEMA(automation["triggers"])
    cv.CONDITIONS_SCHEMA(automation.get("conditions", []))
    cv.SCRIPT_SCHEMA(automation["actions"])
    ours = {each["action"] for each in automation["actions"] if "ha_ingestor" in each["action"]}
    assert ours <= {f"ha_ingestor.{name}" for name in SERVICES}


@pytest.mark.parametrize(
    "file", sorted((DOCS / "blueprints").iterdir()), ids=lambda file: file.stem
)
def test_a_blueprint_is_one(file: Path) -> None:
    blueprint = Blueprint(
        load_yaml_dict(str(file)),
        path=file.name,
        expected_domain="automation",
        schema=AUTOMATION_BLUEPRINT_SCHEMA,
    )
    assert blueprint.validate() is None
    assert blueprint.metadata["source_url"].endswith(str(file.relative_to(ROOT)))
