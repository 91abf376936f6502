"""Reasons that we or the operating system gave, in the language of the home.

They are stored in English, with what they are about. What a server says stays as it is.
"""

import re
from collections.abc import Mapping
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_get_cached_translations

from ...const import DOMAIN
from ...pipeline.export.texts import TEXT_ONLY

# What the operating system says of a connection or a file, by the state of *Last error* for it.
SYSTEM_REASONS: Final[Mapping[str, str]] = {
    "host_not_found": "Host name not found",
    "connection_refused": "Connection refused",
    "connection_reset": "Connection reset by peer",
    "no_route": "No route to host",
    "network_unreachable": "Network is unreachable",
    "disk_full": "No space left on device",
    "not_permitted": "Permission denied",
    "read_only": "Read-only file system",
    "io_error": "Input/output error",
}
# By the end of the key of the translation, which is completed with the groups.
OWN_REASONS: Final[Mapping[str, re.Pattern[str]]] = {
    "expired": re.compile(r"Older than the retention of (?P<seconds>\d+) seconds"),
    "no_answer": re.compile(r"No answer (?:for|in) (?P<seconds>\d+) s"),
    "no_number": re.compile(re.escape(TEXT_ONLY)),
    "connection_closed": re.compile("The server closed the connection"),
    "no_organizations": re.compile("The token may not read organizations"),
    "page": re.compile(r"An HTML page \(HTTP (?P<status>\d+)\)"),
    "rows_skipped": re.compile(r"(?P<rows>\d+) skipped"),
    "still_reading": re.compile("Home Assistant is still reading them"),
    "login_unanswered": re.compile("no answer to the token"),
    "login_closed": re.compile("closed before the login"),
    "closed": re.compile("closed"),
    "command_unanswered": re.compile(r"(?P<command>[\w/]+): no answer"),
    "no_json": re.compile("a message that is no JSON"),
    "message_size": re.compile(r"more than (?P<size>\d+) MiB"),
    "no_sign": re.compile(r"no sign for (?P<seconds>\d+) s"),
    "unexpected": re.compile("an unexpected answer"),
    "unreadable_state": re.compile(r"a state that cannot be read: (?P<error>\w+)"),
    # In front of it is the host or the file that it is about.
    **{
        key: re.compile(rf"(?P<where>(?:\S+: )?){re.escape(text)}")
        for key, text in SYSTEM_REASONS.items()
    },
}


@callback
def async_said(hass: HomeAssistant, reason: str) -> str:
    """Say a reason in the language of the home, if it is one of these."""
    for key, pattern in OWN_REASONS.items():
        if found := pattern.fullmatch(reason):
            # Home Assistant has read them with the integration.
            words = async_get_cached_translations(hass, hass.config.language, "common", DOMAIN)
            name = f"reason_{key}"
            text = words.get(f"component.{DOMAIN}.common.{name}")
            return text.format(**found.groupdict()) if text else reason
    return reason


def system_key(reason: str) -> str:
    """Return the key of a reason of the operating system; empty for any other text."""
    return next((key for key, text in SYSTEM_REASONS.items() if text == reason), "")
