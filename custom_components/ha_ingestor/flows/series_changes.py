"""The effect of changed options on the series in the database, for the user to confirm."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from homeassistant.core import HomeAssistant

from ..enrich.catalog import Catalog
from ..options.core import CORE
from ..options.filter import entity_filter
from ..options.points import (
    OWN_TAGS,
    PROFILE_PAGES,
    chosen_tags,
    converts_units,
    profile_name,
    profile_page,
)
from ..pipeline.encode.profiles.cardinality import HomeEntity, estimate
from ..tasks.slices import async_slices
from .shown import number

TO_PROFILE: Final[Mapping[str, str]] = {name: f"to_{name}" for name in PROFILE_PAGES}
NEW_TAGS: Final = "new_tags"
NEW_UNITS: Final = "new_units"
NEW_MEASUREMENTS: Final = "new_measurements"
STEPS: Final = (*TO_PROFILE.values(), NEW_TAGS, NEW_UNITS, NEW_MEASUREMENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """Something to confirm: the step that says it, and what completes its sentences."""

    step: str
    placeholders: Mapping[str, str] = field(default_factory=dict)


async def async_consequences(
    hass: HomeAssistant, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[Consequence]:
    """Compare options; nothing is said of what leaves the series alone."""
    found: list[Consequence] = []
    profile, tags = profile_name(after), chosen_tags(after)
    if profile != profile_name(before):
        others = set(tags)
        found.append(Consequence(step=TO_PROFILE[profile]))
    else:
        others = set(tags) ^ set(chosen_tags(before))
        if profile == CORE and profile_page(before) != profile_page(after):
            found.append(Consequence(step=NEW_MEASUREMENTS))
        if converts_units(before) != converts_units(after):
            found.append(Consequence(step=NEW_UNITS))
    if others:
        home, names = await _async_home(hass, after), [*OWN_TAGS[profile], *tags]
        table = await hass.async_add_executor_job(_table, home, names, sorted(others))
        found.append(Consequence(step=NEW_TAGS, placeholders={"table": table}))
    return found


async def _async_home(hass: HomeAssistant, options: Mapping[str, Any]) -> list[HomeEntity]:
    """Describe every captured entity, in slices, so that the event loop stays free."""
    catalog = Catalog(hass, entity_filter=entity_filter(options))
    home: list[HomeEntity] = []
    async for state in async_slices(hass.states.async_all()):
        entity = catalog[state.entity_id]
        if not entity.filtered:
            home.append((entity, state.attributes))
    return home


def _table(home: list[HomeEntity], names: list[str], tags: list[str]) -> str:
    """Write rows for the table that the sentences of the step begin."""
    found = (estimate(home, names, tag) for tag in tags)
    rows = (
        (each.tag, *map(number, (each.without, each.series, each.values, each.renewed)))
        for each in found
    )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
