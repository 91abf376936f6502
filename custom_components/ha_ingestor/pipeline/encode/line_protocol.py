"""Line protocol that every supported server reads the same way.

Where InfluxDB 1, 2, 3 and VictoriaMetrics disagree about an input, the input is replaced by one
they agree on, so that any text yields exactly one point:

- backslashes in names and tag values become `/`; control characters become spaces everywhere
- an empty tag value, a float that is not finite: left out
- names: `time` becomes `time_`; a leading `_` or `#` gets an `x` in front; an empty one is `x`;
  a double quote in the name of a tag or field becomes `'`
- strings and names are cut at a UTF-8 boundary; a lone surrogate becomes `?`
"""

from collections.abc import Iterable
from typing import Final

from ..text import text_of
from .plain import as_finite_number

type FieldValue = str | float | bool

# Servers take 64 KiB and more; half of that keeps a full batch far below every body limit.
STRING_MAX_BYTES: Final = 32 * 1024
# InfluxDB 1 and 2 refuse a series key over 65 535 bytes, VictoriaMetrics drops labels past its
# limit: 20 tags of the sizes below stay under it even when every character needs an escape.
TAG_VALUE_MAX_BYTES: Final = 1024
NAME_MAX_BYTES: Final = 256
TAGS_MAX: Final = 20
# The last whole microsecond that fits the servers' signed 64-bit nanoseconds.
TIME_MAX_US: Final = (2**63 - 2) // 1000

_CONTROLS: Final = range(32)
_STRING: Final = dict.fromkeys(_CONTROLS, " ") | {ord('"'): '\\"', ord("\\"): "\\\\"}
# A control character becomes a space, and outside of strings a space has to be escaped.
_MEASUREMENT: Final = dict.fromkeys(_CONTROLS, "\\ ") | {
    ord(" "): "\\ ",
    ord(","): "\\,",
    ord("\\"): "/",
}
_TAG_VALUE: Final = _MEASUREMENT | {ord("="): "\\="}
# VictoriaMetrics takes a quote in a field's name for the beginning of a string.
_KEY: Final = _TAG_VALUE | {ord('"'): "'"}

# Characters that fit a string whatever they are.
_SHORT: Final = STRING_MAX_BYTES // 4

_RESERVED_FIRST: Final = ("_", "#")


def cut(text: str, limit: int) -> str:
    """Cut a text to so many bytes, between two characters."""
    # Four bytes is the most that one character takes, so the common case needs no encoding.
    if len(text) * 4 <= limit:
        return text
    raw = text.encode("utf-8", "replace")
    return text if len(raw) <= limit else raw[:limit].decode("utf-8", "ignore")


def _safe_name(name: str) -> str:
    if not name:
        return "x"
    # Here and not when the line is sent: names that are stored as one are one name.
    name = text_of(name)
    return "x" + name if name.startswith(_RESERVED_FIRST) else name


def escape_measurement(name: str) -> str:
    """Escape a measurement's name."""
    return _safe_name(cut(name, NAME_MAX_BYTES)).translate(_MEASUREMENT)


def escape_key(name: str) -> str:
    """Escape the name of a tag or a field."""
    return "time_" if name == "time" else _safe_name(cut(name, NAME_MAX_BYTES)).translate(_KEY)


def escape_tag_value(value: str) -> str:
    """Escape a tag's value; the caller leaves out an empty one."""
    return cut(value, TAG_VALUE_MAX_BYTES).translate(_TAG_VALUE)


def quote(text: str) -> str:
    """Quote a string field."""
    if text.isalnum() and len(text) <= _SHORT:  # on, home, and every id
        return f'"{text}"'
    text = cut(text, STRING_MAX_BYTES)
    if text.isprintable():  # by far the most, and replace() is several times faster
        text = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{text}"'
    return f'"{text.translate(_STRING)}"'


def quote_json(text: str) -> str:
    """Quote a text of JSON that fits: what is not printable was escaped when it was made."""
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def series_key(measurement: str, tags: Iterable[tuple[str, str]]) -> str:
    """Encode measurement and tags, sorted by key as the servers store them.

    Empty values are left out; of a key given twice the first wins; past `TAGS_MAX` tags are cut.
    """
    pairs: dict[str, str] = {}
    for key, value in tags:
        if value:
            pairs.setdefault(escape_key(key), escape_tag_value(value))
    kept = sorted(list(pairs.items())[:TAGS_MAX])
    return ",".join([escape_measurement(measurement), *(f"{key}={value}" for key, value in kept)])


def encode_value(value: FieldValue) -> str | None:
    """Encode one field's value; numbers are always floats, so that a field never flips type.

    None for a float no server can store.
    """
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return quote(value)
    number = as_finite_number(value)
    return None if number is None else repr(number)


def field_set(fields: Iterable[tuple[str, FieldValue]]) -> str:
    """Encode fields; empty when not one of them can be stored.

    Of a key given twice the first wins.
    """
    pairs: dict[str, str] = {}
    for key, value in fields:
        if (text := encode_value(value)) is not None:
            pairs.setdefault(escape_key(key), text)
    return ",".join([f"{key}={text}" for key, text in pairs.items()])


def line(series: str, fields: str, time_us: int) -> str:
    """Join the encoded parts; the time goes out in nanoseconds, clamped to what servers store."""
    return f"{series} {fields} {min(max(time_us, 0), TIME_MAX_US)}000"
