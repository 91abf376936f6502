"""The panel in the sidebar: who sees it, for how long, and where its files are."""

import json
import re
import subprocess
from http import HTTPStatus
from pathlib import Path
from shutil import which
from typing import Any, Final

import pytest
from homeassistant.components.frontend import DATA_PANELS
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ha_ingestor.const import DOMAIN
from custom_components.ha_ingestor.health.condition import PROBLEMS
from custom_components.ha_ingestor.health.websocket.sample import SAMPLE_POINTS
from custom_components.ha_ingestor.options.criteria import CRITERIA
from custom_components.ha_ingestor.panel import FILES
from tests.docs.reading import rows, section, text
from tests.emulator import Emulator
from tests.pages import WORDS
from tests.shell import new_entry, set_up

PATH: Final = "ha-ingestor"
TEXTS: Final = WORDS["config_panel"]


def panel(hass: HomeAssistant) -> Any:
    """Return the panel as it is registered, or None."""
    return hass.data.get(DATA_PANELS, {}).get(PATH)


async def test_the_panel_is_for_administrators_and_hides_no_options(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    assert panel(hass).require_admin
    # With a config panel the options could not be reached any more.
    assert panel(hass).config_panel_domain is None
    assert panel(hass).sidebar_title == "HA Ingestor"


async def test_without_a_destination_there_is_no_panel(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    assert panel(hass) is None


async def test_every_module_is_served_below_a_path_that_changes_with_the_content(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    client = await hass_client_no_auth()
    root = panel(hass).config["modules"]
    assert panel(hass).config["_panel_custom"]["module_url"] == f"{root}/panel.js"
    for file in FILES.glob("*.js"):
        answer = await client.get(f"{root}/{file.name}")
        assert answer.status == HTTPStatus.OK
        assert "javascript" in answer.headers["Content-Type"]
        assert await answer.text() == file.read_text()


async def test_the_panel_stays_while_the_only_destination_is_reloaded(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await set_up(hass, entry)
    before = panel(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert panel(hass) is before
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert panel(hass) is before


async def test_the_panel_goes_with_the_last_destination_that_is_enabled(
    hass: HomeAssistant, entry: MockConfigEntry, database: Emulator
) -> None:
    await set_up(hass, entry)
    other = new_entry(database.url, database="other")
    await set_up(hass, other)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert panel(hass)
    await hass.config_entries.async_remove(other.entry_id)
    assert panel(hass) is None
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await hass.async_block_till_done()
    assert panel(hass)


def imported(name: str, found: set[str] | None = None) -> set[str]:
    """Return a module and all that it imports at once."""
    found = set() if found is None else found
    if name not in found:
        found.add(name)
        for each in re.findall(
            r'^import .*"./(\w+\.js)";$', (FILES / name).read_text(), re.MULTILINE
        ):
            imported(each, found)
    return found


def test_what_a_browser_loads_is_small() -> None:
    """With comments: they are served as they are, and Home Assistant compresses nothing."""
    (names,) = re.findall(r"PAGES = \[(.+)\];", (FILES / "panel.js").read_text())
    pages = {f"{name}.js" for name in re.findall(r'"([a-z]+)"', names)}
    assert pages
    for page in pages:
        loaded = imported("panel.js") | imported(page)
        assert sum((FILES / name).stat().st_size for name in loaded) <= 60_000, page
    everything = set().union(*map(imported, {"panel.js", *pages}))
    assert everything == {file.name for file in FILES.glob("*.js")}
    assert sum(file.stat().st_size for file in FILES.glob("*.js")) <= 100_000


@pytest.mark.parametrize("word", ["innerHTML", "outerHTML", "insertAdjacentHTML", "eval("])
def test_no_module_makes_markup_of_data(word: str) -> None:
    assert [file.name for file in FILES.glob("*.js") if word in file.read_text()] == []


def texts(group: str) -> set[str]:
    """Return the keys of a group of texts."""
    return set(TEXTS[group])


@pytest.mark.parametrize("file", sorted(FILES.glob("*.js")), ids=lambda file: file.name)
def test_every_text_that_a_module_asks_for_is_there(file: Path) -> None:
    source = file.read_text()
    # A module has the texts of one group by their keys alone.
    for group in re.findall(r'words\.group\("([a-z_]+)"\)', source):
        for key in re.findall(r'\b_?say\("([^"]+)"', source):
            assert isinstance(TEXTS[group][key], str), key
        for pair in re.findall(r'\b_?say\([^()]* \? "([^"]+)" : "([^"]+)"\)', source):
            assert set(pair) <= texts(group)
    for key in re.findall(r'\.text\("([^"]+)"', source):
        group, _, name = key.rpartition(".")
        assert isinstance((TEXTS[group] if group else TEXTS)[name], str), key
    for pair in re.findall(r'words\.text\([^)]*\? "([^"]+)" : "([^"]+)"\)', source):
        for key in pair:
            group, _, name = key.partition(".")
            assert isinstance(TEXTS[group][name], str), key
    for group in re.findall(r"\.text\(`([a-z_]+)\.", source):
        assert group in TEXTS


def test_the_page_says_how_many_points_there_are_at_most() -> None:
    for file in FILES.with_name("translations").glob("*.json"):
        said = json.loads(file.read_text())["config_panel"]["points"]["live"]
        assert re.findall(r"\d+", said) == [str(SAMPLE_POINTS)], file.name


def test_every_situation_and_its_advice_has_a_text() -> None:
    source = (FILES / "situation.js").read_text()
    words = set(re.findall(r'"([a-z_]+)"', source))
    assert texts("says") <= words
    told = re.findall(r'told\("[a-z]+", "([a-z_]+)"(?:, "([a-z]+)")?', source)
    assert {key for key, _ in told} == texts("says") - {"ok", "ok_all"}
    assert texts("waits") - {"filling", "memory"} <= texts("says")
    advice = set(re.findall(r'^  [a-z_]+: "([a-z]+)",$', source, re.MULTILINE))
    assert advice | {remedy for _, remedy in told if remedy} == texts("advice")


def test_a_refusal_without_the_name_of_a_rule_is_one_of_the_options() -> None:
    assert texts("refused") <= set(WORDS["options"]["error"])


def test_every_problem_that_lasts_has_an_advice() -> None:
    source = (FILES / "situation.js").read_text()
    known = set(re.findall(r'^  ([a-z_]+): "[a-z]+",$', source, re.MULTILINE))
    # What has a sentence of its own has its advice there.
    known |= set(re.findall(r'concern === "([a-z_]+)"', source))
    assert known == set(PROBLEMS) - {"none", "too_large"}


def test_every_reason_of_the_ledger_that_is_documented_has_a_text() -> None:
    told = [row[1] for row in rows(section(text("points.md"), "Not captured"))]
    documented = set(re.findall(r"`([a-z_]+)`", " ".join(told)))
    assert documented | {"deduplicated"} == texts("reason")
    assert texts("criterion") == set(CRITERIA)


def test_every_reason_for_no_points_and_every_change_has_a_text() -> None:
    found = re.findall(r'return "([a-z]+)";', (FILES / "reasons.js").read_text())
    assert set(found) == texts("hindrance")
    (kinds,) = re.findall(r"CHANGES = \[(.+)\];", (FILES / "entities.js").read_text())
    for kind in re.findall(r'"([a-z]+)"', kinds):
        assert {kind, f"title_{kind}"} <= texts("change")
    (groups,) = re.findall(r"GROUPS = \[(.+)\];", (FILES / "entities.js").read_text())
    assert set(re.findall(r'"([a-z_]+)"', groups)) | {"none", "label"} == texts("group")


def test_every_row_of_the_sources_and_every_table_has_a_text() -> None:
    source = (FILES / "origins.js").read_text()
    facts = set(re.findall(r'\["([a-z_]+)", ', source)) - {"running"}
    facts |= {"last_connected", "was_connected"}
    notes = {
        word for note in re.findall(r"note: (.+)", source) for word in re.findall(r'"(\w+)"', note)
    } - {"waiting"}
    states = {"connected", "not_connected", "unknown"}
    known = {"local", "add", "connect", "stop", "stop_question"}
    assert facts | notes | states | known == texts("origin")
    source = (FILES / "registries.js").read_text()
    tables, changes = re.findall(r"^const [A-Z]+ = \[(.+)\];$", source, re.MULTILINE)
    assert set(re.findall(r'"([a-z]+)"', tables)) == texts("table")
    assert set(re.findall(r'"([a-z]+)"', changes)) <= texts("registries")
    assert set(re.findall(r'^      \["([a-z_]+)", ', source, re.MULTILINE)) <= texts("registries")


@pytest.mark.skipif(which("node") is None, reason="no node")
def test_the_tests_of_the_frontend_modules_pass_in_node() -> None:
    tests = Path(__file__).parent / "frontend"
    run = subprocess.run(  # noqa: S603  our own files
        [str(which("node")), "--test", *map(str, sorted(tests.glob("*.test.mjs")))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
