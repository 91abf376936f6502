"""Numbers and names as the sentences of a dialogue show them, in every language."""

from collections.abc import Iterable, Mapping
from typing import Final

from homeassistant.core import HomeAssistant

from ..health.texts.server_text import markdown
from ..health.texts.words import async_words, common_word
from ..options.number import grouped

UNKNOWN: Final = "\N{EN DASH}"
_SHOWN_MAX: Final = 10


def number(value: float) -> str:
    """Write a whole number, with a space between thousands."""
    return grouped(round(value))


def listed(names: Iterable[str]) -> str:
    """Write the first names, and how many more there are."""
    texts = [markdown(name) for name in names]
    more = len(texts) - _SHOWN_MAX
    shown = ", ".join(texts[:_SHOWN_MAX]) or UNKNOWN
    return f"{shown} \N{HORIZONTAL ELLIPSIS} (+ {number(more)})" if more > 0 else shown


async def async_sentences(hass: HomeAssistant, found: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Write only those sentences that have something to say, given by their keys below `common`."""
    words = await async_words(hass)
    return [common_word(words, key).format(**values) for key, values in found.items()]
