"""Which attributes of a state are stored, and how: as one JSON text, as fields, or not at all."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from math import isfinite
from typing import Any, Final

from ..model import EntityContext, StateLike
from ..text import exact, text_of
from .columns import field_name
from .line_protocol import STRING_MAX_BYTES, quote
from .plain import as_json, as_number
from .privacy.location import is_place, is_position
from .privacy.nested import cleaned
from .privacy.secrets import is_harmless_code, is_keypad_code, is_secret, tells_nothing
from .privacy.texts import SIMPLE_TYPES, is_plain
from .privacy.unwanted import Unwanted, unwanted_names

type JsonDumps = Callable[[Any], str]


class Shape(StrEnum):
    """How attributes are stored."""

    NONE = "none"
    NUMERIC = "numeric"
    JSON = "json"
    FLAT = "flat"


# What the recorder keeps of entities that ask it to keep no attribute at all.
_ALL: Final = "*"
_ALWAYS_RECORDED: Final = frozenset(
    {"device_class", "friendly_name", "state_class", "unit_of_measurement"}
)

# InfluxDB 3 has room for 500 columns in a table, for all entities together. What is too much is
# left out, and `left_out` of the point says how much that is.
FLAT_MAX: Final = 200
LEFT_OUT: Final = "left_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributesPolicy:
    """Which attributes are stored; names may be globs, an empty `only` means all.

    `recorder`: leave out what integrations ask the recorder to leave out, long lists mostly.
    """

    shape: Shape = Shape.JSON
    only: frozenset[str] = frozenset()
    drop: frozenset[str] = frozenset()
    recorder: bool = True
    coordinates: bool = True
    media: bool = True

    def chosen(self, entity: EntityContext, state: StateLike) -> dict[str, Any]:
        """Return the attributes that are kept of a state, in the order of their names.

        Which names these are is remembered with the entity: values change all day, names hardly
        ever.
        """
        attributes, memo = state.attributes, entity.memo
        # Home Assistant's states know what is unrecorded of their entity; those set by hand do not.
        info = getattr(state, "state_info", None)
        names = tuple(attributes)
        known = memo.get("names")
        if known is None or known[0] != names or known[1] is not info:
            unrecorded = info["unrecorded_attributes"] if info and self.recorder else frozenset()
            kept = self._names(names, unrecorded)
            doubtful = [name for name in kept if self._is_doubtful(text_of(name))]
            known = memo["names"] = (names, info, kept, doubtful)
        chosen = {name: attributes[name] for name in known[2]}
        for name in known[3]:
            if self._is_unwanted_value(text_of(name), chosen[name], entity.entity_id):
                del chosen[name]
        for name, value in chosen.items():
            if type(value) not in SIMPLE_TYPES and not is_plain(value):
                chosen[name] = cleaned(value, self.unwanted)
        return chosen

    @property
    def unwanted(self) -> Unwanted:
        """Which names are left out wherever they are."""
        return unwanted_names(coordinates=self.coordinates, media=self.media)

    def _is_doubtful(self, name: str) -> bool:
        """Whether only the value of an attribute tells whether it is unwanted."""
        return (
            is_secret(name) or is_keypad_code(name) or (not self.coordinates and is_position(name))
        )

    def _is_unwanted_value(self, name: str, value: object, entity_id: str) -> bool:
        if is_secret(name):
            return not tells_nothing(name, value)
        if is_keypad_code(name):
            return not is_harmless_code(value, entity_id)
        return is_place(value)

    def _names(self, names: tuple[str, ...], unrecorded: frozenset[str]) -> list[str]:
        if _ALL in unrecorded:
            unrecorded = frozenset(names) - _ALWAYS_RECORDED
        is_unwanted = self.unwanted
        return [
            name
            for name in sorted(names, key=text_of)
            if name not in unrecorded
            and (not is_unwanted(text_of(name)) or is_secret(text_of(name)))
            and not any(fnmatchcase(text_of(name), glob) for glob in self.drop)
            and (not self.only or any(fnmatchcase(text_of(name), glob) for glob in self.only))
        ]


def without_secrets(data: Any, *, coordinates: bool = True, media: bool = True) -> Any:
    """Copy the data of an event without what is unwanted, at any depth. Never raises."""
    return cleaned(data, unwanted_names(coordinates=coordinates, media=media))


def attributes_json(wanted: Mapping[str, Any], dumps: JsonDumps) -> str:
    """Encode attributes with `dumps`, and whatever it refuses by plain rules. Never raises.

    An attribute that makes the text too long is left out, the shortest are kept.
    """
    return counted_json(wanted, dumps)[0]


def counted_json(wanted: Mapping[str, Any], dumps: JsonDumps) -> tuple[str, int]:
    """Encode attributes as `attributes_json` does, and count what is left out."""
    text = _encode(wanted, dumps)
    # Escaping for line protocol at most doubles a text, and the limit holds for what is escaped.
    if (
        len(text) * 4 <= STRING_MAX_BYTES
        or len(text.encode("utf-8", "replace")) <= STRING_MAX_BYTES
    ):
        return text, 0
    parts = sorted((_encode({key: value}, dumps)[1:-1] for key, value in wanted.items()), key=len)
    kept: list[str] = []
    room = STRING_MAX_BYTES - 2
    for part in parts:
        room -= len(part.encode("utf-8", "replace")) + 1
        if room < 0:
            break
        kept.append(part)
    return "{" + ",".join(kept) + "}", len(parts) - len(kept)


def left_out_field(count: int) -> str:
    """Encode how much is left out for want of room, after a comma; nothing when all is there."""
    return f",{LEFT_OUT}={float(count)!r}" if count else ""


def attribute_fields(
    wanted: Mapping[str, Any], dumps: JsonDumps, prefix: str, *, numbers_only: bool
) -> tuple[str, int]:
    """Encode attributes as fields, each after a comma, and count those past `FLAT_MAX`.

    Numbers of any type, and yes and no as 1 and 0, are called otherwise than texts: see `columns`.
    A whole number with more digits than a float has is both.
    """
    fields: dict[str, str] = {}
    for key, value in wanted.items():
        number = as_number(value)
        if number is not None and isfinite(number):
            fields[_field_name(prefix, key, is_text=False)] = repr(number)
            # A float may not have all digits of a long whole number.
            if not numbers_only and type(value) is int and int(number) != value:
                fields[_field_name(prefix, key, is_text=True)] = quote(str(value))
        elif number is None and value is not None and not numbers_only:
            text = exact(value) if isinstance(value, str) else _text(value, dumps)
            fields[_field_name(prefix, key, is_text=True)] = quote(text)
    kept = list(fields.items())[:FLAT_MAX]
    return "".join([f",{name}={text}" for name, text in kept]), len(fields) - len(kept)


def _field_name(prefix: str, key: object, *, is_text: bool) -> str:
    # The name 5 is none of the text "5"; no text that a server stores has this character.
    name = exact(key) if isinstance(key, str) else f"{text_of(key)}\0{type(key).__name__}"
    return field_name(prefix, name, is_text=is_text)


def _text(value: object, dumps: JsonDumps) -> str:
    """Write a value as JSON, and one that is a text there as this text."""
    try:
        text = dumps(value)
    except BaseException:  # noqa: BLE001  foreign objects may raise anything
        text = _plain_text(value)
    if text[:1] != '"':
        return text
    try:
        plain = json.loads(text)
    except ValueError:
        return text
    return plain if isinstance(plain, str) else text


def _encode(value: Mapping[str, Any], dumps: JsonDumps) -> str:
    try:
        return dumps(value)
    except BaseException:  # noqa: BLE001  as above
        members = (f"{json.dumps(text_of(key))}:{_plain_text(value[key])}" for key in value)
        return "{" + ",".join(members) + "}"


def _plain_text(value: object) -> str:
    try:
        return json.dumps(as_json(value))
    except BaseException:  # noqa: BLE001  as above
        return json.dumps(type(value).__name__)
