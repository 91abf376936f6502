"""Repair issues of a remote home."""

from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..clients.homeassistant.errors import Problem
from ..const import DOMAIN
from .server_text import markdown, plain

UNAUTHORIZED: Final = "remote_unauthorized"
GIVEN_UP: Final = "remote_given_up"


@callback
def async_update_remote_issue(
    hass: HomeAssistant,
    *,
    entry_id: str,
    subentry_id: str,
    title: str,
    is_given_up: bool,
    problem: Problem,
    detail: str,
) -> None:
    """Tell that nothing is tried any more, which only the user can change."""
    found = UNAUTHORIZED if problem is Problem.INVALID_AUTH else GIVEN_UP
    for key in (UNAUTHORIZED, GIVEN_UP):
        issue_id = f"{key}_{entry_id}_{subentry_id}"
        if not is_given_up or key != found:
            ir.async_delete_issue(hass, DOMAIN, issue_id)
            continue
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            data={"entry_id": entry_id, "problem": key, "subentry_id": subentry_id},
            is_fixable=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders={"title": plain(title), "detail": markdown(detail)},
        )
