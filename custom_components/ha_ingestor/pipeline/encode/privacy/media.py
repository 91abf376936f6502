"""Which names tell what somebody listens to or watches, and with what."""

import re
from functools import lru_cache
from typing import Final

from .words import listed, words_of

# Anywhere in a name.
_WORDS: Final = listed("media artist artists album song episode playlist podcast track")
# The whole name.
_NAMES: Final = re.compile(
    r"(?:.*_)?app|(?:.*_)?app_(?:id|name|title|icon|package|package_name)|(?:.*_)?title|now_playing"
)


@lru_cache(maxsize=4096)
def is_media(name: str) -> bool:
    """Whether it is about played media."""
    words = words_of(name)
    return not _WORDS.isdisjoint(words.split("_")) or bool(_NAMES.fullmatch(words))
