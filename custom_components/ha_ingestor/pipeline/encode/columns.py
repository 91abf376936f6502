r"""Which names of a measurement are tags and which are fields, and of which type each field is.

In one measurement a name is a tag or a field, never both, and a field has one type for ever,
whatever entities and attributes come. InfluxDB 3 refuses anything else; InfluxDB 1 and 2 refuse a
second type, and store a tag and a field of one name but cannot read them apart. So:

- `HOMEIQ`, `TIDY` and `CORE` list the names that are ours
- a tag that the user chose has its name to itself: the field of that name is left out
- a number is `<prefix><name>` and a text is `<prefix><name>_str`, never the other way round
- a name that is not stored as it is (it has a backslash, a quote or a control character, begins
  with `_` or `#`, or is too long) and a name that could be mistaken for another (a number that ends
  in `_str`) ends in `~` and eight digits of its hash, so that no two names become one
- without a prefix, a name of ours and one that begins with `attr_` get an `attr_` in front

The measurements `devices` and `entities` are those of what the registries say, `events` is the
`tidy` profile's, and `home_assistant_statistics` has the long-term statistics of the recorder.
States that would be in one of these, or in one that the user chose for messages of MQTT topics, are
in one with a `_` behind its name.

The `core` profile names its fields as the built-in integration does, and parts them with a `_`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from .line_protocol import NAME_MAX_BYTES, cut, escape_key


class FieldType(Enum):
    """The type of a field."""

    NUMBER = auto()
    TEXT = auto()
    FLAG = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The names that are ours in the measurements of a profile.

    `entity_tags` are what an entity makes; a user may choose further ones. `tags` are the others.
    """

    entity_tags: tuple[str, ...]
    tags: tuple[str, ...] = ()
    fields: Mapping[str, FieldType]


def _fields(numbers: str, texts: str, flags: str = "") -> Mapping[str, FieldType]:
    return {
        name: kind
        for names, kind in (
            (numbers, FieldType.NUMBER),
            (texts, FieldType.TEXT),
            (flags, FieldType.FLAG),
        )
        for name in names.split()
    }


_STATE: Final = _fields(
    "value duration_in_state_seconds left_out",
    "state attributes cause context_user",
    "available heartbeat clock_unset",
)
_EVENT: Final = _fields(
    "count left_out",
    "event_data service service_data name source message old_state"
    " old_entity_id new_entity_id registry_id old_area new_area old_area_id new_area_id"
    " context_id context_parent_id context_user_id cause context_user",
    "clock_unset",
)

HOMEIQ: Final = Columns(
    entity_tags=(
        *("entity_id", "domain", "device_class", "device_id", "area_id", "area", "integration"),
    ),
    tags=("event_type", "event_category", "location", "instance", "weather_condition"),
    fields={
        **_STATE,
        **_EVENT,
        **_fields(
            "temperature humidity pressure wind_speed",
            "state_value previous_state unit_of_measurement manufacturer model sw_version",
        ),
    },
)
TIDY: Final = Columns(
    entity_tags=("entity_id", "area", "floor", "device", "integration", "device_class", "unit"),
    tags=("location", "instance", "weather_condition"),
    fields={
        **_STATE,
        **_fields(
            "weather_temperature weather_humidity weather_pressure weather_wind_speed", "event_type"
        ),
    },
)
# Other events have a measurement of their own in the `tidy` profile.
TIDY_EVENTS: Final = Columns(
    entity_tags=("area", "floor", "device_id", "integration"),
    tags=("event_type", "entity_id", "domain", "location", "instance"),
    fields=_EVENT,
)
CORE: Final = Columns(entity_tags=("domain", "entity_id"), fields=_fields("value", "state"))

# What the registries say, the same with every profile.
REGISTRIES: Final[Mapping[str, Columns]] = {
    "devices": Columns(
        entity_tags=(),
        tags=("device_id", "manufacturer", "model", "area_id"),
        fields=_fields("entity_count", "name sw_version", "removed"),
    ),
    "entities": Columns(
        entity_tags=(),
        tags=("entity_id", "device_id", "domain", "platform", "area_id"),
        fields=_fields("", "name unique_id", "disabled removed"),
    ),
}
TIDY_EVENTS_MEASUREMENT: Final = "events"
# The long-term statistics of the recorder: one for all profiles, beside the tags of the entity.
STATISTICS_MEASUREMENT: Final = "home_assistant_statistics"
STATISTICS: Final = Columns(
    entity_tags=(),
    tags=("statistic_id", "source", "name", "unit", "location"),
    fields=_fields("mean min max sum state", ""),
)

HOMEIQ_MEASUREMENT: Final = "home_assistant_events"
SELF_TEST_MEASUREMENT: Final = "ha_ingestor_self_test"
# What anybody else writes into one of these would change what its columns are.
OWN_MEASUREMENTS: Final = frozenset(
    {
        *(HOMEIQ_MEASUREMENT, TIDY_EVENTS_MEASUREMENT, STATISTICS_MEASUREMENT),
        *(SELF_TEST_MEASUREMENT, *REGISTRIES),
    }
)

_TAKEN_OF_TIDY: Final = frozenset({*REGISTRIES, TIDY_EVENTS_MEASUREMENT})
_TAKEN_OF_CORE: Final = frozenset({*REGISTRIES, STATISTICS_MEASUREMENT})

# What can be chosen as a tag, with any profile.
CHOICES: Final = (
    *("entity_id", "domain", "registry_id", "integration", "entity_category", "labels"),
    *("area_id", "area", "floor", "device_id", "device", "manufacturer", "model", "sw_version"),
    *("device_class", "state_class", "unit"),
)

# Also what is chosen by nobody yet, so that a field is called the same whatever is chosen.
_OURS: Final = frozenset(
    {*CHOICES, *TIDY.tags, *TIDY.fields, *TIDY_EVENTS.tags, *TIDY_EVENTS.fields, "time"}
)
_OURS_PREFIX: Final = "attr_"
# What a point of a message has beside its values.
_OF_MESSAGES: Final = frozenset({"clock_unset", "left_out", "time"})
_TEXT: Final = "_str"
_MARKED: Final = re.compile(r"~[0-9a-f]{8}", re.ASCII)
_MARK_LENGTH: Final = 9
_STORED_AS_IT_IS: Final = re.compile(r'[^_#\x00-\x1f\\"][^\x00-\x1f\\"]*')
# The rest is for what goes around a name.
_ROOM: Final = NAME_MAX_BYTES - len(_OURS_PREFIX) - len(_TEXT)


@lru_cache(maxsize=4096)
def field_name(prefix: str, name: str, *, is_text: bool) -> str:
    """Name the field of an attribute or of a member of an event's data, escaped."""
    whole = _typed(prefix, name, is_text=is_text)
    if not prefix and (whole in _OURS or whole.startswith(_OURS_PREFIX)):
        whole = _OURS_PREFIX + whole
    return escape_key(whole)


@lru_cache(maxsize=4096)
def message_field_name(name: str, taken: frozenset[str], *, is_text: bool) -> str:
    """Name the field of a value in a message, escaped; `taken` are the tags' names."""
    whole = _typed("", name, is_text=is_text)
    if whole in taken or whole in _OF_MESSAGES:
        whole += _mark(name)
    return escape_key(whole)


def _typed(prefix: str, name: str, *, is_text: bool) -> str:
    """Tell the names of texts from those of numbers, and those that would be stored alike."""
    whole = prefix + name
    if (
        _STORED_AS_IT_IS.fullmatch(whole) is None
        or _size(whole) > _ROOM
        or _MARKED.fullmatch(whole[-_MARK_LENGTH:])
        or (whole.endswith(_TEXT) and not is_text)
    ):
        whole = cut(whole, _ROOM - _MARK_LENGTH) + _mark(name)
    if is_text:
        whole += _TEXT
    return whole


def tidy_measurement(domain: str, of_messages: frozenset[str] = frozenset()) -> str:
    """Name the measurement of a domain."""
    return _free(domain, _TAKEN_OF_TIDY | of_messages)


def core_measurement(name: str, of_messages: frozenset[str] = frozenset()) -> str:
    """Name a measurement as the built-in integration does, unless it is taken."""
    return _free(name, _TAKEN_OF_CORE | of_messages)


def _free(name: str, taken: frozenset[str]) -> str:
    while name in taken:
        name += "_"
    return name


def core_number_name(name: str) -> str:
    """Name a number of the `core` profile: never as texts are, `state` or with `_str` behind it."""
    is_taken = name.endswith(_TEXT) or CORE.fields.get(name) is FieldType.TEXT
    return f"{name}_" if is_taken else name


def core_field_name(name: str) -> str:
    """Escape a name that the built-in integration gives to a field; it stays of its type."""
    if name.endswith(_TEXT):
        return escape_key(cut(name.removesuffix(_TEXT), NAME_MAX_BYTES - len(_TEXT)) + _TEXT)
    name = cut(name, NAME_MAX_BYTES)
    return escape_key(f"{cut(name, NAME_MAX_BYTES - 1)}_" if name.endswith(_TEXT) else name)


def core_tag_name(name: str) -> str:
    """Name a tag as the built-in integration does, unless a field of the state has the name."""
    return f"{name}_" if name in CORE.fields else name


def marked(escaped: str, name: str) -> str:
    """Tell a field from another that has the same name by now; it stays of its type."""
    suffix = _TEXT if escaped.endswith(_TEXT) else ""
    base = cut(escaped.removesuffix(suffix), _ROOM - _MARK_LENGTH).rstrip("\\")
    return f"{base}{_mark(name)}{suffix}"


def _mark(name: str) -> str:
    return f"~{blake2b(name.encode('utf-8', 'surrogatepass'), digest_size=4).hexdigest()}"


def _size(name: str) -> int:
    """Count bytes; more than there is room for where a character is none of UTF-8."""
    try:
        return len(name) if name.isascii() else len(name.encode())
    except UnicodeEncodeError:
        return NAME_MAX_BYTES + 1
