"""The parts that points of several profiles are made of, as text."""

from collections.abc import Callable, Container, Iterable, Mapping
from functools import lru_cache
from math import isfinite
from typing import Any, Final, NamedTuple

from ...model import UNAVAILABLE, ContextLike, Convert, EntityContext, StateLike, Weather
from ...text import exact, has_truth, text_of
from ..line_protocol import quote
from ..numbers import means_yes_or_no, number_of

# Recent states whose texts are remembered: more than most homes have entities.
_STATES: Final = 4096

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
    value = attributes.get(name)
    if isinstance(value, str):
        return exact(value)
    return text_of(value) if has_truth(value) else ""


class StateTexts(NamedTuple):
    """A state as fields, each before a comma: its number if it has one, and its text."""

    number: str
    now: str
    before: str


@lru_cache(maxsize=_STATES)
def state_texts(state: str, plain_names: bool, aliases: bool) -> StateTexts:  # noqa: FBT001  faster
    """Encode a state under the names that are wanted.

    Remembered, as it is encoded at least twice: a second time as the state before the next one.
    """
    text = quote(state)
    names = [("state", "old_state")] if plain_names else []
    names += [("state_value", "previous_state")] if aliases else []
    return StateTexts(
        number=number_field(number_of(state)),
        now="".join([f"{now}={text}," for now, _ in names]),
        before="".join([f"{before}={text}," for _, before in names]),
    )


def number_in(state: str, convert: Convert | None) -> float | None:
    """Read a state as a number in its new unit, if there is such a number."""
    number = number_of(state)
    if number is None or convert is None or means_yes_or_no(state):
        return number
    number = convert(number)
    return number if isfinite(number) else None


def number_field(number: float | None) -> str:
    """Encode a number before a comma, if there is one."""
    return "" if number is None else f"value={number!r},"


def measured(
    number: str,
    new: StateLike,
    old: StateLike | None,
    *,
    with_availability: bool,
    is_heartbeat: bool,
) -> str:
    """Add to an encoded number the duration in the previous state and what else is no text."""
    text = f"{number}heartbeat=true," if is_heartbeat else number
    if old is not None:
        # The duration is 0 when the state did not change: HomeIQ reads 0 for attribute changes.
        # Digits past a microsecond are noise of the subtraction.
        seconds = new.last_changed_timestamp - old.last_changed_timestamp
        if seconds > 0:
            text = f"{text}duration_in_state_seconds={seconds:.6f},"
        elif seconds <= 0:  # and not where it is not known since when the old state was
            text = f"{text}duration_in_state_seconds=0.0,"
    if with_availability:
        return f"{text}available={'false' if new.state == UNAVAILABLE else 'true'},"
    return text


def caused(context: ContextLike, causes: Mapping[str, str], users: Mapping[str, str]) -> str:
    """Encode the context and the cause of a change."""
    text = f"context_id={quote(context.id)}"
    parent_id, user_id = context.parent_id, context.user_id
    if not (parent_id or user_id or causes):
        return text  # as of most changes
    if parent_id:
        text = f"{text},context_parent_id={quote(parent_id)}"
    if user_id:
        text = f"{text},context_user_id={quote(user_id)}"
    return f"{text},{known_cause(context, causes, users)}"[:-1]


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


def device_fields(entity: EntityContext, tags: Container[str]) -> str:
    """Encode what the device is, each after a comma; what is a tag is no field."""
    values = (
        ("manufacturer", entity.manufacturer),
        ("model", entity.model),
        ("sw_version", entity.sw_version),
    )
    return "".join(
        [f",{name}={quote(value)}" for name, value in values if value and name not in tags]
    )
