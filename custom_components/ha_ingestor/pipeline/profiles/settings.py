"""What the profiles have in common: their settings, and the parts that points are made of."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum, StrEnum
from math import isfinite
from types import NoneType
from typing import Any, ClassVar, Final, NamedTuple

from ..attributes import (
    AttributesPolicy,
    JsonDumps,
    Shape,
    attribute_fields,
    attributes_json,
    text_of,
)
from ..line_protocol import quote, quote_json
from ..model import (
    UNAVAILABLE,
    ContextLike,
    Convert,
    EntityContext,
    StateLike,
    Units,
    Weather,
)
from ..numbers import number_of

# Values that nobody can change in place: nearly all are of the first few types.
_COMMON: Final = frozenset({str, int, float, bool, NoneType})
_FIRM: Final = (str, int, float, date, timedelta, Enum, NoneType)


def _are_firm(values: Iterable[object]) -> bool:
    return _COMMON.issuperset(map(type, values)) or all(isinstance(each, _FIRM) for each in values)


class Availability(StrEnum):
    """What becomes of `unavailable` and `unknown`.

    A marker is a point with that state and without a number; a field says with each point whether
    the entity was available.
    """

    MARKER = "marker"
    SKIP = "skip"
    FIELD = "field"


def as_they_are(_device_class: str, unit: str) -> tuple[str, Convert | None]:
    """Leave units alone."""
    return unit, None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointSettings:
    """What a user chooses of a point; `numbers_only` is for stores that turn text into zeros.

    `causes` knows the automation or script by the id of a context, `users` names by their id.
    """

    nothing: ClassVar[str] = "no_number"

    dumps: JsonDumps
    location: str = ""
    numbers_only: bool = False
    tags: tuple[str, ...] = ()
    attributes: AttributesPolicy = field(default_factory=AttributesPolicy)
    availability: Availability = Availability.MARKER
    aliases: bool = True
    units: Units = as_they_are
    causes: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)

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
        chosen = self.attributes.chosen(state, entity.memo)
        text = ""
        if shape is not Shape.JSON:
            numbers_only = self.numbers_only or shape is Shape.NUMERIC
            text = attribute_fields(chosen, self.dumps, prefix, numbers_only=numbers_only)
        elif not self.numbers_only:
            text = f",attributes={quote_json(attributes_json(chosen, self.dumps))}"
        if not _are_firm(chosen.values()):
            return text, None
        entity.memo["attributes"] = (attributes, text)
        return text, attributes


class Face(NamedTuple):
    """What stays the same from point to point while an entity's attributes do.

    Home Assistant shares the object of the attributes while they do not change.
    """

    attributes: Mapping[str, Any] | None
    kind: str
    weather: Weather | None
    series: str
    tail: str
    convert: Convert | None


# Tags that an entity and its attributes make; what a tag is called is what the user chooses.
TAGS: Final[Mapping[str, Callable[[EntityContext, Mapping[str, Any]], str]]] = {
    "entity_id": lambda entity, _: entity.entity_id,
    "domain": lambda entity, _: entity.domain,
    "registry_id": lambda entity, _: entity.registry_id,
    "integration": lambda entity, _: entity.integration,
    "entity_category": lambda entity, _: entity.entity_category,
    "labels": lambda entity, _: labels_text(entity.labels),
    "area_id": lambda entity, _: entity.area_id,
    "area": lambda entity, _: entity.area,
    "floor": lambda entity, _: entity.floor,
    "device_id": lambda entity, _: entity.device_id,
    "device": lambda entity, _: entity.device,
    "manufacturer": lambda entity, _: entity.manufacturer,
    "model": lambda entity, _: entity.model,
    "sw_version": lambda entity, _: entity.sw_version,
    "device_class": lambda _, attributes: attribute_text(attributes, "device_class"),
    "state_class": lambda _, attributes: attribute_text(attributes, "state_class"),
    "unit": lambda _, attributes: attribute_text(attributes, "unit_of_measurement"),
}


def tags_of(
    names: Iterable[str], entity: EntityContext, attributes: Mapping[str, Any]
) -> Iterable[tuple[str, str]]:
    """Return the tags of these names with their values, which may be empty."""
    return ((name, TAGS[name](entity, attributes)) for name in names)


def labels_text(labels: Iterable[str]) -> str:
    """Join labels so that each can be looked for between its two bars."""
    text = "|".join(labels)
    return f"|{text}|" if text else ""


def attribute_text(attributes: Mapping[str, Any], name: str) -> str:
    """Return an attribute that should be a text, whatever an integration made of it."""
    value = attributes.get(name) or ""
    return value if isinstance(value, str) else text_of(value)


def measured(
    new: StateLike, old: StateLike | None, convert: Convert | None, *, with_availability: bool
) -> str:
    """Encode number, duration in the previous state and availability, each before a comma."""
    number = number_of(new.state)
    if number is not None and convert is not None:
        number = convert(number)
        if not isfinite(number):
            number = None
    text = "" if number is None else f"value={number!r},"
    if old is not None:
        # Nothing is spent in a state that stayed: HomeIQ reads 0 for attribute changes. Digits past
        # a microsecond are noise of the subtraction.
        seconds = new.last_changed_timestamp - old.last_changed_timestamp
        spent = f"{seconds:.6f}" if seconds > 0 else "0.0"
        text = f"{text}duration_in_state_seconds={spent},"
    if with_availability:
        return f"{text}available={'false' if new.state == UNAVAILABLE else 'true'},"
    return text


def caused(context: ContextLike, causes: Mapping[str, str], users: Mapping[str, str]) -> str:
    """Encode which change it was and who or what caused it, each before a comma."""
    text = f"context_id={quote(context.id)},"
    if context.parent_id:
        text = f"{text}context_parent_id={quote(context.parent_id)},"
    if context.user_id:
        text = f"{text}context_user_id={quote(context.user_id)},"
    return f"{text}{known_cause(context, causes, users)}"


def known_cause(context: ContextLike, causes: Mapping[str, str], users: Mapping[str, str]) -> str:
    """Encode the automation or script and the user, where they are known, each before a comma."""
    text = ""
    if causes and (cause := causes.get(context.id) or causes.get(context.parent_id or "")):
        text = f"cause={quote(cause)},"
    if context.user_id and (name := users.get(context.user_id)):
        text = f"{text}context_user={quote(name)},"
    return text


def weather_fields(weather: Weather | None, prefix: str = "") -> str:
    """Encode what is known of the weather, each after a comma."""
    if weather is None:
        return ""
    values = (
        ("temperature", weather.temperature),
        ("humidity", weather.humidity),
        ("pressure", weather.pressure),
        ("wind_speed", weather.wind_speed),
    )
    return "".join([f",{prefix}{name}={value!r}" for name, value in values if value is not None])


def device_fields(entity: EntityContext) -> str:
    """Encode what the device is, each after a comma."""
    values = (
        ("manufacturer", entity.manufacturer),
        ("model", entity.model),
        ("sw_version", entity.sw_version),
    )
    return "".join([f",{name}={quote(value)}" for name, value in values if value])
