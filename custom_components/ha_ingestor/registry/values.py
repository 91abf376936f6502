"""Whatever integrations put into a registry, as values that any database takes."""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

from ..pipeline.encode.text import text_of


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


def plain(value: Any) -> Any:  # noqa: PLR0911  one for each kind that JSON has
    """Reduce it to what JSON has, in an order that depends on the content only."""
    match value:
        case None | bool():
            return value
        case int():
            return int(value)
        case float():
            return value if isfinite(value) else None
        case Mapping():
            return {text(key) or "": plain(item) for key, item in value.items()}
        case set() | frozenset():
            return [plain(item) for item in sorted(value, key=text_of)]
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return text_of(value).replace("\0", "")
