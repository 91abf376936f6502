"""How many series a home makes, and how many begin anew when the value of a tag changes.

Databases pay for series: each combination of tag values is one, for as long as its points are kept.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...model import EntityContext
from .fields import TAGS

type HomeEntity = tuple[EntityContext, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The series of today without and with a tag, and what a change of one value does to them.

    `values` are the things that have a value of this tag, such as devices; a change of one begins
    up to `renewed` series anew.
    """

    tag: str
    without: int
    series: int
    values: int
    renewed: int


def _device(entity: EntityContext) -> Collection[str]:
    return (entity.device_id,)


# Whose the value of a tag is: all entities that share it get another one at once.
_OWNERS: Final[Mapping[str, Callable[[EntityContext], Collection[str]]]] = {
    "area_id": _device,
    "area": lambda entity: (entity.area_id,),
    "floor": lambda entity: (entity.floor,),
    "labels": lambda entity: entity.labels,
    "device_id": _device,
    "device": _device,
    "manufacturer": _device,
    "model": _device,
    "sw_version": _device,
}


def estimate(home: Iterable[HomeEntity], names: Collection[str], tag: str) -> Estimate:
    """Count the series of these tags for the entities of a home, without one tag and with it."""
    own = [name for name in names if name != tag]
    without: set[tuple[str, ...]] = set()
    series: set[tuple[str, ...]] = set()
    owners: Counter[str] = Counter()
    for entity, attributes in home:
        key = tuple(TAGS[name](entity, attributes) for name in own)
        value = TAGS[tag](entity, attributes)
        without.add(key)
        series.add((*key, value))
        if value:
            shared = _OWNERS[tag](entity) if tag in _OWNERS else ()
            # What has no owner to share it with is the entity's own.
            owners.update({owner for owner in shared if owner} or {entity.entity_id})
    return Estimate(
        tag=tag,
        without=len(without),
        series=len(series),
        values=len(owners),
        renewed=max(owners.values(), default=0),
    )
