"""Names as words: what a thing is, and not how somebody spelled it."""

import re
from functools import lru_cache
from typing import Final
from unicodedata import combining, normalize

_WORD_BREAK: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\W_]+")
# Letters that are no other one with an accent.
_LETTERS: Final = str.maketrans(
    {"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "æ": "ae", "\u0131": "i"}
)
_NUMBER_AT_THE_END: Final = "_0123456789"


def listed(words: str) -> frozenset[str]:
    """Read a table of words."""
    return frozenset(words.split())


# What form a thing has, and which of several it is: nothing of what it is.
_FORMS: Final = listed("""
    value values str string text raw hex hash header headers b64 base64 encoded plain v
    current new old last
""")
_VERSION: Final = re.compile(r"v?[0-9]+")

# Levels behind the name of a thing, by the conventions of Zigbee2MQTT, Homie and others.
_DONE_WITH_IT: Final = frozenset({"set", "get", "state", "value", "command", "cmd", "status", ""})


# Members that name what others of the same mapping hold.
NAMING: Final = listed("""
    name key field header property property_name property_key_name attribute param parameter
    option variable setting label command_class_name id type kind title topic k n
""")
NAMED: Final = listed("""
    value values val content data text value_raw new_value new_value_raw prev_value prev_value_raw
    old_value event_data payload v state native_value default current result
""")


def spelled(name: str) -> str:
    """Write a name in small letters with underscores, without accents."""
    return _WORD_BREAK.sub("_", name if name.isascii() else plain_letters(name)).strip("_").lower()


def plain_letters(name: str) -> str:
    """Write letters without accents, and those of full width as others are."""
    parts = normalize("NFKD", name.translate(_LETTERS))
    return normalize("NFC", "".join(sign for sign in parts if not combining(sign)))


@lru_cache(maxsize=4096)
def words_of(name: str) -> str:
    """Write a name in small letters with underscores; a number at its end goes."""
    text = spelled(name)
    return text.rstrip(_NUMBER_AT_THE_END) or text


def thing_of(name: str) -> list[str]:
    """Return the words that say what it is, without those that only say in which form.

    `token_value` and `api_key_v2` are a token and a key.
    """
    words = words_of(name).split("_")
    first, end = 0, len(words)
    while first < end and (words[end - 1] in _FORMS or _VERSION.fullmatch(words[end - 1])):
        end -= 1
    while first < end and words[first] in _FORMS:
        first += 1
    return words[first:end] or words


def level_of(topic: str) -> str:
    """Return the level of an MQTT topic that says what a message is about."""
    levels = topic.split("/")
    while len(levels) > 1 and levels[-1].lower() in _DONE_WITH_IT:
        levels.pop()
    return levels[-1]
