"""Says that points were deleted together with their destination."""

from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOCS_URL, DOMAIN, LOGGER
from .server_text import markdown, plain

POINTS_DELETED: Final = "points_deleted"


@callback
def async_tell_deleted(hass: HomeAssistant, entry_id: str, title: str, points: int) -> None:
    """Name the number of points that waited, in the log and until the user has taken note."""
    LOGGER.warning("%s was deleted with %s points that waited on disk", plain(title), points)
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{entry_id}_{POINTS_DELETED}",
        is_fixable=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=POINTS_DELETED,
        translation_placeholders={
            "title": plain(title),
            "destination": markdown(title),
            "count": str(points),
        },
        learn_more_url=f"{DOCS_URL}reliability.md#what-is-lost-and-when",
    )
