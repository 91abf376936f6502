"""Every entity of the home: whether a destination records it, why not, and what it costs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from ...coordinator import HaIngestorConfigEntry
from ...enrich.selection import EntityFilter, RuleTable, rules_for
from ...options.filter import entity_filter
from ...options.noise import rule_table, shown_rules
from ...pipeline.encode.top_entities import SERIES_MAX, EntityPoints
from ..filter_preview import HomeEntity
from ..home_entities import async_home_entities


async def async_recorded(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> dict[str, Any]:
    """Answer the WebSocket command `entities`: the rows, and for how many hours was counted.

    Of an entity with `series_max` series there may be more.
    """
    home, seconds, points = await async_home_entities(hass), 0.0, dict[str, EntityPoints]()
    numbers_only = False
    if entry.state is ConfigEntryState.LOADED:
        pipeline = entry.runtime_data.pipeline
        seconds, points = await pipeline.reports.statistics()
        numbers_only = pipeline.numbers_only
    rows = await hass.async_add_executor_job(_rows, home, entry.options, points)
    return {
        "hours": seconds / 3600,
        "numbers_only": numbers_only,
        "series_max": SERIES_MAX,
        "entities": rows,
    }


def _rows(
    home: Sequence[HomeEntity], options: Mapping[str, Any], points: Mapping[str, EntityPoints]
) -> list[dict[str, Any]]:
    chosen, rules = entity_filter(options), rule_table(options)
    return [dict(_row(each, chosen, rules, points.get(each.traits.entity_id))) for each in home]


def _row(
    entity: HomeEntity, chosen: EntityFilter, table: RuleTable, points: EntityPoints | None
) -> Iterator[tuple[str, Any]]:
    """Yield what there is to say; what an entity has not is left out, as there may be thousands."""
    decision = chosen.decide(entity.traits)
    yield "entity_id", entity.traits.entity_id
    yield "recorded", decision.captures and not entity.is_secret
    if entity.is_secret:
        yield "secret", True
    if decision.criterion:
        yield "rule", [decision.list, decision.criterion, decision.value]
    if entity.traits.integration:
        yield "integration", entity.traits.integration
    if rules := shown_rules(rules_for(entity.traits, table)):
        yield "rules", rules
    if entity.last_updated is None:
        yield "stateless", True
    if entity.is_disabled:
        yield "disabled", True
    if points:
        yield "points", points.points
        yield "bytes", points.bytes
        yield "series", points.series
        if points.last_time is not None:
            yield "last_time", points.last_time
        if points.last_state is not None:
            yield "last_state", points.last_state
