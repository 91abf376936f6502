"""The page of the noise filter."""

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol
from homeassistant.const import CONF_NAME, UnitOfTime
from homeassistant.helpers.selector import (
    ObjectSelector,
    ObjectSelectorConfig,
    ObjectSelectorField,
    Selector,
    TextSelector,
)

from ..enrich.selection import Match, RuleTable
from ..pipeline.filter.filters import NoiseFilterSettings
from ..pipeline.model import Rules
from .criteria import (
    CONF_DEVICE_CLASSES,
    CONF_DOMAINS,
    CONF_ENTITIES,
    CONF_GLOBS,
    CONF_LABELS,
    CRITERIA,
    accepted_criteria,
    match_of,
)
from .number import Number
from .page import OptionError, Page

NOISE: Final = "noise"

CONF_RULES: Final = "rules"
CONF_WINDOW: Final = "window"
CONF_HEARTBEAT: Final = "heartbeat"
CONF_THROTTLE: Final = "throttle"
CONF_DEADBAND: Final = "deadband"

_MINUTE: Final = 60
# A month without a point is no heartbeat, and a week without one is a filter.
HEARTBEAT_MAX: Final = 31 * 24 * 60
THROTTLE_MAX: Final = 7 * 24 * 3600
# In any unit; a float tells numbers of this size apart.
DEADBAND_MAX: Final = 10**15
WINDOW_MAX: Final = 3600
EFFECTS: Final = (CONF_HEARTBEAT, CONF_THROTTLE, CONF_DEADBAND)
_DEFAULTS: Final[Mapping[str, Any]] = {CONF_RULES: [], CONF_WINDOW: NoiseFilterSettings().window}

RULE_FIELDS: Final[Mapping[str, Selector[Any]]] = {
    CONF_NAME: TextSelector(),
    **{
        name: CRITERIA[name]
        for name in (CONF_ENTITIES, CONF_GLOBS, CONF_DOMAINS, CONF_DEVICE_CLASSES, CONF_LABELS)
    },
    CONF_HEARTBEAT: Number(0, HEARTBEAT_MAX, unit=UnitOfTime.MINUTES),
    CONF_THROTTLE: Number(0, THROTTLE_MAX, unit=UnitOfTime.SECONDS),
    CONF_DEADBAND: Number(0, DEADBAND_MAX),
}


def _accepted(entered: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to store of a filled-in page; raises OptionError."""
    rules = enumerate(entered[CONF_RULES], 1)
    return {**entered, CONF_RULES: [_accepted_rule(rule, position) for position, rule in rules]}


def _accepted_rule(entered: Mapping[str, Any], position: int) -> dict[str, Any]:
    name = entered[CONF_NAME].strip()
    if not name:
        raise OptionError(CONF_RULES, "rule_without_name", str(position))
    try:
        criteria = accepted_criteria(entered)
    except OptionError as err:
        raise OptionError(CONF_RULES, err.reason, err.invalid_value) from err
    effects = {key: value for key in EFFECTS if (value := entered.get(key))}
    heartbeat = effects.get(CONF_HEARTBEAT, 0) * _MINUTE
    if not criteria:
        raise OptionError(CONF_RULES, "rule_for_nothing", name)
    if not effects:
        raise OptionError(CONF_RULES, "rule_without_effect", name)
    if 0 < heartbeat < _MINUTE:
        raise OptionError(CONF_RULES, "heartbeat_too_fast", name)
    if 0 < heartbeat < effects.get(CONF_THROTTLE, 0):
        raise OptionError(CONF_RULES, "heartbeat_throttled", name)
    return {CONF_NAME: name, **criteria, **effects}


PAGE: Final = Page(
    key=NOISE,
    schema=vol.Schema(
        {
            vol.Optional(CONF_RULES): ObjectSelector(
                ObjectSelectorConfig(
                    fields={
                        name: ObjectSelectorField(selector=selector, required=name == CONF_NAME)
                        for name, selector in RULE_FIELDS.items()
                    },
                    multiple=True,
                    label_field=CONF_NAME,
                    translation_key="noise_rule",
                )
            ),
            vol.Required(CONF_WINDOW): Number(0, WINDOW_MAX, unit=UnitOfTime.SECONDS),
        }
    ),
    defaults=_DEFAULTS,
    validate=_accepted,
)


def rule_table(options: Mapping[str, Any]) -> RuleTable:
    """Read the rules in their order."""
    return tuple(
        (
            match_of(rule),
            Rules(
                heartbeat=rule.get(CONF_HEARTBEAT, 0.0) * _MINUTE,
                throttle=rule.get(CONF_THROTTLE, 0.0),
                deadband=rule.get(CONF_DEADBAND, 0.0),
            ),
        )
        for rule in PAGE.read(options)[CONF_RULES]
    )


def shown_rules(rules: Rules) -> dict[str, float]:
    """Return the rules of an entity in the units of the page; without those that there are not."""
    found = {
        CONF_HEARTBEAT: rules.heartbeat / _MINUTE,
        CONF_THROTTLE: rules.throttle,
        CONF_DEADBAND: rules.deadband,
    }
    return {name: value for name, value in found.items() if value}


def named_rules(options: Mapping[str, Any]) -> tuple[tuple[str, Match], ...]:
    """Read what each rule is called, and which entities it means."""
    return tuple((rule[CONF_NAME], match_of(rule)) for rule in PAGE.read(options)[CONF_RULES])


def deduplication_window(options: Mapping[str, Any]) -> float:
    """Read the window of the deduplication, in seconds."""
    return float(PAGE.read(options)[CONF_WINDOW])
