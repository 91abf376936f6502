"""The quality scale names every rule, and evidence that is there."""

import ast
import json
import re
from typing import Final

import pytest
from homeassistant.util.yaml import load_yaml_dict

from tests.pages import PACKAGE, WORDS

ROOT: Final = PACKAGE.parent.parent
RULES: Final = load_yaml_dict(str(PACKAGE / "quality_scale.yaml"))["rules"]
NAMED: Final = {
    "action-setup",
    "appropriate-polling",
    "brands",
    "common-modules",
    "config-flow-test-coverage",
    "config-flow",
    "dependency-transparency",
    "docs-actions",
    "docs-conditions",
    "docs-high-level-description",
    "docs-installation-instructions",
    "docs-removal-instructions",
    "docs-triggers",
    "entity-event-setup",
    "entity-unique-id",
    "has-entity-name",
    "runtime-data",
    "test-before-configure",
    "test-before-setup",
    "unique-config-entry",
    "action-exceptions",
    "config-entry-unloading",
    "docs-configuration-parameters",
    "docs-installation-parameters",
    "entity-unavailable",
    "integration-owner",
    "log-when-unavailable",
    "parallel-updates",
    "reauthentication-flow",
    "test-coverage",
    "devices",
    "diagnostics",
    "discovery-update-info",
    "discovery",
    "docs-data-update",
    "docs-examples",
    "docs-known-limitations",
    "docs-supported-devices",
    "docs-supported-functions",
    "docs-troubleshooting",
    "docs-use-cases",
    "dynamic-devices",
    "entity-category",
    "entity-device-class",
    "entity-disabled-by-default",
    "entity-translations",
    "exception-translations",
    "icon-translations",
    "reconfiguration-flow",
    "repair-issues",
    "stale-devices",
    "async-dependency",
    "inject-websession",
    "strict-typing",
}
TESTS: Final = "".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))


def test_every_rule_is_there_and_is_done_or_exempt() -> None:
    assert set(RULES) == NAMED
    open_rules = {name for name, rule in RULES.items() if rule["status"] == "todo"}
    assert open_rules == set()
    statuses = {rule["status"] for name, rule in RULES.items() if name not in open_rules}
    assert statuses == {"done", "exempt"}


@pytest.mark.parametrize("rule", RULES)
def test_files_and_tests_named_as_evidence_of_a_rule_exist(rule: str) -> None:
    comment = RULES[rule]["comment"]
    for path in re.findall(
        r"[\w/-]+\.(?:py|md|json|yaml)\b|\b(?:docs|tests|flows)/[\w/-]+", comment
    ):
        assert (ROOT / path).exists() or (PACKAGE / path).exists(), path
    for name in re.findall(r"\btest_\w+(?!\w|\.py)", comment):
        if f"{name}.py" not in comment:
            assert f"def {name}" in TESTS, name


# What an integration has that offers triggers and conditions, and the keys of what is discovered.
OFFERS: Final = (
    *("trigger.py", "triggers.yaml", "device_trigger.py"),
    *("condition.py", "conditions.yaml", "device_condition.py"),
)
DISCOVERED: Final = {"bluetooth", "dhcp", "homekit", "mqtt", "ssdp", "usb", "zeroconf"}


def test_rules_are_exempt_only_for_what_the_integration_lacks() -> None:
    exempt = {name for name, rule in RULES.items() if rule["status"] == "exempt"}
    assert exempt == {"docs-conditions", "docs-triggers", "discovery", "discovery-update-info"}
    assert [name for name in OFFERS if (PACKAGE / name).exists()] == []
    assert {"triggers", "conditions"} & WORDS.keys() == set()
    manifest = json.loads((PACKAGE / "manifest.json").read_text())
    assert DISCOVERED & manifest.keys() == set()


# The alias itself, the entries of the built-in integration, and listeners to those of everybody.
OTHERS: Final = {
    *("coordinator.py", "flows/built_in_connection.py"),
    *("health/websocket/live.py", "sources/mqtt/broker.py"),
}


def test_our_entries_have_their_own_type_everywhere() -> None:
    found = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "homeassistant.config_entries"
        for each in node.names
        if each.name == "ConfigEntry"
    }
    assert found == OTHERS
