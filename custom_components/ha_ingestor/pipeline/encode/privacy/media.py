"""Which names tell what somebody listens to or watches, and with what."""

import re
from functools import lru_cache
from typing import Final

from .words import listed, words_of

# Anywhere in a name.
_WORDS: Final = listed("""
    media artist artists album albums song songs episode episodes playlist playlists podcast
    podcasts track tracks genre composer movie movies
    kuenstler kunstler interpret lied wiedergabeliste artiste chanson artista cancion canzone
    artiest liedje
""")
# The whole name.
_NAMES: Final = re.compile(
    r"(?:.*_)?app|(?:.*_)?app_(?:id|name|title|icon|package|package_name)|now_playing"
    r"|(?:.*_)?(?:tv_show|radio_station|show_name|channel_name|program(?:me)?_name|series_name)"
    r"|(?:.*_)?(?:title|titel|titre|titulo|titolo)"
)


@lru_cache(maxsize=4096)
def is_media(name: str) -> bool:
    """Whether it is about played media."""
    words = words_of(name)
    return not _WORDS.isdisjoint(words.split("_")) or bool(_NAMES.fullmatch(words))
