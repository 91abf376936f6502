"""What a change of the options does to the series in the database, said before it is made."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback

from ..catalog import Catalog
from ..pipeline.cardinality import Described, Estimate, estimate
from .core import CORE
from .exclude import excluded
from .points import OWN_TAGS, PROFILE_PAGES, chosen_tags, converts_units, profile_name, profile_page

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


@callback
def consequences(
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
        home, names = _home(hass, after), [*OWN_TAGS[profile], *tags]
        table = _table(estimate(home, names, tag) for tag in sorted(others))
        found.append(Consequence(step=NEW_TAGS, placeholders={"table": table}))
    return found


def _home(hass: HomeAssistant, options: Mapping[str, Any]) -> list[Described]:
    catalog = Catalog(hass, exclude=excluded(options))
    home = ((catalog[state.entity_id], state.attributes) for state in hass.states.async_all())
    return [(entity, attributes) for entity, attributes in home if not entity.filtered]


def _table(estimates: Iterable[Estimate]) -> str:
    """Write rows for the table that the sentences of the step begin."""
    rows = ((each.tag, each.without, each.series, each.values, each.renewed) for each in estimates)
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)
