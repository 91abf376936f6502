"""Makes a point of a message of a broker: its topic gives tags, its payload gives fields.

- A number is a field of its name, a text is `<name>_str`, never the other way round. A text that
  is written as a number is one, and is a text too unless the number alone gives it back.
- true and false in an object are 1 and 0. What is null is left out.
- Members of a member are `<name>_<member>`. Of two of one name, that which lies less deep is kept.
- Lists, secrets, numbers that are not finite, and what lies too deep or is too much, are left out,
  and counted in `left_out`.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from typing import Any, Final

from ..ledger import NO_NUMBER
from .columns import message_field_name
from .line_protocol import (
    NAME_MAX_BYTES,
    TAG_VALUE_MAX_BYTES,
    FieldValue,
    encode_value,
    series_key,
)
from .numbers import number_of, round_trips
from .plain import as_finite_number
from .privacy.nested import cleaned
from .privacy.secrets import is_keypad_code, is_secret, tells_nothing
from .privacy.unwanted import unwanted_names
from .privacy.words import level_of
from .topic_pattern import TopicPattern

# Where things are and what is played is what the user asks for with the topic.
_UNWANTED: Final = unwanted_names(coordinates=True, media=True)

# What an intake may hold of them, it may hold many times.
PAYLOAD_MAX: Final = 16 * 1024
# As much as a tag holds: of two longer topics that begin alike the points could not be told apart.
TOPIC_MAX: Final = TAG_VALUE_MAX_BYTES
FIELDS_MAX: Final = 64
DEPTH_MAX: Final = 4

LEFT_OUT: Final = "left_out"


class Refusal(StrEnum):
    """Why a message gives no point, for the ledger. The values are stored."""

    RETAINED = "retained"
    TOO_LARGE = "message_too_large"
    EMPTY = "message_empty"
    MALFORMED = "message_malformed"
    NOTHING = "message_without_value"


class MessageError(ValueError):
    """A message that gives no point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageShape:
    """How messages of a topic pattern are stored.

    `field` is what the value of a plain payload is called. Of an object, `fields` are stored, or
    all of them if there are none; `texts` are never read as numbers. `taken` are the names of the
    tags of the measurement.
    """

    pattern: TopicPattern
    measurement: str
    field: str = "value"
    fields: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()

    def encode(self, topic: str, payload: bytes, *, numbers_only: bool) -> tuple[str, str] | str:
        """Return series and fields, or why there are none."""
        if len(topic.encode("utf-8", "replace")) > TOPIC_MAX:
            return Refusal.TOO_LARGE.value
        found = _Found(taken=self.taken, numbers_only=numbers_only)
        try:
            self._read(topic, payload, found)
        except MessageError as err:
            return str(err)
        if not found.fields:
            return NO_NUMBER if found.has_text else Refusal.NOTHING.value
        if found.left_out:
            found.fields[LEFT_OUT] = float(found.left_out)
        return (
            series_key(self.measurement, self.pattern.tag_values(topic)),
            # The names are escaped already.
            ",".join(f"{key}={encode_value(value)}" for key, value in found.fields.items()),
        )

    def _read(self, topic: str, payload: bytes, found: _Found) -> None:
        if _is_private(level_of(topic)):
            found.left_out += 1
            return
        text = _decoded(payload)
        name = self.pattern.field_of(topic)
        value = _value(text)
        kept: Any = value if isinstance(value, list) else cleaned(value, _UNWANTED)
        if isinstance(value, dict):
            self._read_object(kept, name, found)
            if kept != value:
                found.left_out += _count(value) - _count(kept)
            return
        name = name or self.field
        found.add(name, kept, is_text=name in self.texts)

    def _read_object(self, value: dict[str, Any], prefix: str, found: _Found) -> None:
        wanted, texts = self.fields, self.texts
        for path, member in _members(value, prefix):
            # A path that is listed stands for all that lies in it.
            if not wanted or any(path == each or path.startswith(f"{each}_") for each in wanted):
                found.add(path, member, is_text=path in texts)


@dataclass(slots=True, kw_only=True)
class _Found:
    """The fields of one message."""

    taken: frozenset[str]
    numbers_only: bool
    fields: dict[str, FieldValue] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    left_out: int = 0
    has_text: bool = False

    def add(self, name: str, value: object, *, is_text: bool = False) -> None:
        """Add a value, as a number, a text or both; what cannot be stored is counted."""
        if value is None:
            return
        number, text = _number_and_text(value, is_text=is_text)
        if (
            (number is None and text is None)
            or not 0 < len(name) <= NAME_MAX_BYTES
            or len(self.fields) >= FIELDS_MAX
            or name in self.names
            or (_is_private(name) and not tells_nothing(name, value))
        ):
            self.left_out += 1
            return
        self.names.add(name)
        if number is not None:
            self._put(name, number, is_text=False)
        if text is not None:
            self.has_text = True
            if not self.numbers_only:
                self._put(name, text, is_text=True)

    def _put(self, name: str, value: FieldValue, *, is_text: bool) -> None:
        self.fields[message_field_name(name, self.taken, is_text=is_text)] = value


def _is_private(name: str) -> bool:
    return is_secret(name) or is_keypad_code(name)


def _number_and_text(value: object, *, is_text: bool) -> tuple[float | None, str | None]:
    """Return the number of a value, and its text where the number alone does not give it back."""
    if isinstance(value, (list, dict)):
        return None, None
    if isinstance(value, str):
        number = None if is_text else _number(value)
        return number, None if number is not None and round_trips(number, value) else value
    number = as_finite_number(value)
    if is_text:
        return None, json.dumps(value)
    if not isinstance(value, int):
        return number, None
    is_exact = number is not None and int(number) == value
    return number, None if is_exact else str(value)


def _number(text: str) -> float | None:
    """Read a number, or 1 and 0 for what means yes and no; devices say ON where states say on."""
    return number_of(text.strip().lower())


def _members(value: dict[str, Any], prefix: str) -> Iterator[tuple[str, object]]:
    """Yield what lies in an object, level by level, each by its whole name."""
    level: list[tuple[str, Any]] = [(prefix, value)]
    for depth in range(DEPTH_MAX):
        deeper: list[tuple[str, Any]] = []
        for path, parent in level:
            for name, member in parent.items():
                whole = f"{path}_{name}" if path else name
                if (
                    isinstance(member, dict)
                    and depth < DEPTH_MAX - 1
                    and len(whole) <= NAME_MAX_BYTES
                ):
                    deeper.append((whole, member))
                else:
                    yield whole, member
        level = deeper


def _count(value: dict[str, Any]) -> int:
    return sum(1 for _ in _members(value, ""))


def _decoded(payload: bytes) -> str:
    try:
        # Some devices begin with a mark of the byte order, which is no part of the value.
        return payload.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise MessageError(Refusal.MALFORMED) from err


def _value(text: str) -> object:
    """Read a payload: an object, a list, or a plain value."""
    begin = text.lstrip()[:1]
    if begin in {"{", "["}:
        return _parsed(text)
    if begin == '"':
        with suppress(MessageError):
            return _parsed(text)
    return text


def _parsed(text: str) -> object:
    try:
        return json.loads(text, parse_float=_float)
    except (ValueError, RecursionError) as err:
        raise MessageError(Refusal.MALFORMED) from err


def _float(text: str) -> float | str:
    """Read a number; what is too large for a float is a text."""
    number = float(text)
    return number if isfinite(number) else text


def taken_names(shapes: Iterable[tuple[str, TopicPattern]], measurement: str) -> frozenset[str]:
    """Return the names of all tags of a measurement, whichever pattern they are of."""
    return frozenset(tag for name, pattern in shapes if name == measurement for tag in pattern.tags)
