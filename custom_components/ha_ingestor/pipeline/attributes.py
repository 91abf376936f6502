"""Attributes as one JSON text that always fits and never raises."""

import json
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Final

from .line_protocol import STRING_MAX_BYTES

type JsonDumps = Callable[[Any], str]

# Pictures are long and carry access tokens in their address; tokens are nobody's history.
DROPPED: Final = frozenset({"access_token", "entity_picture", "entity_picture_local", "token"})

_DEPTH_MAX: Final = 8


def attributes_json(attributes: Mapping[str, Any], dumps: JsonDumps) -> str:
    """Encode attributes with `dumps`, and whatever it refuses by plain rules.

    An attribute that makes the text too long is left out, the shortest are kept.
    """
    wanted = {key: value for key, value in attributes.items() if key not in DROPPED}
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


def _encode(value: Mapping[str, Any], dumps: JsonDumps) -> str:
    try:
        return dumps(value)
    except Exception:  # noqa: BLE001  foreign objects may raise anything
        return "{" + ",".join(_member(key, item) for key, item in value.items()) + "}"


def _member(key: object, value: object) -> str:
    try:
        text = json.dumps(_plain(value, _DEPTH_MAX))
    except Exception:  # noqa: BLE001  as above
        text = json.dumps(type(value).__name__)
    return f"{json.dumps(text_of(key))}:{text}"


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
    return text.encode("utf-8", "replace").decode()
