"""Cleans values that integrations put into a registry."""

from collections.abc import Iterable
from typing import Any, Final

from ..pipeline.encode.plain import as_json
from ..pipeline.text import text_of

_DEPTH_MAX: Final = 32


def text(value: object) -> str | None:
    """Make it text, or None where there is nothing to read; no database takes a NUL."""
    if value is None:
        return None
    found = value if type(value) is str and value.isascii() else text_of(value)
    if "\0" in found:
        found = found.replace("\0", "")
    return found if found and not found.isspace() else None


def texts(values: Iterable[object]) -> tuple[str, ...]:
    """Keep what can be read, each once."""
    return tuple(dict.fromkeys(found for value in values if (found := text(value)) is not None))


def plain(value: Any) -> Any:
    """Reduce it to what JSON has, in an order that depends on the content only."""
    return as_json(value, _DEPTH_MAX, as_text=lambda part: text_of(part).replace("\0", ""))
