"""What servers and users call things, made harmless for wherever it is shown.

A server's reply may repeat what we sent, or hold markup; neither must reach a log, a state, a
repair or a bug report as it came.
"""

import re
from typing import Final

HIDDEN: Final = "**REDACTED**"

_VALUE: Final = (
    r'(?:\\*"(?:[^"\\]|\\.)*"|\'[^\']*\'|\\*\[[^\]]*\]|\{[^}]*\}|(?:\\[ ,=]|[^\s,;&)}\]"\'\\])+)'
)
_CREDENTIALS: Final = (
    r"password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|credential"
)
_PLACES: Final = r"latitude|longitude|gps|coordinate|location"
# Each pattern with what stands in its place.
_PATTERNS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE if folded else 0), replacement)
    for pattern, replacement, folded in (
        # Who is named in an address.
        (r"(\w+://)[^\s/@?#]+@", rf"\1{HIDDEN}@", False),
        # What is asked for in an address: a redirect to a login often holds a session.
        (
            r"(?<=[\w/.:%-])\?[\w.%\[\]-]+(?:=[^\s\"'<>)]*)?|(?<=[\w/])#[\w%.-]+=[^\s\"'<>)]*",
            f"?{HIDDEN}",
            False,
        ),
        # A scheme of authorization with its credentials.
        (
            r"\b((?i:token|bearer|basic|digest))\s+(?=\S*[\dA-Z=])[\w.~+/=-]{6,}",
            rf"\1 {HIDDEN}",
            False,
        ),
        # Anything with a telling name, in JSON at any depth, in a query or in line protocol.
        (
            rf"((?:[\w.-]*(?:{_CREDENTIALS}|{_PLACES})[\w.-]*|\b(?:lat|lon|lng|long))\\*[\"']?\s*[:=]\s*){_VALUE}",
            rf"\1{HIDDEN}",
            True,
        ),
        # A pair of numbers as exact as a place.
        (r"-?\d{1,3}\.\d{3,}\s*[,;/ ]\s*-?\d{1,3}\.\d{3,}", HIDDEN, False),
    )
)

# What a server repeats of a line of line protocol, which it may have cut.
_ASSIGNED: Final = re.compile(r'([\w.-]+)=(\\*"(?:[^"\\]|\\.)*(?:"|$)|(?:\\.|[^\s,;\'"\\)\]}])+)')
_COUNT: Final = re.compile(r"[0-9]{1,3}")
_LINE: Final = re.compile(r"((?:\\.|[^ \\])*) (.*?)( -?\d+)?$", re.DOTALL)
_TAG: Final = re.compile(r"((?:\\.|[^,=\\])+)=((?:\\.|[^,\\])*)")
_FIELD: Final = re.compile(r'((?:\\.|[^,=\\])+)=("(?:\\.|[^"\\])*"|[^,]*)')
# The tags that say which point it is, and nothing of the home.
_TOLD_TAGS: Final = frozenset(
    {"device_class", "domain", "entity_id", "event_type", "integration", "unit"}
)

_INERT: Final = str.maketrans({"[": "(", "]": ")", "<": "\u2039", ">": "\u203a", "`": "'"})
# What begins an image, a link, a style or a table, and what makes a bare address one.
_MARKDOWN: Final = re.compile(r"[\\`*\[\]()!#|~{}]|(?<!\w)_|_(?!\w)|:(?=//)|(?<=www)\.|@|^[-+=]")
_HTML: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def redacted(text: str) -> str:
    """Hide credentials, queries of addresses, and places."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def for_strangers(text: str) -> str:
    """Hide the values of a home too, for what is attached to a bug report."""
    return redacted(_ASSIGNED.sub(_hidden_value, text))


def _hidden_value(assigned: re.Match[str]) -> str:
    name, value = assigned.groups()
    is_told = name in _TOLD_TAGS or _COUNT.fullmatch(value)
    return f"{name}={value if is_told else HIDDEN}"


def line_for_strangers(line: str) -> str:
    """Show which fields a line of line protocol has, and nothing of what is in them."""
    if (parts := _LINE.fullmatch(line)) is None:
        return HIDDEN
    series, fields, time = parts[1], parts[2], parts[3] or ""
    measurement = re.split(r"(?<!\\),", series, maxsplit=1)[0]
    tags = (
        f",{key}={value if key in _TOLD_TAGS else HIDDEN}"
        for key, value in _TAG.findall(series[len(measurement) :].removeprefix(","))
    )
    names = (f"{key}={HIDDEN}" for key, _ in _FIELD.findall(fields))
    return f"{measurement}{''.join(tags)} {','.join(names)}{time}"


def plain(text: str) -> str:
    """Return one line that is no markup, for where it is shown as it is: titles, errors, logs."""
    return _one_line(redacted(text)).translate(_INERT)


def markdown(text: str) -> str:
    """Return one line that Markdown shows as these very characters."""
    escaped = _MARKDOWN.sub(r"\\\g<0>", _one_line(redacted(text)))
    return escaped.translate(_HTML)


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
