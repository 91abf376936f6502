"""Changes for single entities that the panel makes: recorded or not, and their rules."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from homeassistant.core import HomeAssistant, callback

from ...coordinator import HaIngestorConfigEntry
from ...enrich.catalog import Catalog
from ...enrich.selection import Traits, rules_for
from ...options.entity_rules import ruling
from ...options.exclude import excluding, including
from ...options.filter import FILTER
from ...options.noise import rule_table, shown_rules
from ..home_entities import async_preview


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityChange:
    """What is wanted of these entities; None leaves it as it is.

    `rules` has the heartbeat in minutes, the throttle in seconds and the deadband, as the options
    have them.
    """

    entity_ids: Sequence[str]
    recorded: bool | None = None
    rules: Mapping[str, float] | None = None

    def applied(self, options: Mapping[str, Any], entities: Sequence[Traits]) -> Mapping[str, Any]:
        """Return the changed options; raises OptionError and vol.Invalid."""
        if self.recorded is not None:
            options = (
                including(options, entities)
                if self.recorded
                else excluding(options, *self.entity_ids)
            )
        return options if self.rules is None else ruling(options, self.entity_ids, self.rules)


async def async_preview_change(
    hass: HomeAssistant, entry: HaIngestorConfigEntry, change: EntityChange
) -> dict[str, Any]:
    """Say what would be recorded after a change; raises as it does.

    `rules` are those that apply to the entities afterwards, each with how many of them.
    """
    entities = _traits(hass, change)
    after = change.applied(entry.options, entities)
    preview = await async_preview(hass, entry, after.get(FILTER, {}))
    now, then = rule_table(entry.options), rule_table(after)
    rules = Counter(rules_for(each, then) for each in entities)
    return {
        "filter": preview.as_dict(),
        "rules": [{"entities": count, **shown_rules(each)} for each, count in rules.items()],
        "rules_changed": sum(rules_for(each, now) != rules_for(each, then) for each in entities),
        "is_changed": after != entry.options,
    }


@callback
def async_change(
    hass: HomeAssistant, entry: HaIngestorConfigEntry, change: EntityChange
) -> dict[str, Any]:
    """Store a change; the destination is reloaded by its listener. Raises as the preview does."""
    after = change.applied(entry.options, _traits(hass, change))
    return {"is_changed": hass.config_entries.async_update_entry(entry, options=after)}


def _traits(hass: HomeAssistant, change: EntityChange) -> list[Traits]:
    catalog = Catalog(hass)
    return [catalog.traits(entity_id) for entity_id in change.entity_ids]
