"""What a page of the options is."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant

if TYPE_CHECKING:
    import probatio as vol  # what Home Assistant's signatures name, and what vol is at run time
else:
    import voluptuous as vol


class OptionError(ValueError):
    """An option that cannot be used: the field, and a slug that says why.

    Where a field has several values, `wrong` is the one; the sentence may use it.
    """

    def __init__(self, field: str, reason: str, wrong: str = "") -> None:
        """Blame one field."""
        super().__init__(reason)
        self.field = field
        self.reason = reason
        self.wrong = wrong


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
