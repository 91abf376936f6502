"""Says that points were deleted together with their destination."""

from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ...const import DOCS_URL, DOMAIN, LOGGER
from ...coordinator import HaIngestorConfigEntry
from ...options.number import grouped
from ..texts.server_text import markdown, plain

POINTS_DELETED: Final = "points_deleted"


@callback
def async_tell_deleted(
    hass: HomeAssistant, entry: HaIngestorConfigEntry, *, waiting: int, quarantined: int
) -> None:
    """Name the numbers of points, in the log and until the user has taken note."""
    LOGGER.warning(
        "%s was deleted with %s points that waited on disk and %s in quarantine",
        plain(entry.title),
        waiting,
        quarantined,
    )
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{entry.entry_id}_{POINTS_DELETED}",
        is_fixable=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=POINTS_DELETED,
        translation_placeholders={
            "title": plain(entry.title),
            "destination": markdown(entry.title),
            "count": grouped(waiting),
            "quarantined": grouped(quarantined),
        },
        learn_more_url=f"{DOCS_URL}reliability.md#what-is-lost-and-when",
    )
