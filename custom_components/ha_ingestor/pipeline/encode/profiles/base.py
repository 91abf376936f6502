"""The base of the profiles: settings, and what is cached for an entity."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum, StrEnum
from types import NoneType
from typing import Any, ClassVar, Final, NamedTuple

from ...ledger import NO_NUMBER
from ...model import HERE, Convert, EntityContext, Instance, StateLike, Units, Weather
from ..attributes import (
    AttributesPolicy,
    JsonDumps,
    Shape,
    attribute_fields,
    counted_json,
    left_out_field,
)
from ..line_protocol import quote_json
from .fields import attribute_text, tags_of

# Values that nobody can change in place: nearly all are of the first few types.
_COMMON: Final = frozenset({str, int, float, bool, NoneType})
_IMMUTABLE: Final = (str, int, float, date, timedelta, Enum, NoneType)


def _are_immutable(values: Iterable[object]) -> bool:
    return _COMMON.issuperset(map(type, values)) or all(
        isinstance(each, _IMMUTABLE) for each in values
    )


class Availability(StrEnum):
    """How `unavailable` and `unknown` are stored.

    A marker is a point with that state and without a number; a field says with each point whether
    the entity was available.
    """

    MARKER = "marker"
    SKIP = "skip"
    FIELD = "field"


def unchanged_units(_device_class: str, unit: str) -> tuple[str, Convert | None]:
    """Keep the unit."""
    return unit, None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointSettings:
    """What a user chooses of a point; `numbers_only` is for stores that turn text into zeros.

    The state as text is `state` and `old_state` with `plain_names`, and `state_value` and
    `previous_state` with `aliases`. `causes` knows the automation or script by the id of a context,
    `users` names by their id. `of_messages` are the measurements that the user chose for messages
    of MQTT topics.
    """

    nothing: ClassVar[str] = NO_NUMBER
    # What an entity makes, whatever the user chose.
    own_tags: ClassVar[tuple[str, ...]] = ()
    dumps: JsonDumps
    location: str = ""
    numbers_only: bool = False
    tags: tuple[str, ...] = ()
    attributes: AttributesPolicy = field(default_factory=AttributesPolicy)
    availability: Availability = Availability.MARKER
    plain_names: bool = True
    aliases: bool = True
    units: Units = unchanged_units
    causes: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    of_messages: frozenset[str] = frozenset()

    def home_tags(self, instance: Instance) -> tuple[tuple[str, str], ...]:
        """Return the tags that say which home it is."""
        if instance is HERE:
            return (("location", self.location),)
        return ("location", instance.location), ("instance", instance.name)

    def statistic_tags(
        self, entity: EntityContext | None, attributes: Mapping[str, Any]
    ) -> tuple[tuple[str, str], ...]:
        """Return the tags of a long-term statistic of this home."""
        home = self.home_tags(HERE)
        if entity is None:
            return home
        return (*tags_of((*self.own_tags, *self.tags), entity, attributes), *home)

    def statistic_unit(self, kind: str, unit: str) -> tuple[str, Convert | None]:
        """Return the unit that a long-term statistic is stored in, and how it gets there."""
        return self.units(kind, unit)

    @property
    def marks_unset_clock(self) -> bool:
        """Whether points from before the clock was set are marked."""
        return not self.numbers_only

    def key(
        self,
        entity: EntityContext,
        attributes: Mapping[str, Any],
        kind: str,
        weather: Weather | None,
    ) -> Key:
        """Collect what series and description depend on."""
        return Key(
            kind,
            attribute_text(attributes, "device_class"),
            attribute_text(attributes, "unit_of_measurement"),
            weather,
            tuple(tags_of(self.tags, entity, attributes)) if self.tags else (),
        )

    def kept_attributes(
        self, entity: EntityContext, state: StateLike, prefix: str
    ) -> tuple[str, Mapping[str, Any] | None]:
        """Encode the attributes, each after a comma; nothing costs more, so only when they change.

        Returns the attributes too, or None when these may change in place: then Home Assistant
        goes on sharing the object, and nothing tells that what is in it is new. `prefix` goes
        before the names of those that become fields of their own.
        """
        attributes = state.attributes
        known: tuple[Mapping[str, Any], str] | None = entity.memo.get("attributes")
        if known is not None and known[0] is attributes:
            return known[1], attributes
        shape = self.attributes.shape
        if shape is Shape.NONE:
            return "", attributes
        chosen = self.attributes.chosen(entity, state)
        text, left_out = "", 0
        if shape is not Shape.JSON:
            numbers_only = self.numbers_only or shape is Shape.NUMERIC
            text, left_out = attribute_fields(chosen, self.dumps, prefix, numbers_only=numbers_only)
        elif not self.numbers_only:
            encoded, left_out = counted_json(chosen, self.dumps)
            text = f",attributes={quote_json(encoded)}"
        text += left_out_field(left_out)
        if not _are_immutable(chosen.values()):
            return text, None
        entity.memo["attributes"] = (attributes, text)
        return text, attributes


class Key(NamedTuple):
    """What series and description depend on beside the registries."""

    kind: str
    device_class: str
    unit: str
    weather: Weather | None
    chosen: tuple[tuple[str, str], ...]


# The series, the end of the fields, and how numbers get to their unit.
type EncodedSeries = tuple[str, str, Convert | None]


def encoded_series(
    entity: EntityContext, key: Key, describe: Callable[[EntityContext, Key], EncodedSeries]
) -> EncodedSeries:
    """Describe an entity, unless it is remembered; only the newest of each kind is."""
    memo = entity.memo
    known: EncodedSeries | None = memo.get(key)
    if known is None:
        memo.pop(memo.get(key.kind), None)  # else every change of the weather would leave an entry
        memo[key.kind] = key
        known = memo[key] = describe(entity, key)
    return known


class CachedPoint(NamedTuple):
    """The parts of a point that stay the same while an entity's attributes do.

    Home Assistant shares the object of the attributes while they do not change.
    """

    attributes: Mapping[str, Any] | None
    kind: str
    weather: Weather | None
    series: str
    tail: str
    convert: Convert | None
    is_text_only: bool
