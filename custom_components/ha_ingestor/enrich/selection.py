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
    """What an entity can be chosen by; what has a name by its id, which no rename changes.

    `devices` are its device and the one that this is a part of.
    """

    entity_id: str
    domain: str
    device_class: str = ""
    integration: str = ""
    category: str = ""
    area_id: str = ""
    floor_id: str = ""
    devices: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Lists of criteria; one that fits is enough, and without any nothing fits.

    All but `entities` and `globs` are groups.
    """

    entities: frozenset[str] = frozenset()
    globs: tuple[str, ...] = ()
    domains: frozenset[str] = frozenset()
    device_classes: frozenset[str] = frozenset()
    integrations: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    floors: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()

    def fits(self, entity: Traits) -> bool:
        """Whether the entity is meant."""
        return (
            entity.entity_id in self.entities or self.fits_group(entity) or self.fits_glob(entity)
        )

    def fits_glob(self, entity: Traits) -> bool:
        """Whether a pattern fits."""
        return bool(self.globs and _pattern(self.globs).match(entity.entity_id))

    def fits_group(self, entity: Traits) -> bool:
        """Whether the entity is in a group."""
        return (
            entity.domain in self.domains
            or entity.device_class in self.device_classes
            or entity.integration in self.integrations
            or entity.category in self.categories
            or entity.area_id in self.areas
            or entity.floor_id in self.floors
            or not self.devices.isdisjoint(entity.devices)
            or not self.labels.isdisjoint(entity.labels)
        )

    @property
    def has_groups(self) -> bool:
        """Whether there is a group at all."""
        return any(
            (
                *(self.domains, self.device_classes, self.integrations, self.categories),
                *(self.areas, self.floors, self.devices, self.labels),
            )
        )


@lru_cache(maxsize=256)
def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, globs)))


NOTHING: Final = Match()


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityFilter:
    """Which entities are captured; the rule is that of Home Assistant's `entityfilter`.

    The first of these that fits decides: an entity that is included, one that is excluded, a
    pattern that includes, one that excludes, a group that excludes, one that includes.
    """

    include: Match = NOTHING
    exclude: Match = NOTHING

    def captures(self, entity: Traits) -> bool:
        """Whether the entity is captured."""
        include, exclude = self.include, self.exclude
        if entity.entity_id in include.entities:
            return True
        if entity.entity_id in exclude.entities:
            return False
        if include.fits_glob(entity):
            return True
        if exclude.fits_glob(entity):
            return False
        if exclude.fits_group(entity):
            return False
        return include.fits_group(entity) or self.captures_others

    @property
    def captures_others(self) -> bool:
        """Whether an entity is captured that nothing fits.

        Individual entities are exceptions from what is excluded, if patterns or groups are.
        """
        include, exclude = self.include, self.exclude
        if include.globs or include.has_groups:
            return False
        return not include.entities or bool(exclude.globs or exclude.has_groups)


EVERYTHING: Final = EntityFilter()

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
