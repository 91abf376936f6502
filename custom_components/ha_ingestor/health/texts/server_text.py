"""Makes text from servers and users safe to show.

A server's reply may repeat what we sent, or hold markup; neither must reach a log, a state, a
repair or a bug report as it came.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

from ...clients.exchange import HIDDEN
from ...pipeline.encode.privacy.location import is_location
from ...pipeline.encode.privacy.named import without_named
from ...pipeline.encode.privacy.redaction import (
    without_keys,
    without_options,
    without_paths,
    without_schemes,
    without_users,
)
from ...pipeline.encode.privacy.secrets import is_secret
from ...pipeline.encode.privacy.texts import is_sensitive

# More than is shown anywhere, and little enough for the event loop.
_MAX: Final = 2_000
# What is asked for in an address: a redirect to a login often holds a session.
_QUERY: Final = re.compile(
    r"(?<=[\w/.:%-])\?[\w.%\[\]-]+(?:=[^\s\"'<>)]*)?|(?<=[\w/])#[\w%.-]+=[^\s\"'<>)]*"
)
# A pair of numbers as exact as a place.
_PLACE: Final = re.compile(r"-?\b\d{1,3}\.\d{3,}(?:\s*[,;/]\s*|\s+)-?\d{1,3}\.\d{3,}")
_REASON: Final = re.compile(r'"[a-z ]+"')
# What a database says to people, within its JSON.
_SAID: Final = re.compile(r'(?<!\\)"(?:error|message|error_message)"\s*:\s*"((?:[^"\\]|\\.)*)')
# What columns add to the names of attributes.
_COLUMN: Final = re.compile(r"\A(?:attr_|data_)|_str\Z")

# What a server repeats of a line of line protocol, which it may have cut.
_ASSIGNED: Final = re.compile(
    r'(?<![\w.-])([\w.-]+)=(\\*"(?:[^"\\]|\\.)*(?:"|\\?\Z)|(?:\\.|[^\s,;\'"\\)\]}])+)', re.DOTALL
)
_COUNT: Final = re.compile(r"[0-9]{1,3}")
_LINE: Final = re.compile(r"((?:\\.|[^ \\])*) (.*?)( -?\d+)?$", re.DOTALL)
# Each takes also a name without a value, so that it never looks at a sign twice.
_TAG: Final = re.compile(r"((?:\\.|[^,=\\])+)(?:=((?:\\.|[^,\\])*))?", re.DOTALL)
_FIELD: Final = re.compile(
    r'((?:\\.|[^,=\\])+)(?:=("(?:\\.|[^"\\])*(?:"|\\?\Z)|[^,]*))?', re.DOTALL
)
# The tags that say which point it is, and nothing of the home.
_SHOWN_TAGS: Final = frozenset(
    {"device_class", "domain", "entity_id", "event_type", "integration", "unit"}
)

_INERT: Final = str.maketrans({"[": "(", "]": ")", "<": "\u2039", ">": "\u203a", "`": "'"})
# What begins an image, a link, a style or a table, and what makes a bare address one.
_MARKDOWN: Final = re.compile(r"[\\`*\[\]()!#|~{}]|(?<!\w)_|_(?!\w)|:(?=//)|(?<=www)\.|@|^[-+=]")
_HTML: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def redacted(text: str) -> str:
    """Cut a text to what is shown, and hide credentials, queries of addresses, and places."""
    text = _QUERY.sub(f"?{HIDDEN}", without_users(_cut(text), HIDDEN))
    text = without_keys(without_schemes(without_paths(text, HIDDEN), HIDDEN), HIDDEN)
    text = without_options(text, lambda name: _is_sensitive(name, "", ""), HIDDEN)
    text = without_named(text, _is_sensitive, HIDDEN, is_line_protocol=True)
    return _PLACE.sub(HIDDEN, text)


def _cut(text: str) -> str:
    if len(text) <= _MAX:
        return text
    text = text[:_MAX]
    before, slashes, address = text.rpartition("//")
    # The `@` behind a password may be cut.
    is_cut = slashes and len(address.split()) == 1 and not address[-1:].isspace()
    return f"{before}{slashes}\u2026" if is_cut else f"{text}\u2026"


def _is_sensitive(name: str, before: str, value: str) -> bool:
    # What InfluxDB calls its reasons.
    if name == "code" and _REASON.match(value):
        return False
    return any(
        is_sensitive(each, before, lambda name: is_secret(name) or is_location(name))
        for each in (name, _COLUMN.sub("", name))
    )


def message_of(text: str) -> str:
    """Return what a database says to people in its JSON, which may be cut; else the text itself."""
    if not text.lstrip().startswith("{"):
        return text
    said = (_unescaped(found[1]) for found in _SAID.finditer(text[:_MAX]))
    return ": ".join(dict.fromkeys(filter(None, said))) or text


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text  # an escape sequence of no JSON


def redacted_for_report(text: str) -> str:
    """Redact also values of the home, for a bug report."""
    return _ASSIGNED.sub(_hidden_value, redacted(text))


def _hidden_value(assigned: re.Match[str]) -> str:
    name, value = assigned.groups()
    is_shown = name in _SHOWN_TAGS or _COUNT.fullmatch(value)
    return f"{name}={value if is_shown else HIDDEN}"


def redacted_line(line: str) -> str:
    """Show which fields a line of line protocol has, and nothing of what is in them."""
    if (parts := _LINE.fullmatch(line)) is None:
        return HIDDEN
    series, fields, time = parts[1], parts[2], parts[3] or ""
    measurement = re.split(r"(?<!\\),", series, maxsplit=1)[0]
    tags = (
        f",{key}={value if key in _SHOWN_TAGS and _is_harmless(value) else HIDDEN}"
        for key, value in _pairs(_TAG, series[len(measurement) :].removeprefix(","))
    )
    names = (f"{key}={HIDDEN}" for key, _ in _pairs(_FIELD, fields))
    return f"{measurement}{''.join(tags)} {','.join(names)}{time}"


def _is_harmless(tag: str) -> bool:
    """Whether nothing lies in the value of a tag, which another home may have chosen."""
    text = tag.replace("\\", "")
    return redacted(text) == text


def _pairs(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, str]]:
    return ((each[1], each[2]) for each in pattern.finditer(text) if each[2] is not None)


def plain(text: str) -> str:
    """Return one line that is no markup, for where it is shown as it is: titles, errors, logs."""
    return _one_line(redacted(message_of(text))).translate(_INERT)


def markdown(text: str) -> str:
    """Return one line that Markdown shows as these very characters."""
    escaped = _MARKDOWN.sub(r"\\\g<0>", _one_line(redacted(message_of(text))))
    return escaped.translate(_HTML)


def code(text: str) -> str:
    """Return one line that Markdown shows as these very characters, as code. Nothing is hidden."""
    line = _one_line(text)
    # A longer row of backticks than any within.
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    return f"{fence} {line} {fence}"


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
