"""The files that Home Assistant's own validator reads, held to its rules as they are documented."""

import ast
import json
import re
import struct
from collections.abc import Iterator, Mapping
from string import Formatter
from typing import Any, Final

import pytest
from awesomeversion import AwesomeVersion, AwesomeVersionStrategy
from homeassistant.const import __version__ as HA_VERSION  # noqa: N812
from homeassistant.helpers.selector import validate_selector
from homeassistant.util.yaml import load_yaml_dict

from tests.pages import LANGUAGES, PACKAGE, WORDS

ICONS: Final = json.loads((PACKAGE / "icons.json").read_text())
MANIFEST: Final = json.loads((PACKAGE / "manifest.json").read_text())
SERVICES: Final = load_yaml_dict(str(PACKAGE / "services.yaml"))
# Lower-case letters, digits, hyphens and underscores, neither of which comes first, last or twice.
ROOT: Final = PACKAGE.parent.parent
KEY: Final = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
SLUG: Final = re.compile(r"[a-z0-9_]+")
FLOWS: Final = {
    "config": WORDS["config"],
    "options": WORDS["options"],
    **{f"subentry {name}": flow for name, flow in WORDS["config_subentries"].items()},
    **{
        f"issue {key}": words["fix_flow"]
        for key, words in WORDS["issues"].items()
        if "fix_flow" in words
    },
}
STEP: Final = {
    *("title", "description", "data", "data_description"),
    *("menu_options", "menu_option_descriptions", "submit", "sections"),
}


def texts(words: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every sentence with its path."""
    if isinstance(words, Mapping):
        for key, value in words.items():
            yield from texts(value, f"{path}.{key}".removeprefix("."))
    else:
        yield path, words


def keys() -> Iterator[tuple[str, str]]:
    """Yield the keys that stand for a choice, a state or a field, with where they are."""
    for name, words in WORDS["selector"].items():
        for part in ("options", "choices", "fields", "unit_of_measurement"):
            yield from ((f"selector.{name}.{part}", key) for key in words.get(part, {}))
    for source, tree in (("words", WORDS["entity"]), ("icons", ICONS["entity"])):
        for domain, entities in tree.items():
            for name, entity in entities.items():
                where = f"{source}.{domain}.{name}"
                yield where, name
                yield from ((f"{where}.state", key) for key in entity.get("state", {}))
                for attribute, told in entity.get("state_attributes", {}).items():
                    yield f"{where}.state_attributes", attribute
                    yield from ((f"{where}.{attribute}", key) for key in told.get("state", {}))
    for name, service in WORDS["services"].items():
        yield "services", name
        yield from ((f"services.{name}", key) for key in service.get("fields", {}))


def test_a_key_of_a_translation_is_a_possible_one() -> None:
    assert [found for found in keys() if not KEY.fullmatch(found[1])] == []


def test_names_of_groups_are_slugs() -> None:
    groups = (
        *WORDS["selector"],
        *WORDS["config_subentries"],
        *WORDS["exceptions"],
        *WORDS["entity"],
        *SERVICES,
    )
    assert [name for name in groups if not SLUG.fullmatch(name)] == []


def faults(path: str, text: str) -> Iterator[str]:
    """Say what is wrong with a sentence."""
    if not text or text != text.strip():
        yield "empty, or with spaces around it"
    if re.search(r"<[a-z]", text, re.IGNORECASE):
        yield "HTML"
    if re.search(r"'\{\w+\}'", text):
        yield "a placeholder in quotes, which is not filled in"
    if re.search(r"(?:\w+://|www\.)[a-z0-9]", text, re.IGNORECASE):
        yield "an address"
    if "[%" in text:
        yield "a reference"
    names = [name for _, name, _, _ in Formatter().parse(text) if name]
    if not all(name.isidentifier() for name in names):
        yield "a placeholder that is no identifier"
    if names and path.startswith("entity."):
        yield "a placeholder where there is none to fill in"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_of_a_translation_has_no_markup_and_no_address(language: str) -> None:
    found = texts(LANGUAGES[language])
    assert [(path, fault) for path, text in found for fault in faults(path, text)] == []


@pytest.mark.parametrize(
    "text", ["", " a", "<b>a</b>", "'{a}'", "see http://a.b", "[%key:a%]", "{a b}"]
)
def test_markup_and_addresses_in_a_text_are_found(text: str) -> None:
    assert list(faults("config.step.user.title", text))


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_in_the_translations_has_only_keys_that_hassfest_allows(name: str) -> None:
    flow = FLOWS[name]
    subentry = {"entry_type", "initiate_flow"} if name.startswith("subentry") else set()
    assert flow.keys() <= {"step", "error", "abort", "progress", "create_entry", *subentry}
    assert subentry <= flow.keys()
    for step in flow["step"].values():
        assert step.keys() <= STEP
        assert step.get("data_description", {}).keys() <= step.get("data", {}).keys()
        assert (
            step.get("menu_option_descriptions", {}).keys() <= step.get("menu_options", {}).keys()
        )
        for section in step.get("sections", {}).values():
            assert section.keys() <= {"name", "description", "data", "data_description"}


def test_an_issue_has_a_title_and_either_a_description_or_a_dialogue() -> None:
    for key, words in WORDS["issues"].items():
        assert words.keys() in ({"title", "description"}, {"title", "fix_flow"}), key


def test_the_parts_of_the_translations_are_those_that_exist() -> None:
    assert WORDS.keys() <= {
        *("config", "options", "config_subentries", "selector", "entity", "issues"),
        *("exceptions", "services", "system_health", "device", "common", "config_panel"),
    }
    for words in WORDS["exceptions"].values():
        assert words.keys() == {"message"}
    assert WORDS["system_health"].keys() == {"info"}
    # The validator takes no groups here.
    assert all(isinstance(words, str) for words in WORDS.get("common", {}).values())


def test_every_action_and_every_field_of_it_has_words_and_an_icon_and_there_are_no_others() -> None:
    assert SERVICES.keys() == WORDS["services"].keys() == ICONS["services"].keys()
    for name, service in SERVICES.items():
        words = WORDS["services"][name]
        assert words.keys() <= {"name", "description", "fields", "sections"}
        assert (service or {}).keys() <= {"fields", "target"}
        fields = (service or {}).get("fields", {})
        assert fields.keys() == words.get("fields", {}).keys()
        for field, described in fields.items():
            assert described.keys() <= {"example", "default", "required", "advanced", "selector"}
            validate_selector(described["selector"])
            assert words["fields"][field].keys() == {"name", "description"}


def test_icons_are_of_the_one_set_and_for_entities_that_have_a_name() -> None:
    assert ICONS.keys() <= {"entity", "services"}
    for icon in ICONS["services"].values():
        assert icon.keys() == {"service"}
    for domain, entities in ICONS["entity"].items():
        for name, entity in entities.items():
            assert name in WORDS["entity"][domain]
            assert entity.keys() <= {"default", "state", "state_attributes", "range"}
    assert [icon for _, icon in texts(ICONS) if not re.fullmatch(r"mdi:[a-z0-9-]+", icon)] == []


def test_the_manifest_has_what_a_custom_integration_needs_in_its_order() -> None:
    assert {"domain", "name", "codeowners", "documentation", "issue_tracker", "version"} <= set(
        MANIFEST
    )
    assert list(MANIFEST) == ["domain", "name", *sorted(MANIFEST.keys() - {"domain", "name"})]
    assert MANIFEST["domain"] == PACKAGE.name


def test_the_manifest_says_only_what_the_validator_knows() -> None:
    assert MANIFEST.keys() <= {
        *("domain", "name", "after_dependencies", "codeowners", "config_flow", "dependencies"),
        *("documentation", "integration_type", "iot_class", "issue_tracker", "loggers"),
        *("quality_scale", "requirements", "single_config_entry", "version"),
    }
    assert re.fullmatch(r"[a-z0-9_-]+", MANIFEST["domain"])
    assert MANIFEST["integration_type"] == "service"
    assert MANIFEST["iot_class"] in {"local_push", "cloud_push"}
    for key in ("documentation", "issue_tracker"):
        assert MANIFEST[key].startswith("https://github.com/")
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", each) for each in MANIFEST["requirements"])
    assert all(owner.startswith("@") for owner in MANIFEST["codeowners"])
    assert AwesomeVersion(MANIFEST["version"]).strategy is AwesomeVersionStrategy.SEMVER


# What may be used without being declared: it is there in every home, or can be imported without.
ALWAYS_THERE: Final = {"automation", "persistent_notification", "script", "system_health"}


def test_every_component_that_is_used_is_declared() -> None:
    used: set[str] = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.ImportFrom) or node.level or node.module is None:
                continue
            if node.module == "homeassistant.components":
                used.update(each.name for each in node.names)
            elif node.module.startswith("homeassistant.components."):
                used.add(node.module.split(".")[2])
    declared = {*MANIFEST["dependencies"], *MANIFEST["after_dependencies"]}
    undeclared = used - declared - ALWAYS_THERE
    # The others are what one of our modules is for.
    assert [name for name in sorted(undeclared) if not (PACKAGE / f"{name}.py").exists()] == []
    assert "sensor" in undeclared
    assert not set(MANIFEST["dependencies"]) & set(MANIFEST["after_dependencies"])


def test_the_marketplace_and_hacs_find_one_integration_and_its_archive() -> None:
    hacs = json.loads((ROOT / "hacs.json").read_text())
    assert hacs.keys() <= {
        *("name", "homeassistant", "zip_release", "filename", "hide_default_branch"),
        *("content_in_root", "persistent_directory", "country", "hacs", "render_readme"),
    }
    # With an archive the branch cannot be installed.
    assert (hacs["name"], hacs["zip_release"], hacs["hide_default_branch"]) == (
        *("HA Ingestor", True, True),
    )
    assert hacs["filename"] == f"{MANIFEST['domain']}.zip"
    oldest = AwesomeVersion(hacs["homeassistant"])
    assert oldest <= AwesomeVersion(HA_VERSION)
    year_and_month = ".".join(str(oldest).split(".")[:2])
    assert f"Home Assistant {year_and_month} or newer" in (ROOT / "README.md").read_text()
    folders = [each.name for each in PACKAGE.parent.iterdir() if each.name != "__pycache__"]
    assert folders == [MANIFEST["domain"]]
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")


@pytest.mark.parametrize("name", ["icon", "dark_icon", "logo", "dark_logo"])
def test_a_picture_of_the_brand_has_the_size_that_is_asked_for(name: str) -> None:
    for suffix, factor in (("", 1), ("@2x", 2)):
        content = (PACKAGE / "brand" / f"{name}{suffix}.png").read_bytes()
        assert content.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", content[16:24])
        if name.endswith("icon"):
            assert (width, height) == (256 * factor, 256 * factor)
        else:
            assert 128 * factor <= min(width, height) <= 256 * factor
