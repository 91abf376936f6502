"""The definition of an options page."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant

from .number import OptionError, accepted_numbers, bounded_numbers
from .stored import usable

__all__ = ["OptionError", "Page", "Suggestion"]

# No name that Home Assistant or a database knows is longer.
TEXT_MAX: Final = 255
_SHOWN_MAX: Final = 40


def _check_lengths(entered: Mapping[str, Any]) -> None:
    """Refuse a text that is too long, also in a list or as a key; raises OptionError."""
    values = list(entered.items())
    while values:
        field, value = values.pop()
        if isinstance(value, str) and len(value) > TEXT_MAX:
            more = {"max_length": str(TEXT_MAX)}
            raise OptionError(field, "text_too_long", value[:_SHOWN_MAX], more)
        if isinstance(value, Mapping):
            values += ((field, part) for pair in value.items() for part in pair)
        elif isinstance(value, (list, tuple)):
            values += ((field, item) for item in value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Values that Home Assistant suggests for a page, and `notes` on them: sentences with names.

    `beside` returns what is stored of other pages, for the options that there are.
    """

    values: Mapping[str, Any]
    notes: Mapping[str, Sequence[str]]
    beside: Callable[[Mapping[str, Any]], Mapping[str, Any]]


def _nowhere(_page: Mapping[str, Any]) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A form, its defaults, and the validation of its input.

    It is stored under its `key` among the options. `validate` is given an input with defaults for
    what is missing and returns what to store, or raises OptionError; its sentences may use
    `placeholders`. `next_page` names the page that has to be filled in after this one, for what was
    accepted. `async_suggest` looks for something better than the defaults. `shown` returns what the
    form shows of what was stored.
    """

    key: str
    schema: vol.Schema
    defaults: Mapping[str, Any]
    validate: Callable[[Mapping[str, Any]], dict[str, Any]] = dict
    placeholders: Mapping[str, str] = field(default_factory=dict)
    next_page: Callable[[Mapping[str, Any]], str] = _nowhere
    shown: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
    async_suggest: Callable[[HomeAssistant], Awaitable[Suggestion]] | None = None

    def accepted(self, entered: Mapping[str, Any]) -> dict[str, Any]:
        """Return what to store of a filled-in page; raises OptionError."""
        _check_lengths(entered)
        return self.validate({**self.defaults, **accepted_numbers(self.schema, entered)})

    def read(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Read this page among the options of a destination; what is missing is the default."""
        return self.completed(options.get(self.key, {}))

    def changed(self, options: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of a destination with some fields of this page changed."""
        return {**options, self.key: {**self.read(options), **changes}}

    def completed(self, stored: Any) -> dict[str, Any]:
        """Complete what is stored of this page with its defaults."""
        return {**self.defaults, **self.within_bounds(stored)}

    def within_bounds(self, stored: Any) -> dict[str, Any]:
        """Return what can be used of this page as it is stored, with numbers in their bounds."""
        found = usable(self.schema, stored, self.defaults).page
        return bounded_numbers(self.schema, found, self.defaults)

    def lost(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name the fields among the options of a destination that cannot be used as stored."""
        return usable(self.schema, options.get(self.key, {}), self.defaults).lost
