"""Cleans values that integrations put into a registry."""

from collections.abc import Iterable
from typing import Any, Final

from ..pipeline.encode.plain import as_json
from ..pipeline.encode.privacy.nested import cleaned
from ..pipeline.encode.privacy.unwanted import unwanted_names
from ..pipeline.text import text_of

_DEPTH_MAX: Final = 32
# Where things are is what a registry is asked for.
_SECRETS: Final = unwanted_names(coordinates=True, media=True)


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


def plain_json(value: Any) -> Any:
    """Reduce it to what JSON has, in an order that depends on the content only."""
    return as_json(value, _DEPTH_MAX, as_text=lambda part: text_of(part).replace("\0", ""))


def without_secrets(value: Any) -> Any:
    """Leave out secrets: a lock's default code is an option, an address may name a user."""
    return cleaned(value, _SECRETS) if value else value
