"""The dashboards for Grafana: one for each profile and query language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from scripts.rig.configuration import CHECKOUT

from .queries import FLUX, INFLUXQL, METRICSQL, PROFILES, Profile, Query

type Json = dict[str, Any]

FOLDER: Final = CHECKOUT / "docs" / "grafana"
# What is chosen in the list at the top of the dashboard.
_SOURCE: Final = "${datasource}"
_EVERYTHING: Final = ".+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A query language: Grafana's plugin, and how it writes a query down.

    `tag` names a series by a tag, `regex` takes the measurement out of the name of a metric.
    """

    title: str
    plugin: str
    plugin_name: str
    queries: Mapping[str, Query]
    target: Callable[[str, Panel, str], Json]
    variable: Callable[[str], str | Json]
    regex: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel, drawn where the language has a query for it."""

    query: str
    title: str
    kind: str
    width: int = 24
    height: int = 9
    is_table: bool = False
    unit: str = ""
    custom: Mapping[str, Any] = field(default_factory=dict)


_BARS: Final = {"drawStyle": "bars", "fillOpacity": 60, "stacking": {"mode": "normal"}}
PANELS: Final = (
    Panel(
        query="values",
        title="Values",
        kind="timeseries",
        height=10,
        custom={"spanNulls": True, "fillOpacity": 10},
    ),
    Panel(query="states", title="States", kind="state-timeline"),
    Panel(query="numbers", title="Numbers written", kind="timeseries", width=12, custom=_BARS),
    Panel(
        query="most", title="Most numbers", kind="bargauge", width=12, is_table=True, unit="short"
    ),
    Panel(
        query="silent",
        title="Longest without a number",
        kind="bargauge",
        width=24,
        is_table=True,
        unit="s",
    ),
    Panel(query="latest", title="Latest changes", kind="table", height=10, is_table=True),
)


def _influxql(query: str, panel: Panel, tag: str) -> Json:
    target = {"query": query, "rawQuery": True}
    if panel.is_table:
        return target | {"resultFormat": "table"}
    return target | {"resultFormat": "time_series", "alias": f"$tag_{tag}"}


def _flux(query: str, panel: Panel, tag: str) -> Json:  # noqa: ARG001
    return {"query": query}


def _metricsql(query: str, panel: Panel, tag: str) -> Json:
    kind = {"instant": True, "range": False} if panel.is_table else {"range": True}
    return {"expr": query, "legendFormat": f"{{{{{tag}}}}}", "editorMode": "code", **kind}


LANGUAGES: Final = {
    "influxql": Language(
        title="InfluxQL",
        plugin="influxdb",
        plugin_name="InfluxDB",
        queries=INFLUXQL,
        target=_influxql,
        variable=str,
    ),
    "flux": Language(
        title="Flux",
        plugin="influxdb",
        plugin_name="InfluxDB",
        queries=FLUX,
        target=_flux,
        variable=lambda query: {"query": query, "refId": "variable"},
    ),
    "metricsql": Language(
        title="MetricsQL",
        plugin="prometheus",
        plugin_name="Prometheus",
        queries=METRICSQL,
        target=_metricsql,
        variable=lambda query: {"query": query, "refId": "variable"},
        regex="/(.+)_value/",
    ),
}


def dashboards() -> dict[Path, Json]:
    """Build all of them, by where they are stored."""
    return {
        FOLDER / f"{key}-{name}.json": _dashboard(f"{key}-{name}", profile, language)
        for key, profile in PROFILES.items()
        for name, language in LANGUAGES.items()
    }


def _dashboard(uid: str, profile: Profile, language: Language) -> Json:
    chosen = ["measurement"] if profile.measurements else []
    return {
        "__inputs": [
            {
                "name": "DS_HOME_ASSISTANT",
                "label": "Data source",
                "description": f"{language.plugin_name}, {language.title}",
                "type": "datasource",
                "pluginId": language.plugin,
                "pluginName": language.plugin_name,
            }
        ],
        "__requires": [
            {"type": "grafana", "id": "grafana", "name": "Grafana", "version": "10.0.0"},
            {
                "type": "datasource",
                "id": language.plugin,
                "name": language.plugin_name,
                "version": "1.0.0",
            },
        ],
        "uid": f"ha-ingestor-{uid}",
        "title": f"Home Assistant ({profile.title}, {language.title})",
        "tags": ["home-assistant", "ha-ingestor"],
        "editable": True,
        "graphTooltip": 1,
        "schemaVersion": 39,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {
            "list": [
                {
                    "name": "datasource",
                    "label": "Data source",
                    "type": "datasource",
                    "query": language.plugin,
                    "current": {
                        "text": "${DS_HOME_ASSISTANT}",
                        "value": "${DS_HOME_ASSISTANT}",
                    },
                },
                *(
                    _variable(name, profile.measurements or name, profile, language)
                    for name in chosen
                ),
                _variable("entity", "Entity", profile, language),
            ]
        },
        "panels": _panels(profile, language),
    }


def _variable(name: str, label: str, profile: Profile, language: Language) -> Json:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": {"type": language.plugin, "uid": _SOURCE},
        "query": language.variable(language.queries[name](profile)),
        "regex": language.regex if name == "measurement" else "",
        # Anew whenever another time is chosen.
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": _EVERYTHING,
    }


def _panels(profile: Profile, language: Language) -> list[Json]:
    panels: list[Json] = []
    x = y = height = 0
    for panel in PANELS:
        if panel.query not in language.queries:
            continue
        if x + panel.width > _WIDTH:
            x, y = 0, y + height
        tag = profile.group if panel.query == "numbers" else "entity_id"
        query = language.queries[panel.query](profile)
        source = {"type": language.plugin, "uid": _SOURCE}
        panels.append(
            {
                "id": len(panels) + 1,
                "title": panel.title,
                "type": panel.kind,
                "datasource": source,
                "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
                "fieldConfig": {
                    "defaults": {
                        **({"unit": panel.unit} if panel.unit else {}),
                        "custom": dict(panel.custom),
                    },
                    "overrides": [],
                },
                "options": _OPTIONS.get(panel.kind, {}),
                "targets": [
                    {"refId": "A", "datasource": source, **language.target(query, panel, tag)}
                ],
            }
        )
        x, height = x + panel.width, panel.height
    return panels


_WIDTH: Final = 24
_OPTIONS: Final[Mapping[str, Json]] = {
    "timeseries": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}},
    "bargauge": {
        "orientation": "horizontal",
        "displayMode": "basic",
        "reduceOptions": {"calcs": ["lastNotNull"], "values": True, "fields": ""},
    },
    "state-timeline": {"mergeValues": True, "showValue": "auto", "rowHeight": 0.8},
}
