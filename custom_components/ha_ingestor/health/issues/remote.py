"""Repair issues of a remote home."""

from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ...clients.homeassistant.errors import Problem
from ...const import DOCS_URL, DOMAIN
from ..texts.own_reasons import async_said
from ..texts.server_text import markdown, plain

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
    kept = found if is_given_up else ""
    async_forget_remote(hass, entry_id, subentry_id, but=kept)
    if not kept:
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        _issue_id(kept, entry_id, subentry_id),
        data={"entry_id": entry_id, "problem": kept, "subentry_id": subentry_id},
        is_fixable=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=kept,
        translation_placeholders={
            "title": plain(title),
            "detail": markdown(async_said(hass, detail)),
        },
        learn_more_url=f"{DOCS_URL}remote.md#when-it-does-not-connect",
    )


@callback
def async_forget_remote(
    hass: HomeAssistant, entry_id: str, subentry_id: str, *, but: str = ""
) -> None:
    """Delete the issues of a remote home."""
    for key in {UNAUTHORIZED, GIVEN_UP} - {but}:
        ir.async_delete_issue(hass, DOMAIN, _issue_id(key, entry_id, subentry_id))


def _issue_id(key: str, entry_id: str, subentry_id: str) -> str:
    return f"{key}_{entry_id}_{subentry_id}"
