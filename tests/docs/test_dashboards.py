"""The dashboards of the documentation are those that the code makes, and can be imported."""

import json
from pathlib import Path
from typing import Any

import pytest

from custom_components.ha_ingestor.entities.descriptions import BINARY_SENSORS, SENSORS
from scripts.rig.documents import grafana, home_assistant

from .reading import DOCS, text

FILES = sorted((DOCS / "grafana").iterdir())


def test_the_dashboard_to_paste_is_the_one_that_the_action_adds() -> None:
    assert home_assistant.page() == text("dashboards.md"), "run scripts/documents"


def test_the_entities_of_the_dashboard_to_paste_are_enabled_from_the_start() -> None:
    enabled = {
        each.key for each in (*SENSORS, *BINARY_SENSORS) if each.entity_registry_enabled_default
    }
    assert {*home_assistant.SENSORS, *home_assistant.BINARY_SENSORS} <= enabled


def test_the_dashboards_for_grafana_are_those_of_the_tables() -> None:
    stored = {path: json.loads(path.read_text()) for path in FILES}
    assert stored == grafana.dashboards(), "run scripts/documents"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_dashboard_for_grafana_can_be_imported(file: Path) -> None:
    dashboard: dict[str, Any] = json.loads(file.read_text())

    (asked,) = dashboard["__inputs"]
    variables = {each["name"]: each for each in dashboard["templating"]["list"]}
    assert variables["datasource"]["query"] == asked["pluginId"]
    assert variables["datasource"]["current"]["value"] == f"${{{asked['name']}}}"
    sources = [each["datasource"] for each in dashboard["panels"]]
    sources += [target["datasource"] for each in dashboard["panels"] for target in each["targets"]]
    assert {source["uid"] for source in sources} == {"${datasource}"}
    assert {source["type"] for source in sources} == {asked["pluginId"]}

    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids)) >= 4
    taken = {
        (x, y)
        for panel in dashboard["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    }
    areas = [panel["gridPos"]["w"] * panel["gridPos"]["h"] for panel in dashboard["panels"]]
    assert len(taken) == sum(areas), "panels lie on each other"
    assert max(x for x, _ in taken) < 24
