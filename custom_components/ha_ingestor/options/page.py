"""What a page of the options is."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant

from .number import OptionError, accepted_numbers, bounded_numbers

__all__ = ["Found", "OptionError", "Page"]

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
class Found:
    """What Home Assistant knows of a page that nobody filled in yet, and what to say of it.

    `beside` returns what is stored of other pages, for the options that there are.
    """

    values: Mapping[str, Any]
    placeholders: Mapping[str, str]
    beside: Callable[[Mapping[str, Any]], Mapping[str, Any]]


def _nowhere(_page: Mapping[str, Any]) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A form, what it shows before anything was chosen, and what becomes of an input.

    `accept` returns what is stored under the key of the page, or raises OptionError; its sentences
    may use `placeholders`. `continued` names the page that has to be filled in after this one, for
    what was accepted; a page that only comes after others is not `in_menu`. `async_found` looks for
    something better than the defaults. `shown` returns what the form shows of what was stored.
    """

    schema: vol.Schema
    defaults: Mapping[str, Any]
    accept: Callable[[Mapping[str, Any]], dict[str, Any]]
    placeholders: Mapping[str, str] = field(default_factory=dict)
    continued: Callable[[Mapping[str, Any]], str] = _nowhere
    shown: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
    in_menu: bool = True
    async_found: Callable[[HomeAssistant], Awaitable[Found]] | None = None

    def accepted(self, entered: Mapping[str, Any]) -> dict[str, Any]:
        """Return what to store of a filled-in page; raises OptionError."""
        _check_lengths(entered)
        return self.accept(accepted_numbers(self.schema, entered))

    def stored(self, options: Mapping[str, Any] | None) -> dict[str, Any]:
        """Read what is stored under the key of the page; what is missing is the default."""
        return {**self.defaults, **self.within_bounds(options or {})}

    def within_bounds(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is stored with every number between its bounds, and nothing more."""
        return bounded_numbers(self.schema, options, self.defaults)
