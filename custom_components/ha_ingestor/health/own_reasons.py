"""Reasons that we gave ourselves, in the language of the home; a server's words stay as they are.

They are stored in English, with the points that they are about.
"""

import re
from collections.abc import Mapping
from typing import Final

from ..pipeline.export.texts import TEXT_ONLY
from .words import Words, common_word

# By the end of the key of the translation, which is completed with the groups.
OWN_REASONS: Final[Mapping[str, re.Pattern[str]]] = {
    "expired": re.compile(r"Older than the retention of (?P<seconds>\d+) seconds"),
    "no_answer": re.compile(r"No answer (?:for|in) (?P<seconds>\d+) s"),
    "no_number": re.compile(re.escape(TEXT_ONLY)),
}


def reason_word(words: Words, reason: str) -> str:
    """Say a reason in the user's language, if it is one of ours."""
    for key, pattern in OWN_REASONS.items():
        if found := pattern.fullmatch(reason):
            return common_word(words, f"reason_{key}").format(**found.groupdict())
    return reason
