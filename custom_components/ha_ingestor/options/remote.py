"""What is asked of a remote home beside its address: its name, its filter, how long to try."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import voluptuous as vol
from homeassistant.const import CONF_NAME
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from ..clients.homeassistant.registries import Registries
from .criteria import (
    CONF_AREAS,
    CONF_DEVICES,
    CONF_DOMAINS,
    CONF_ENTITIES,
    CONF_FLOORS,
    CONF_INTEGRATIONS,
    CONF_LABELS,
    CRITERIA,
)
from .filter import CONF_EXCLUDE, CONF_INCLUDE, FILTER
from .filter import PAGE as FILTER_PAGE
from .number import Number, OptionError
from .selectors import TEXTS, suggestions

CONF_ATTEMPTS: Final = "attempts"
# For ever.
ATTEMPTS_DEFAULT: Final = 0
ATTEMPTS_MAX: Final = 10_000
ATTEMPTS: Final = Number(0, ATTEMPTS_MAX, step=1)

# As a tag: what a database takes, and no separator of ours.
NAME_MAX: Final = 64
# Control characters are spaces in a database, where two names could become one.
_SEPARATORS: Final = frozenset({"/", "\\", '"', *map(chr, range(32))})


def schema(registries: Registries) -> vol.Schema:
    """Build the form: the home itself says what can be chosen of it."""
    entities = registries.entities.values()
    areas = _named((area.id, area.name) for area in registries.areas.values())
    floors = _named((floor.floor_id, floor.name) for floor in registries.floors.values())
    labels = _named((label.label_id, label.name) for label in registries.labels.values())
    devices = _named(
        (device.id, device.name_by_user or device.name or device.id)
        for device in registries.devices.values()
    )
    offered = {
        CONF_ENTITIES: TEXTS,
        CONF_DOMAINS: suggestions(sorted({each.entity_id.partition(".")[0] for each in entities})),
        CONF_INTEGRATIONS: suggestions(sorted({each.platform for each in entities})),
        CONF_AREAS: areas,
        CONF_FLOORS: floors,
        CONF_LABELS: labels,
        CONF_DEVICES: devices,
    }
    lists = vol.Schema(
        {vol.Optional(name): offered.get(name, known) for name, known in CRITERIA.items()}
    )
    return vol.Schema(
        {
            vol.Required(CONF_NAME): TextSelector(),
            vol.Required(CONF_ATTEMPTS, default=ATTEMPTS_DEFAULT): ATTEMPTS,
            **{
                vol.Optional(name, default=dict): section(lists, {"collapsed": True})
                for name in (CONF_INCLUDE, CONF_EXCLUDE)
            },
        }
    )


def _named(items: Iterable[tuple[str, str]]) -> SelectSelector:
    """Ask for what has a name, and store the id; what is gone meanwhile can stay chosen."""
    options = [SelectOptionDict(value=each, label=name) for each, name in items]
    return SelectSelector(
        SelectSelectorConfig(
            options=sorted(options, key=lambda option: option["label"].casefold()),
            multiple=True,
            custom_value=True,
            mode=SelectSelectorMode.DROPDOWN,
        )
    )


def accepted(entered: Mapping[str, Any], taken: Iterable[str]) -> dict[str, Any]:
    """Return what to store of a filled-in form; raises OptionError."""
    name = entered[CONF_NAME].strip()
    if not name or len(name) > NAME_MAX or not _SEPARATORS.isdisjoint(name):
        shown_name = name if len(name) <= NAME_MAX else f"{name[:NAME_MAX]}\u2026"
        raise OptionError(CONF_NAME, "name_not_possible", shown_name)
    if name in taken:
        raise OptionError(CONF_NAME, "name_taken", name)
    chosen = {part: entered.get(part, {}) for part in (CONF_INCLUDE, CONF_EXCLUDE)}
    return {
        CONF_NAME: name,
        CONF_ATTEMPTS: int(entered[CONF_ATTEMPTS]),
        FILTER: FILTER_PAGE.accepted(chosen),
    }


def shown(stored: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return what the form shows of what is stored."""
    return {
        CONF_NAME: stored.get(CONF_NAME, name),
        CONF_ATTEMPTS: stored.get(CONF_ATTEMPTS, ATTEMPTS_DEFAULT),
        **FILTER_PAGE.shown(FILTER_PAGE.completed(stored.get(FILTER, {}))),
    }
