"""The dashboard of the destinations, as Home Assistant stores one: stock cards, our entities."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ..const import DOCS_URL
from .condition import SPOOL_WARNING

TROUBLESHOOTING: Final = f"{DOCS_URL}troubleshooting.md"

type Config = dict[str, Any]

# The card shows the name of the entity without that of the device, in the language of who looks.
_ENTITY_NAME: Final = {"type": "entity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a view is made of: `entities` has the entity ids by the end of their unique ids.

    A disabled entity is not in it. `words` are the translated texts, `spool_mib` is the room for
    points that wait.
    """

    title: str
    path: str
    entities: Mapping[str, str]
    words: Mapping[str, str]
    spool_mib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """One small card for each entity."""

    keys: Sequence[str]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def cards(self, view: View) -> Iterator[Config]:
        """Make those whose entity is there."""
        for key in self.keys:
            if entity_id := view.entities.get(key):
                yield {"type": "tile", "entity": entity_id, "name": _ENTITY_NAME, **self.settings}


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """One card for all its entities."""

    kind: str
    keys: Sequence[str]
    title: str
    settings: Mapping[str, Any]

    def cards(self, view: View) -> Iterator[Config]:
        """Make it, unless none of its entities is there."""
        rows = [
            {"entity": entity_id, "name": _ENTITY_NAME}
            for key in self.keys
            if (entity_id := view.entities.get(key))
        ]
        if rows:
            yield {
                "type": self.kind,
                "title": view.words[self.title],
                "entities": rows,
                "grid_options": {"columns": "full"},
                **self.settings,
            }


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What stands in the way and what to do, shown only then."""

    def cards(self, view: View) -> Iterator[Config]:
        """Make it of the status, which is never disabled by us."""
        status = view.entities.get("status")
        if status is None:
            return
        problem = (
            f"{{% if state_attr('{status}', 'problem') not in ('none', none) %}}"
            f": {{{{ state_attr_translated('{status}', 'problem') }}}}{{% endif %}}"
        )
        lines = [f"**{{{{ state_translated('{status}') }}}}{problem}**"]
        if backlog := view.entities.get("backlog"):
            lines.append(f"{view.words['dashboard_waiting_points']}: {{{{ states('{backlog}') }}}}")
        lines.append(f"[{view.words['dashboard_what_to_do']}]({TROUBLESHOOTING})")
        yield {
            "type": "markdown",
            "content": "\n\n".join(lines),
            "grid_options": {"columns": "full"},
            "visibility": [
                {"condition": "state", "entity": status, "state_not": ["ok", "starting"]}
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolGauge:
    """How much of the room for points that wait is used; yellow where the repair begins."""

    def cards(self, view: View) -> Iterator[Config]:
        """Make it, if the entity is there."""
        if entity_id := view.entities.get("spool_size"):
            yield {
                "type": "gauge",
                "entity": entity_id,
                "name": _ENTITY_NAME,
                "min": 0,
                "max": view.spool_mib,
                "needle": True,
                "severity": {
                    "green": 0,
                    "yellow": view.spool_mib * SPOOL_WARNING,
                    "red": view.spool_mib * 0.95,
                },
                "grid_options": {"columns": "full"},
            }


type Card = Tiles | Graph | Trouble | SpoolGauge


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Cards below a heading."""

    heading: str
    icon: str
    cards: Sequence[Card]


def _statistics(title: str, keys: Sequence[str], **settings: Any) -> Graph:
    return Graph(kind="statistics-graph", title=title, keys=keys, settings=settings)


_HIGHEST_BY_HOUR: Final = {
    "chart_type": "line",
    "period": "hour",
    "days_to_show": 7,
    "stat_types": ["max"],
}

SECTIONS: Final = (
    Section(
        heading="dashboard_now",
        icon="mdi:heart-pulse",
        cards=(
            Trouble(),
            Tiles(keys=("status",)),
            Tiles(keys=("database_connected",), settings={"color": "green"}),
            Tiles(keys=("points_per_minute", "backlog", "last_write", "oldest_age")),
            Tiles(keys=("write_latency",)),
            SpoolGauge(),
        ),
    ),
    Section(
        heading="dashboard_throughput",
        icon="mdi:chart-bar",
        cards=(
            _statistics(
                "dashboard_written_by_hour",
                ("points_written",),
                chart_type="bar",
                period="hour",
                days_to_show=7,
                stat_types=["change"],
            ),
            Graph(
                kind="history-graph",
                title="dashboard_last_week",
                keys=("status", "database_connected", "breaker"),
                settings={"hours_to_show": 168},
            ),
        ),
    ),
    Section(
        heading="dashboard_waiting",
        icon="mdi:tray-full",
        cards=(
            _statistics("dashboard_backlog", ("backlog",), **_HIGHEST_BY_HOUR),
            _statistics("dashboard_delay", ("oldest_age",), **_HIGHEST_BY_HOUR),
        ),
    ),
    Section(
        heading="dashboard_counts",
        icon="mdi:counter",
        cards=(
            Tiles(keys=("points_captured", "points_written", "points_filtered")),
            Tiles(keys=("points_deduplicated", "points_quarantined")),
            Tiles(keys=("points_evicted", "points_lost")),
        ),
    ),
    Section(
        heading="dashboard_not_written",
        icon="mdi:archive-alert-outline",
        cards=(
            _statistics(
                "dashboard_not_written_by_day",
                ("points_quarantined", "points_evicted", "points_lost"),
                chart_type="bar",
                period="day",
                days_to_show=30,
                stat_types=["change"],
            ),
        ),
    ),
    Section(
        heading="dashboard_data_api",
        icon="mdi:database-sync-outline",
        cards=(
            Tiles(keys=("data_api_connected",), settings={"color": "green"}),
            Tiles(keys=("last_sync", "rows_sent", "rows_rejected")),
        ),
    ),
)


def view_config(view: View) -> Config:
    """Build the view of one destination."""
    sections = []
    for section in SECTIONS:
        if cards := [config for card in section.cards for config in card.cards(view)]:
            heading = {
                "type": "heading",
                "heading": view.words[section.heading],
                "heading_style": "title",
                "icon": section.icon,
            }
            sections.append({"type": "grid", "cards": [heading, *cards]})
    return {
        "type": "sections",
        "title": view.title,
        "path": view.path,
        "max_columns": 3,
        "dense_section_placement": True,
        "sections": sections,
    }
