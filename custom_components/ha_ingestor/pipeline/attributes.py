"""Which attributes of a state are stored, and as what: one JSON text, fields of their own, none."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from math import isfinite
from typing import Any, Final

from .line_protocol import STRING_MAX_BYTES, escape_key, quote
from .model import StateLike

type JsonDumps = Callable[[Any], str]


class Shape(StrEnum):
    """What becomes of attributes."""

    NONE = "none"
    NUMERIC = "numeric"
    JSON = "json"
    FLAT = "flat"


# Pictures are long and carry access tokens in their address; tokens and keys are nobody's history.
_NEVER: Final = re.compile(
    r"entity_picture(_local)?|(.*_)?(token|password|secret|(api|access|private)_?key)",
    re.IGNORECASE,
)
# Exact words, because `error_code` is not one: what is typed into locks and alarm panels.
_NEVER_IN_EVENTS: Final = frozenset({"code", "pin", "usercode", "user_code"})
_COORDINATES: Final = (
    *("latitude", "longitude", "altitude", "gps_accuracy", "vertical_accuracy"),
    *("location", "coordinates", "gps"),
)
_MEDIA: Final = ("media_*", "app_name")
# What the recorder keeps of entities that ask it to keep no attribute at all.
_ALL: Final = "*"
_ALWAYS_RECORDED: Final = frozenset(
    {"device_class", "friendly_name", "state_class", "unit_of_measurement"}
)

_DEPTH_MAX: Final = 8
# What our own fields are called.
RESERVED: Final = frozenset({"available", "duration_in_state_seconds", "state", "value"})
# InfluxDB 3 has room for 500 columns in a table, for all entities together.
FLAT_MAX: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributesPolicy:
    """What of the attributes is worth keeping; names may be globs, an empty `only` means all.

    `recorder`: leave out what integrations ask the recorder to leave out, long lists mostly.
    """

    shape: Shape = Shape.JSON
    only: frozenset[str] = frozenset()
    drop: frozenset[str] = frozenset()
    recorder: bool = True
    coordinates: bool = True
    media: bool = True

    def chosen(self, state: StateLike, memo: dict[Any, Any]) -> dict[str, Any]:
        """Return the attributes that are kept of a state, in the order of their names.

        Which names these are is remembered in `memo`, an entity's own: values change all day, names
        hardly ever.
        """
        attributes = state.attributes
        # Home Assistant's states know what is unrecorded of their entity; those set by hand do not.
        info = getattr(state, "state_info", None)
        names = tuple(attributes)
        known = memo.get("names")
        if known is None or known[0] != names or known[1] is not info:
            unrecorded = info["unrecorded_attributes"] if info and self.recorder else frozenset()
            known = memo["names"] = (names, info, self._names(names, unrecorded))
        return {name: attributes[name] for name in known[2]}

    def _names(self, names: tuple[str, ...], unrecorded: frozenset[str]) -> list[str]:
        if _ALL in unrecorded:
            unrecorded = frozenset(names) - _ALWAYS_RECORDED
        dropped = [*self.drop]
        if not self.coordinates:
            dropped += _COORDINATES
        if not self.media:
            dropped += _MEDIA
        return [
            name
            for name in sorted(names, key=text_of)
            if name not in unrecorded
            and not is_secret(text_of(name))
            and not any(fnmatchcase(text_of(name), glob) for glob in dropped)
            and (not self.only or any(fnmatchcase(text_of(name), glob) for glob in self.only))
        ]


def is_secret(name: str) -> bool:
    """Whether an attribute of this name is never kept, whatever a user wants."""
    return _NEVER.fullmatch(name) is not None


def attributes_json(wanted: Mapping[str, Any], dumps: JsonDumps) -> str:
    """Encode attributes with `dumps`, and whatever it refuses by plain rules. Never raises.

    An attribute that makes the text too long is left out, the shortest are kept.
    """
    text = _encode(wanted, dumps)
    # Escaping for line protocol at most doubles a text, and the limit holds for what is escaped.
    if (
        len(text) * 4 <= STRING_MAX_BYTES
        or len(text.encode("utf-8", "replace")) <= STRING_MAX_BYTES
    ):
        return text
    parts = sorted((_encode({key: value}, dumps)[1:-1] for key, value in wanted.items()), key=len)
    kept: list[str] = []
    room = STRING_MAX_BYTES - 2
    for part in parts:
        room -= len(part.encode("utf-8", "replace")) + 1
        if room < 0:
            break
        kept.append(part)
    return "{" + ",".join(kept) + "}"


def attribute_fields(
    wanted: Mapping[str, Any], dumps: JsonDumps, prefix: str, *, numbers_only: bool
) -> str:
    """Encode attributes as fields, each after a comma; at most the first `FLAT_MAX`.

    Numbers, and yes and no as 1 and 0, are `<prefix><name>`; all else is text in
    `<prefix><name>_str`, so that no field ever changes its type.
    """
    fields: dict[str, str] = {}
    for key, value in wanted.items():
        if isinstance(value, (float, int)) and (number := _number(value)) is not None:
            fields.setdefault(_field_name(prefix, key), repr(number))
        elif value is not None and not numbers_only and not isinstance(value, float):
            text = value if isinstance(value, str) else _text(value, dumps)
            fields.setdefault(f"{_field_name(prefix, key)}_str", quote(text))
        if len(fields) == FLAT_MAX:
            break
    return "".join([f",{name}={text}" for name, text in fields.items()])


# Typed, because 1 and True are one key to a cache and two to whoever reads the database.
@lru_cache(maxsize=4096, typed=True)
def _field_name(prefix: str, key: object) -> str:
    name = text_of(key)
    return escape_key(f"attr_{name}" if not prefix and name in RESERVED else prefix + name)


def without_secrets(data: Any, depth: int = _DEPTH_MAX) -> Any:
    """Copy the data of an event without what was typed in as a secret, however deep it lies."""
    if not depth:
        return text_of(data)
    if isinstance(data, Mapping):
        return {
            key: without_secrets(value, depth - 1)
            for key, value in data.items()
            if text_of(key).lower() not in _NEVER_IN_EVENTS and not is_secret(text_of(key))
        }
    if isinstance(data, (list, tuple)):
        return [without_secrets(item, depth - 1) for item in data]
    return data


def _number(value: float) -> float | None:
    """Read a number as one that servers store."""
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None


def _text(value: object, dumps: JsonDumps) -> str:
    try:
        return dumps(value)
    except Exception:  # noqa: BLE001  foreign objects may raise anything
        return _plain_text(value)


def _encode(value: Mapping[str, Any], dumps: JsonDumps) -> str:
    try:
        return dumps(value)
    except Exception:  # noqa: BLE001  as above
        members = (f"{json.dumps(text_of(key))}:{_plain_text(value[key])}" for key in value)
        return "{" + ",".join(members) + "}"


def _plain_text(value: object) -> str:
    try:
        return json.dumps(_plain(value, _DEPTH_MAX))
    except Exception:  # noqa: BLE001  as above
        return json.dumps(type(value).__name__)


def _plain(value: Any, depth: int) -> Any:
    """Reduce anything to what JSON has; what is too deep or unknown becomes its text."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else None
    if depth and isinstance(value, Mapping):
        return {text_of(key): _plain(item, depth - 1) for key, item in list(value.items())}
    if depth and isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item, depth - 1) for item in list(value)]
    return text_of(value)


def text_of(value: object) -> str:
    """Return the value's text, or its type's name when it has none. Never raises."""
    try:
        text = str(value)
    except Exception:  # noqa: BLE001  as above
        text = type(value).__name__
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
