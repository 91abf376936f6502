"""Selects entities by criteria that a user lists."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import Final, Literal

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

    def group_of(self, entity: Traits) -> tuple[str, str]:
        """Return the first group that the entity is in, and its name there; empty without one."""
        for criterion, of_entity in (
            ("domains", (entity.domain,)),
            ("device_classes", (entity.device_class,)),
            ("integrations", (entity.integration,)),
            ("categories", (entity.category,)),
            ("areas", (entity.area_id,)),
            ("floors", (entity.floor_id,)),
            ("devices", sorted(entity.devices)),
            ("labels", sorted(entity.labels)),
        ):
            for value in of_entity:
                if value in getattr(self, criterion):
                    return criterion, value
        return "", ""

    def glob_of(self, entity: Traits) -> str:
        """Return the first pattern that fits; empty without one."""
        return next((each for each in self.globs if _pattern((each,)).match(entity.entity_id)), "")

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

type _List = tuple[Literal["include", "exclude"], Match]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether an entity is captured, and what decides: one value of a criterion of a list.

    Without a criterion nothing fits: then `list` is empty, or `include` where only what is listed
    there is captured.
    """

    captures: bool
    list: Literal["", "include", "exclude"] = ""
    criterion: str = ""
    value: str = ""


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

    def decide(self, entity: Traits) -> Decision:
        """Say whether the entity is captured as `captures` does, and why."""
        include: _List = ("include", self.include)
        exclude: _List = ("exclude", self.exclude)
        for name, chosen in (include, exclude):
            if entity.entity_id in chosen.entities:
                return _decided(name, "entities", entity.entity_id)
        for name, chosen in (include, exclude):
            if glob := chosen.glob_of(entity):
                return _decided(name, "globs", glob)
        for name, chosen in (exclude, include):
            criterion, value = chosen.group_of(entity)
            if criterion:
                return _decided(name, criterion, value)
        captures = self.captures_others
        return Decision(captures=captures, list="" if captures else "include")

    @property
    def captures_others(self) -> bool:
        """Whether an entity is captured that nothing fits.

        Individual entities are exceptions from what is excluded, if patterns or groups are.
        """
        include, exclude = self.include, self.exclude
        if include.globs or include.has_groups:
            return False
        return not include.entities or bool(exclude.globs or exclude.has_groups)


def _decided(name: Literal["include", "exclude"], criterion: str, value: str) -> Decision:
    return Decision(captures=name == "include", list=name, criterion=criterion, value=value)


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
