"""JSON with orjson, and with the standard library where that refuses."""

import json
from typing import Any

import orjson


def encode(content: Any, *, option: int = 0) -> bytes:
    """Encode plain values, also what orjson refuses: say, an integer of more than 64 bits.

    `option` is orjson's. Raises ValueError for what JSON does not have.
    """
    try:
        return orjson.dumps(content, option=option)
    except TypeError:
        is_sorted = bool(option & orjson.OPT_SORT_KEYS)
        return json.dumps(content, allow_nan=False, sort_keys=is_sorted).encode()


def decode(text: str) -> Any:
    """Read JSON; None where it is none."""
    try:
        return orjson.loads(text)
    except ValueError:
        return None


def decode_object(text: str) -> dict[str, Any]:
    """Read a JSON object; an empty one where it is something else."""
    content = decode(text)
    return content if isinstance(content, dict) else {}
