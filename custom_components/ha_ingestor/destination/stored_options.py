"""Tells which stored options cannot be used, as after a downgrade or in a file edited by hand.

For most of them the defaults stand in. What is recorded and how it looks is not guessed: nothing is
captured until the user has chosen again. Then the gap is filled out of the recorder.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryError

from ..const import DOMAIN, SUBENTRY_MQTT, SUBENTRY_REMOTE
from ..coordinator import HaIngestorConfigEntry
from ..health.issues.issues import Issue, async_update_issues
from ..health.texts.server_text import plain
from ..options import attributes, events, history, noise, spool, weather
from ..options.core import CORE
from ..options.filter import PAGE as FILTER
from ..options.mqtt import CONF_TOPICS, lost_rows
from ..options.page import Page
from ..options.points import PAGE as POINTS
from ..options.points import PROFILE_PAGES, profile_name

DEFAULTS_APPLY: Final = "options_replaced"
NOT_USABLE: Final = "options_not_usable"
ISSUE_PREFIX: Final = "options_"
_PAGE: Final = "troubleshooting.md#options-that-cannot-be-used"

_BEHAVIOUR: Final = (events.PAGE, weather.PAGE, noise.PAGE, spool.PAGE, history.PAGE)


@callback
def async_check(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    """Keep an issue while options cannot be used; raises ConfigEntryError where none stands in."""
    replaced = [*_lost(entry.options, _BEHAVIOUR), *_lost_topics(entry)]
    decisive = [*_lost(entry.options, _pages_of_points(entry.options)), *_lost_filters(entry)]
    issues = []
    if replaced:
        told = {"options": ", ".join(replaced)}
        issues.append(Issue(key=DEFAULTS_APPLY, page=_PAGE, placeholders=told))
    if decisive:
        told = {"options": ", ".join(decisive)}
        issues.append(Issue(key=NOT_USABLE, is_blocking=True, page=_PAGE, placeholders=told))
    names = {"title": entry.title}
    async_update_issues(hass, entry.entry_id, names, issues, prefix=ISSUE_PREFIX)
    if decisive:
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key=NOT_USABLE,
            translation_placeholders={
                "title": plain(entry.title),
                "options": plain(", ".join(decisive)),
            },
        )


def _pages_of_points(options: Mapping[str, Any]) -> tuple[Page, ...]:
    profile = profile_name(options)
    own = (
        (PROFILE_PAGES[profile],) if profile == CORE else (PROFILE_PAGES[profile], attributes.PAGE)
    )
    return (POINTS, *own, FILTER)


def _lost(options: Mapping[str, Any], pages: tuple[Page, ...]) -> Iterator[str]:
    return (f"{page.key}.{name}" for page in pages for name in page.lost(options))


def _lost_topics(entry: HaIngestorConfigEntry) -> Iterator[str]:
    topics = entry.get_subentries_of_type(SUBENTRY_MQTT)
    return (f"{each.title}: {CONF_TOPICS}" for each in topics if lost_rows(each.data))


def _lost_filters(entry: HaIngestorConfigEntry) -> Iterator[str]:
    return (
        f"{each.title}: {name}"
        for each in entry.get_subentries_of_type(SUBENTRY_REMOTE)
        for name in _lost(each.data, (FILTER,))
    )
