"""What a filter would record, against what is recorded now."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import translate
from heapq import nlargest
from operator import itemgetter
from typing import Any, Final

from ..enrich.selection import EntityFilter, Match, Traits

# What was measured for less says nothing about an hour.
HOURS_MIN: Final = 1 / 6
TOP: Final = 5
_HOUR: Final = 3600

# What an entity has of each group.
_GROUPS: Final[Mapping[str, Callable[[Traits], Iterable[str]]]] = {
    "entities": lambda entity: (entity.entity_id,),
    "domains": lambda entity: (entity.domain,),
    "integrations": lambda entity: (entity.integration,),
    "device_classes": lambda entity: (entity.device_class,),
    "categories": lambda entity: (entity.category,),
    "areas": lambda entity: (entity.area_id,),
    "floors": lambda entity: (entity.floor_id,),
    "devices": lambda entity: entity.devices,
    "labels": lambda entity: entity.labels,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeEntity:
    """An entity; `last_updated` in seconds since 1970, None where it has no state now.

    A secret is never recorded, whatever the filter says.
    """

    traits: Traits
    last_updated: float | None
    is_disabled: bool = False
    is_secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The points of each entity in so many hours."""

    hours: float = 0.0
    points: Mapping[str, int]

    def per_hour(self, entity_id: str) -> float:
        """Return the points per hour; the first one is the state that there was at the start."""
        return max(self.points.get(entity_id, 0) - 1, 0) / self.hours if self.hours else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """A value of a list that fits no entity of the home."""

    criterion: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterPreview:
    """How many entities and points there would be, and what is new or gone.

    Points per hour are those of entities that are recorded now: None while too little was measured.
    Of what is new, `added_active` changed in the last hour.
    """

    total: int
    captured: int
    points_per_hour: float | None
    points_per_hour_now: float | None
    measured_hours: float
    top: tuple[tuple[str, float], ...]
    added: tuple[str, ...]
    added_active: int
    removed: tuple[str, ...]
    unfit: tuple[Unfit, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def preview(
    home: Sequence[HomeEntity],
    now: EntityFilter,
    then: EntityFilter,
    measured: Measured,
    moment: float,
) -> FilterPreview:
    """Compare the filter of now with another one; `moment` is the time, in seconds since 1970."""
    states = [entity for entity in home if entity.last_updated is not None]
    recordable = [entity for entity in states if not entity.is_secret]
    before = {each.traits.entity_id for each in recordable if now.captures(each.traits)}
    after = {each.traits.entity_id for each in recordable if then.captures(each.traits)}
    added = after - before
    rates = {entity_id: measured.per_hour(entity_id) for entity_id in before}
    top = nlargest(TOP, ((each, rates[each]) for each in after & before), key=itemgetter(1))
    is_measured = measured.hours >= HOURS_MIN
    return FilterPreview(
        total=len(states),
        captured=len(after),
        points_per_hour=sum(rates[each] for each in after & before) if is_measured else None,
        points_per_hour_now=sum(rates.values()) if is_measured else None,
        measured_hours=measured.hours,
        top=tuple((each, rate) for each, rate in top if rate) if is_measured else (),
        added=tuple(sorted(added)),
        added_active=sum(
            moment - _HOUR <= (each.last_updated or 0)
            for each in states
            if each.traits.entity_id in added
        ),
        removed=tuple(sorted(before - after)),
        unfit=(*unfit(then.include, home), *unfit(then.exclude, home)),
    )


def unfit(match: Match, home: Collection[HomeEntity]) -> tuple[Unfit, ...]:
    """Find what fits no entity; one that is disabled or away now is an entity, too."""
    found: list[Unfit] = []
    for criterion, values_of in _GROUPS.items():
        if wanted := getattr(match, criterion):
            there = {value for entity in home for value in values_of(entity.traits)}
            found += (Unfit(criterion=criterion, value=each) for each in sorted(wanted - there))
    for glob in match.globs:
        fits = re.compile(translate(glob)).match
        if not any(fits(entity.traits.entity_id) for entity in home):
            found.append(Unfit(criterion="globs", value=glob))
    return tuple(found)
