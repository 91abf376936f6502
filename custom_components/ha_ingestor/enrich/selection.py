"""Selects entities by criteria that a user lists."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import Final

from ..pipeline.model import NO_RULES, Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What an entity can be chosen by; areas and labels by their ids, which no rename changes."""

    entity_id: str
    domain: str
    device_class: str = ""
    integration: str = ""
    area_id: str = ""
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Lists of criteria; one that fits is enough, and without any nothing fits."""

    entities: frozenset[str] = frozenset()
    globs: tuple[str, ...] = ()
    domains: frozenset[str] = frozenset()
    device_classes: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    integrations: frozenset[str] = frozenset()

    def fits(self, entity: Traits) -> bool:
        """Whether the entity is meant."""
        return (
            entity.entity_id in self.entities
            or entity.domain in self.domains
            or entity.device_class in self.device_classes
            or entity.integration in self.integrations
            or entity.area_id in self.areas
            or not self.labels.isdisjoint(entity.labels)
            or bool(self.globs and _pattern(self.globs).match(entity.entity_id))
        )


@lru_cache(maxsize=256)
def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, globs)))


NOTHING: Final = Match()

type RuleTable = tuple[tuple[Match, Rules], ...]


def rules_for(entity: Traits, table: RuleTable) -> Rules:
    """Find the rules of an entity: the first that fits and says something of a property decides."""
    fitting = [rules for match, rules in table if match.fits(entity)]
    if not fitting:
        return NO_RULES
    return Rules(
        heartbeat=_first(rules.heartbeat for rules in fitting),
        throttle=_first(rules.throttle for rules in fitting),
        deadband=_first(rules.deadband for rules in fitting),
    )


def _first(values: Iterable[float]) -> float:
    return next(filter(None, values), 0.0)
