"""What travels through the pipeline before it is text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol


class ContextLike(Protocol):
    """Who or what caused a change; Home Assistant's Context is one."""

    @property
    def id(self) -> str: ...
    @property
    def parent_id(self) -> str | None: ...
    @property
    def user_id(self) -> str | None: ...


class StateLike(Protocol):
    """An immutable state; Home Assistant's State is one. Timestamps are seconds since 1970."""

    @property
    def state(self) -> str: ...
    @property
    def attributes(self) -> Mapping[str, Any]: ...
    @property
    def last_changed_timestamp(self) -> float: ...
    @property
    def last_updated_timestamp(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EntityContext:
    """What the registries say of an entity; empty text where they say nothing.

    `filtered` names the reason why its events are not captured, and is empty when they are.
    `memo` is what a profile remembers of this entity: it lives exactly as long as this description
    is true, because a registry change makes a new context.
    """

    entity_id: str
    domain: str
    filtered: str = ""
    device_id: str = ""
    area_id: str = ""
    area: str = ""
    integration: str = ""
    manufacturer: str = ""
    model: str = ""
    sw_version: str = ""
    memo: dict[Any, Any] = field(default_factory=dict, repr=False)


# Series, fields, and when in seconds since 1970: what a profile makes of a capture.
type Point = tuple[str, str, float]


class Capture(NamedTuple):
    """One state change with the entity's context as of the event.

    `new` is None for a removed entity, `old` for a new one. `time` is when the event fired.
    """

    entity: EntityContext
    new: StateLike | None
    old: StateLike | None
    time: float
    context: ContextLike
