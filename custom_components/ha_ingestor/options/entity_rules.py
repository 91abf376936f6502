"""Changes of the rules of single entities, beside the page where rules are written by hand."""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from homeassistant.const import CONF_NAME

from .criteria import CONF_ENTITIES
from .noise import CONF_RULES, EFFECTS, NOISE, PAGE

type _Rule = dict[str, Any]


def ruling(
    options: Mapping[str, Any], entity_ids: Sequence[str], effects: Mapping[str, float]
) -> dict[str, Any]:
    """Return options in which these entities have these effects; raises OptionError.

    They leave the lists of all rules, and one rule before all others names them. Without an effect
    there is none: then rules for patterns and groups are what is left.
    """
    rules = _without(PAGE.read(options)[CONF_RULES], set(entity_ids))
    wanted = {name: value for name in EFFECTS if (value := effects.get(name))}
    if wanted:
        _put_first(rules, list(entity_ids), wanted)
    # An earlier version stored rules without a name, and one may have named its entities.
    named = [
        {**rule, CONF_NAME: rule[CONF_NAME].strip() or str(position)}
        for position, rule in enumerate(rules, 1)
    ]
    entered = {**PAGE.read(options), CONF_RULES: named}
    return {**options, NOISE: PAGE.accepted(PAGE.schema(entered))}


def _without(rules: Sequence[_Rule], entity_ids: set[str]) -> list[_Rule]:
    """Take entities out of all rules; a rule that was for them only goes."""
    found: list[_Rule] = []
    for rule in rules:
        listed = rule.get(CONF_ENTITIES, [])
        left = [each for each in listed if each not in entity_ids]
        if left or not _is_for_entities_only(rule):
            found.append(_with(rule, left) if len(left) < len(listed) else rule)
    return found


def _put_first(rules: list[_Rule], entity_ids: list[str], effects: _Rule) -> None:
    """Add entities to a rule that does the same and that no other comes before, or a new one."""
    for number, rule in enumerate(takewhile(_is_for_entities_only, rules)):
        if effects == {name: rule[name] for name in EFFECTS if rule.get(name)}:
            rules[number] = _with(rule, [*rule[CONF_ENTITIES], *entity_ids])
            return
    rules.insert(0, {CONF_NAME: _name(entity_ids), CONF_ENTITIES: entity_ids, **effects})


def _is_for_entities_only(rule: _Rule) -> bool:
    return {name for name, value in rule.items() if value} <= {CONF_NAME, CONF_ENTITIES, *EFFECTS}


def _with(rule: _Rule, entity_ids: list[str]) -> _Rule:
    """Name other entities; the name of the rule follows, unless somebody chose one."""
    is_ours = rule[CONF_NAME] == _name(rule.get(CONF_ENTITIES, []))
    name = _name(entity_ids) if is_ours else rule[CONF_NAME]
    return {**rule, CONF_NAME: name, CONF_ENTITIES: entity_ids}


def _name(entity_ids: Sequence[str]) -> str:
    if not entity_ids:
        return ""
    return entity_ids[0] if len(entity_ids) == 1 else f"{entity_ids[0]} + {len(entity_ids) - 1}"
