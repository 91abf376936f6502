"""Every text that the code asks for is there in every language, and there are no others."""

import ast
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from string import Formatter
from typing import Any, Final

import pytest
from homeassistant import const
from homeassistant.const import EntityCategory
from homeassistant.helpers.entity import EntityDescription

from custom_components.ha_ingestor.clients.homeassistant.errors import Problem as RemoteProblem
from custom_components.ha_ingestor.clients.homeassistant.registries import Registries
from custom_components.ha_ingestor.data_api.sync import SyncState
from custom_components.ha_ingestor.entities.buttons import BUTTONS, DATA_API_BUTTONS
from custom_components.ha_ingestor.entities.data_api import (
    DATA_API_BINARY_SENSORS,
    DATA_API_SENSORS,
)
from custom_components.ha_ingestor.entities.descriptions import BINARY_SENSORS, SENSORS
from custom_components.ha_ingestor.entities.mqtt import MQTT_BINARY_SENSORS, MQTT_SENSORS
from custom_components.ha_ingestor.entities.remote import REMOTE_BINARY_SENSORS, REMOTE_SENSORS
from custom_components.ha_ingestor.flows.mqtt_preview import PREVIEWS
from custom_components.ha_ingestor.flows.remote import address_schema
from custom_components.ha_ingestor.health.issues import issues, remote
from custom_components.ha_ingestor.health.readings import ALL_DISABLED, NO_DESTINATION
from custom_components.ha_ingestor.health.self_test import Verdict
from custom_components.ha_ingestor.health.texts.own_reasons import OWN_REASONS, SYSTEM_REASONS
from custom_components.ha_ingestor.metadata_store import metadata_sync
from custom_components.ha_ingestor.options.core import PAGE
from custom_components.ha_ingestor.options.mqtt import PRESETS_SCHEMA, ROW
from custom_components.ha_ingestor.options.mqtt import SCHEMA as TOPICS_SCHEMA
from custom_components.ha_ingestor.options.remote import schema
from custom_components.ha_ingestor.pipeline.encode.message_shape import Refusal
from custom_components.ha_ingestor.pipeline.encode.own_points import Fault
from custom_components.ha_ingestor.pipeline.encode.profiles.core_settings import MEASUREMENT_ATTRS
from custom_components.ha_ingestor.pipeline.export.result import Problem
from custom_components.ha_ingestor.pipeline.ledger import NO_NUMBER
from custom_components.ha_ingestor.sources.mqtt.health import MqttState
from custom_components.ha_ingestor.sources.remote.health import RemoteState

from .pages import LANGUAGES, PACKAGE, WORDS, explained, fields

KEY = re.compile(r"^(?!.+[_-]{2})(?![_-])[a-z0-9-_]+(?<![_-])$")
# What Home Assistant calls the parts of its translations.
PARTS: Final = {
    *("config", "options", "config_subentries", "selector", "entity", "issues", "exceptions"),
    *("services", "system_health", "common", "info", "step", "error", "abort", "sections"),
    *("title", "description", "data", "data_description", "menu_options"),
    *("menu_option_descriptions", "entry_type", "initiate_flow", "fix_flow", "fields", "message"),
    *("binary_sensor", "sensor", "button", "name", "state", "state_attributes"),
    "unit_of_measurement",
}
# What a sensor of free text says where there is no text of a server.
FIXED: Final = {"last_error": {*Problem, *SYSTEM_REASONS}}
# The repairs that ask in a form.
FORMS: Final = (
    *("bucket_not_found", "database_not_found", "retention_policy_not_found", "storm"),
    *("data_api_unauthorized", "remote_unauthorized", "remote_given_up"),
    "points_deleted",
)
# What fits into one line of a menu on a screen of 390 pixels.
MENU_MAX: Final = 36
# States and choices that are Home Assistant's own.
VALUES: Final = {"on", "off", *EntityCategory}
CODE: Final = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text())
    for path in PACKAGE.rglob("*.py")
}


def keys(words: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every key with the path to it."""
    if isinstance(words, dict):
        for key, value in words.items():
            yield path, key
            yield from keys(value, f"{path}.{key}")


def texts(words: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text with the path to it."""
    if isinstance(words, dict):
        for key, value in words.items():
            yield from texts(value, f"{path}.{key}")
    else:
        yield path, words


def placeholders(text: str) -> set[str]:
    """Return what is filled in."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_key_is_a_translation_key() -> None:
    assert [f"{path}.{key}" for path, key in keys(WORDS) if not KEY.fullmatch(key)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_the_texts_of_english_in_their_order(language: str) -> None:
    assert list(keys(LANGUAGES[language])) == list(keys(WORDS))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_fills_in_what_the_english_one_does(language: str) -> None:
    english = dict(texts(WORDS))
    other = {
        path: text
        for path, text in texts(LANGUAGES[language])
        if placeholders(text) != placeholders(english.get(path, ""))
    }
    assert other == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_title_says_first_what_is_wrong_as_a_phone_cuts_its_end(language: str) -> None:
    titles = (
        text
        for path, text in texts(LANGUAGES[language]["issues"])
        if path.endswith(".title") and "{title}" in text
    )
    late = [each for each in titles if not re.fullmatch(r"[^{}]+\s?: \{title\}", each)]
    assert late == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", FORMS)
def test_a_form_has_a_title_of_one_line_and_its_text_says_which(key: str, language: str) -> None:
    """Home Assistant draws what is below the title over a second line of it."""
    step = LANGUAGES[language]["issues"][key]["fix_flow"]["step"]["confirm"]
    assert placeholders(step["title"]) == set()
    assert placeholders(step["description"]) & {"name", "destination"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phone_shows_the_choices_of_a_menu_whole(language: str) -> None:
    cut = {
        path: text
        for path, text in texts(LANGUAGES[language])
        if ".menu_options." in path and len(text) > MENU_MAX
    }
    assert cut == {}


def strings(tree: ast.AST) -> Iterator[str]:
    """Yield every string of some code, and those that it has of Home Assistant."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.ImportFrom) and node.module == "homeassistant.const":
            yield from (str(getattr(const, each.name)) for each in node.names)


def panel_words() -> Iterator[str]:
    """Yield every word that the scripts of the panel spell."""
    for script in sorted((PACKAGE / "frontend").glob("*.js")):
        yield from re.findall(r"\w+", script.read_text())


def test_no_text_is_unused() -> None:
    spelled = {text for tree in CODE.values() for text in strings(tree)} | set(panel_words())

    def is_put_together(key: str) -> bool:
        return any(
            (key[: at + 1] in spelled and key[at + 1 :] in spelled)
            or (key[:at] in spelled and key[at:] in spelled)
            for at, character in enumerate(key)
            if character == "_"
        )

    known = PARTS | VALUES | spelled
    unused = {
        f"{path}.{key}"
        for path, key in keys(WORDS)
        if key not in known and not is_put_together(key)
    }
    assert unused == set()


def passed(*functions: str, to: str) -> set[str]:
    """Return the keys that the code passes to functions: texts, and constants of its module."""
    found: set[str] = set()
    for path, tree in CODE.items():
        dotted = path.removesuffix(".py").removesuffix("__init__").replace("/", ".")
        module = import_module(f"custom_components.ha_ingestor.{dotted}".rstrip("."))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] in functions:
                values = [*call.args[:1], *(each.value for each in call.keywords if each.arg == to)]
                given = [
                    choice
                    for value in values
                    for choice in (
                        (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,)
                    )
                ]
                found.update(str(each.value) for each in given if isinstance(each, ast.Constant))
                names = (each.id for each in given if isinstance(each, ast.Name))
                found.update(getattr(module, name) for name in names if name.isupper())
    return found


def test_every_error_of_an_action_has_a_message_and_there_are_no_others() -> None:
    raising = ("wrong_input", "failure", "ServiceValidationError", "HomeAssistantError")
    assert WORDS["exceptions"].keys() == {
        *passed(*raising, "ConfigEntryError", to="translation_key"),
        *(NO_DESTINATION, ALL_DISABLED),
        *Fault,
    }


def test_every_repair_has_texts_and_there_are_no_others() -> None:
    assert WORDS["issues"].keys() == {
        *passed("Issue", to="key"),
        *passed("async_create_issue", to="translation_key"),
        *issues.BLOCKING_PROBLEMS,
        *metadata_sync.ISSUES_ASIDE.values(),
        *(remote.UNAUTHORIZED, remote.GIVEN_UP),
    }


DESCRIPTIONS: Final[Mapping[str, tuple[EntityDescription, ...]]] = {
    "sensor": (*SENSORS, *DATA_API_SENSORS, *REMOTE_SENSORS, *MQTT_SENSORS),
    "binary_sensor": (
        *BINARY_SENSORS,
        *DATA_API_BINARY_SENSORS,
        *REMOTE_BINARY_SENSORS,
        *MQTT_BINARY_SENSORS,
    ),
    "button": (*BUTTONS, *DATA_API_BUTTONS),
}


def test_every_entity_has_a_name_and_there_are_no_others() -> None:
    named = {platform: set(entities) for platform, entities in WORDS["entity"].items()}
    assert named == {
        platform: {each.key for each in descriptions}
        for platform, descriptions in DESCRIPTIONS.items()
    }


@pytest.mark.parametrize("sensor", DESCRIPTIONS["sensor"], ids=lambda sensor: sensor.key)
def test_every_state_of_a_sensor_has_a_name_and_there_are_no_others(sensor: Any) -> None:
    words = WORDS["entity"]["sensor"][sensor.key]
    assert words.get("state", {}).keys() == set(sensor.options or FIXED.get(sensor.key, ()))


@pytest.mark.parametrize(
    ("platform", "description", "state"),
    [
        *(("sensor", each, SyncState()) for each in DATA_API_SENSORS),
        *(("sensor", each, RemoteState()) for each in REMOTE_SENSORS),
        *(("sensor", each, MqttState()) for each in MQTT_SENSORS),
        *(("binary_sensor", each, SyncState()) for each in DATA_API_BINARY_SENSORS),
        *(("binary_sensor", each, RemoteState()) for each in REMOTE_BINARY_SENSORS),
        *(("binary_sensor", each, MqttState()) for each in MQTT_BINARY_SENSORS),
    ],
)
def test_every_attribute_has_a_name_and_there_are_no_others(
    platform: str, description: Any, state: Any
) -> None:
    words = WORDS["entity"][platform][description.key]
    assert words.get("state_attributes", {}).keys() == description.attributes_fn(state).keys()


REMOTE: Final = WORDS["config_subentries"]["remote"]
# What is said of an address, of a name, of a filter and of a number.
REFUSED: Final = {
    *("invalid_url", "url_credentials", "invalid_certificate", "this_home", "already_added"),
    *("name_not_possible", "name_taken"),
    *("not_an_entity_id", "not_a_name", "not_a_pattern", "fits_everything", "in_both_lists"),
    *("text_too_long", "out_of_range", "not_whole"),
}
PROBLEMS: Final = {problem.value for problem in RemoteProblem} - {"none"}


@pytest.mark.parametrize(
    ("step", "asked"),
    [
        ("user", address_schema(has_token=False)),
        ("reconfigure", address_schema(has_token=True)),
        ("capture", schema(Registries())),
    ],
)
def test_every_field_of_a_remote_home_has_a_label_and_an_explanation(step: str, asked: Any) -> None:
    assert explained(REMOTE["step"][step]) == fields(asked)


def test_every_error_of_a_remote_home_has_words_and_there_are_no_others() -> None:
    assert REMOTE["step"].keys() == {"user", "reconfigure", "capture"}
    assert REMOTE["error"].keys() == REFUSED | PROBLEMS
    assert REMOTE["abort"].keys() == {"not_found"}


MQTT: Final = WORDS["config_subentries"]["mqtt"]


def test_every_step_and_every_error_of_mqtt_topics_has_words_and_there_are_no_others() -> None:
    assert MQTT["step"].keys() == {"user", "topics", *PREVIEWS}
    assert explained(MQTT["step"]["user"]) == fields(PRESETS_SCHEMA)
    assert explained(MQTT["step"]["topics"]) == fields(TOPICS_SCHEMA)
    assert WORDS["selector"]["mqtt_topic"]["fields"].keys() == ROW.keys()
    assert MQTT["error"].keys() == {
        *("no_topics", "too_many_topics", "topic_not_possible", "topic_twice", "same_series"),
        *("tag_not_possible", "measurement_reserved", "name_not_possible", "too_many_fields"),
    }
    assert MQTT["abort"].keys() == {"already_configured", "mqtt_not_set_up"}


MISSING: Final = {"bucket_not_found", "database_not_found", "retention_policy_not_found"}
REMOTES: Final = {remote.UNAUTHORIZED, remote.GIVEN_UP}
# What a dialogue of a repair says instead of going on; the errors of a data-api have their test.
ABORTS: Final[Mapping[str, set[str]]] = {
    **{key: {"not_loaded"} for key in (*MISSING, *REMOTES, "storm", "data_api_unauthorized")},
    "credentials_refused": {"not_loaded"},
    "quarantined": {"not_loaded", "nothing_refused", "disk"},
}
ERRORS: Final[Mapping[str, set[str]]] = {
    **{key: {"not_created", "out_of_range", "not_whole"} for key in MISSING},
    **dict.fromkeys(REMOTES, PROBLEMS),
}


def test_every_end_and_every_error_of_a_repair_has_words_and_there_are_no_others() -> None:
    flows = {
        key: words["fix_flow"] for key, words in WORDS["issues"].items() if "fix_flow" in words
    }
    assert {key: set(flow["abort"]) for key, flow in flows.items() if "abort" in flow} == ABORTS
    errors = {key: set(flow["error"]) for key, flow in flows.items() if "error" in flow}
    assert {key: errors[key] for key in errors.keys() - {"data_api_unauthorized"}} == ERRORS


def test_every_end_of_a_dialogue_has_words() -> None:
    ends = {path.rpartition(".abort.")[2] for path, _ in texts(WORDS) if ".abort." in path}
    assert passed("async_abort", to="reason") == ends


def test_every_common_text_is_used_and_there_are_no_others() -> None:
    of_dashboard = {
        text
        for text in strings(CODE["health/dashboard.py"])
        if re.fullmatch(r"dashboard_[a-z_]+", text)
    }
    of_system_health = {
        text
        for text in strings(CODE["system_health.py"])
        if re.fullmatch(r"system_health_[a-z_]+", text)
    }
    facts = ("title", "version", "clock", "retention", "retention_infinite")
    assert WORDS["common"].keys() == {
        "dashboard_title",
        *of_dashboard,
        *of_system_health,
        *(f"system_health_{each}" for each in (NO_DESTINATION, ALL_DISABLED)),
        *(f"self_test_{each}" for each in (*facts, *Verdict)),
        *(f"mqtt_{each}" for each in (*Refusal, NO_NUMBER, "retained_shown")),
        *(f"mqtt_clash_{each}" for each in ("tag", "type", "new_tags")),
        *(f"reason_{each}" for each in OWN_REASONS),
        *("history_done", "history_cancelled"),
        *(f"preview_{each}" for each in ("top", "added", "removed", "unfit")),
        *(f"built_in_{each}" for each in ("filled_in", "left_out", "included", "excluded")),
    }


def test_the_measurements_that_have_no_translation_have_a_label() -> None:
    options = PAGE.schema.schema["measurement_attr"].config["options"]
    assert tuple(option["value"] for option in options) == MEASUREMENT_ATTRS
    assert all(option["label"] != option["value"] for option in options)
