"""How a page asks for names and choices."""

from collections.abc import Iterable
from typing import Final

from homeassistant.helpers.selector import (
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)

TEXTS: Final = TextSelector(TextSelectorConfig(multiple=True))


def choice(
    key: str, options: Iterable[str], *, multiple: bool = False, as_list: bool = False
) -> SelectSelector:
    """Ask for one of some options, or several; their labels are translated under the key."""
    config = SelectSelectorConfig(options=list(options), translation_key=key, multiple=multiple)
    if as_list:
        config["mode"] = SelectSelectorMode.LIST
    return SelectSelector(config)


def suggestions(options: Iterable[str]) -> SelectSelector:
    """Ask for any names, and offer some."""
    return SelectSelector(
        SelectSelectorConfig(
            options=list(options),
            multiple=True,
            custom_value=True,
            mode=SelectSelectorMode.DROPDOWN,
        )
    )
