"""The events of the pipeline, before they are encoded."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final, NamedTuple, Protocol

from .encode.line_protocol import FieldValue

# What happened to the state: Home Assistant's own names of its events, and ours where it has none.
STATE_CHANGED: Final = "state_changed"
STATE_REPORTED: Final = "state_reported"
HEARTBEAT: Final = "heartbeat"
ENTITY_REMOVED: Final = "entity_removed"

UNAVAILABLE: Final = "unavailable"
UNKNOWN: Final = "unknown"
UNAVAILABLE_STATES: Final = frozenset({UNAVAILABLE, UNKNOWN})


class ContextLike(Protocol):
    """Who or what caused a change; Home Assistant's Context is one."""

    @property
    def id(self) -> str: ...
    @property
    def parent_id(self) -> str | None: ...
    @property
    def user_id(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NoContext:
    """The context of an event without a cause."""

    id: str = ""
    parent_id: None = None
    user_id: None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of an entity; zero means no rule. Times in seconds.

    Written at least every `heartbeat`, at most every `throttle`, and only when the number moved by
    `deadband`.
    """

    heartbeat: float = 0.0
    throttle: float = 0.0
    deadband: float = 0.0


NO_RULES: Final = Rules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """The home that an event is from: two homes may have the same entity ids.

    This home has no name here, and its location is a setting of the profile.
    """

    name: str = ""
    location: str = ""


HERE: Final = Instance()

# No entity id has it.
_APART: Final = "/"


def is_here(key: str) -> bool:
    """Whether the key of an entity is one of this home."""
    return _APART not in key


def parts_of(key: str) -> tuple[str, str]:
    """Return the instance and the entity id of a key of another home."""
    instance, _, entity_id = key.rpartition(_APART)
    return instance, entity_id


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EntityContext:
    """The data of the registries about an entity; an empty text where there is none.

    `filtered` names the reason why its events are not captured, and is empty when they are. `memo`
    is the cache of a profile for this entity: a registry change makes a new context with an empty
    one. `key` is the entity id, or tells it from those of this home.
    """

    entity_id: str
    domain: str
    instance: Instance = HERE
    filtered: str = ""
    rules: Rules = NO_RULES
    registry_id: str = ""
    entity_category: str = ""
    integration: str = ""
    labels: tuple[str, ...] = ()
    area_id: str = ""
    area: str = ""
    floor: str = ""
    device_id: str = ""
    device: str = ""
    manufacturer: str = ""
    model: str = ""
    sw_version: str = ""
    memo: dict[Any, Any] = field(default_factory=dict, repr=False)
    key: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make the key once: every event looks it up."""
        name = self.instance.name
        key = f"{name}{_APART}{self.entity_id}" if name else self.entity_id
        object.__setattr__(self, "key", key)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weather:
    """The weather around the home: °C, %, hPa and m/s; None where it is not known.

    A new object at every change, so that identity shows changes.
    """

    condition: str
    temperature: float | None = None
    humidity: float | None = None
    pressure: float | None = None
    wind_speed: float | None = None


class StateEvent(NamedTuple):
    """One change of a state, with the entity's context and the weather as of the event.

    `new` is None for a removed entity, `old` for a new one. `time` is when the event fired, in
    seconds since 1970. `kind` is one of the names at the top, the object itself. `clock_offset` is
    by how many seconds the clock of the machine had been set by then, None where the source does
    not know. With `is_added` the entity is known to have had no state before.
    """

    entity: EntityContext
    new: StateLike | None
    old: StateLike | None
    time: float
    context: ContextLike
    kind: str = STATE_CHANGED
    weather: Weather | None = None
    clock_offset: float | None = None
    is_added: bool = False


class OtherEvent(NamedTuple):
    """Any other event; `entity` is the one entity that it names, if any, `instance` its home."""

    event_type: str
    data: Mapping[str, Any]
    time: float
    context: ContextLike
    entity: EntityContext | None = None
    instance: Instance = HERE


class RegistryRow(NamedTuple):
    """A device or entity of the registries as a point, the same for every profile."""

    measurement: str
    tags: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, FieldValue], ...]
    time: float


class OwnPoint(NamedTuple):
    """A point that a user or the self-test writes: a whole line, the same for every profile."""

    measurement: str
    line: str


class Shape(Protocol):
    """How messages of a broker are stored."""

    def encode(self, topic: str, payload: bytes, *, numbers_only: bool) -> tuple[str, str] | str:
        """Return series and fields, or why there are none."""


@dataclass(slots=True, kw_only=True)
class MessageCounts:
    """What became of the messages of one source. Written by one thread; another may read it."""

    points: int = 0
    filtered: Counter[str] = field(default_factory=Counter)


class Message(NamedTuple):
    """A message of a broker, and when it came, in seconds since 1970."""

    measurement: str
    topic: str
    payload: bytes
    time: float
    shape: Shape
    counts: MessageCounts


type Item = StateEvent | OtherEvent | RegistryRow | OwnPoint | Message


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeContent:
    """Items of the intake in their order, and what was counted since the last ones were taken.

    The oldest item waits `since`, by the monotonic clock; infinity where that is not known. Of what
    was received, `received_elsewhere` comes from other sources than this home.
    """

    items: list[Item] = field(default_factory=list)
    since: float = inf
    received: int = 0
    received_elsewhere: int = 0
    filtered: Mapping[str, int] = field(default_factory=dict)
    lost: Mapping[str, int] = field(default_factory=dict)


# Series, fields, and when in seconds since 1970: what a profile makes of a state event.
type Point = tuple[str, str, float]

type Convert = Callable[[float], float]


# From device class and unit to the unit that a number is stored in, and how it gets there.
type Units = Callable[[str, str], tuple[str, Convert | None]]
