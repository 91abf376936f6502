"""Selecting entities in a form, by lists of criteria."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.const import EntityCategory
from homeassistant.helpers.selector import (
    AreaSelector,
    AreaSelectorConfig,
    DeviceSelector,
    DeviceSelectorConfig,
    EntitySelector,
    EntitySelectorConfig,
    FloorSelector,
    FloorSelectorConfig,
    LabelSelector,
    LabelSelectorConfig,
    Selector,
)

from ..enrich.selection import Match
from .page import OptionError
from .selectors import DEVICE_CLASSES, DOMAINS, INTEGRATIONS, TEXTS, Offered, choice

CONF_ENTITIES: Final = "entities"
CONF_DEVICES: Final = "devices"
CONF_GLOBS: Final = "globs"
CONF_DOMAINS: Final = "domains"
CONF_DEVICE_CLASSES: Final = "device_classes"
CONF_LABELS: Final = "labels"
CONF_AREAS: Final = "areas"
CONF_FLOORS: Final = "floors"
CONF_CATEGORIES: Final = "categories"
CONF_INTEGRATIONS: Final = "integrations"

_NAME: Final = re.compile(r"[a-z0-9_]+")
_ENTITY_ID: Final = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")
_GLOB: Final = re.compile(r"(?:[a-z0-9_.*?]|\[!?[a-z0-9_.-]+\])+")


def _no_entity_id(value: str) -> str:
    return "" if _ENTITY_ID.fullmatch(value) else "not_an_entity_id"


def _no_name(value: str) -> str:
    return "" if _NAME.fullmatch(value) else "not_a_name"


def _no_glob(value: str) -> str:
    is_possible = value.count(".") <= 1
    return "" if is_possible and _GLOB.fullmatch(value) else "not_a_pattern"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Criterion:
    """How values are entered, and why one of them is refused, if it is.

    What comes from a registry needs no second look.
    """

    selector: Selector[Any]
    refusal: Callable[[str], str] | None = None


_CRITERIA: Final[Mapping[str, _Criterion]] = {
    CONF_ENTITIES: _Criterion(
        selector=EntitySelector(EntitySelectorConfig(multiple=True)), refusal=_no_entity_id
    ),
    CONF_GLOBS: _Criterion(selector=TEXTS, refusal=_no_glob),
    CONF_DOMAINS: _Criterion(selector=Offered(DOMAINS), refusal=_no_name),
    CONF_INTEGRATIONS: _Criterion(selector=Offered(INTEGRATIONS), refusal=_no_name),
    CONF_DEVICE_CLASSES: _Criterion(selector=Offered(DEVICE_CLASSES), refusal=_no_name),
    CONF_CATEGORIES: _Criterion(selector=choice("entity_category", EntityCategory, multiple=True)),
    CONF_AREAS: _Criterion(selector=AreaSelector(AreaSelectorConfig(multiple=True))),
    CONF_FLOORS: _Criterion(selector=FloorSelector(FloorSelectorConfig(multiple=True))),
    CONF_DEVICES: _Criterion(selector=DeviceSelector(DeviceSelectorConfig(multiple=True))),
    CONF_LABELS: _Criterion(selector=LabelSelector(LabelSelectorConfig(multiple=True))),
}

CRITERIA: Final[Mapping[str, Selector[Any]]] = {
    name: criterion.selector for name, criterion in _CRITERIA.items()
}


def accepted_criteria(entered: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what to store of the lists that were filled in; raises OptionError."""
    found: dict[str, list[str]] = {}
    for name, criterion in _CRITERIA.items():
        values = entered.get(name, ())
        if criterion.refusal:
            values = [text for value in values if (text := value.strip().lower())]
            for value in values:
                if reason := criterion.refusal(value):
                    raise OptionError(name, reason, value)
        if values:
            found[name] = list(dict.fromkeys(values))
    return found


def match_of(stored: Mapping[str, Any]) -> Match:
    """Read stored lists."""
    lists = {name: stored.get(name, ()) for name in _CRITERIA}
    globs = tuple(lists.pop(CONF_GLOBS))
    return Match(globs=globs, **{name: frozenset(values) for name, values in lists.items()})
