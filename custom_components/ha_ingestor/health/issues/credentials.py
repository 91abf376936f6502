"""Has Home Assistant ask for new credentials, and says so where it does not ask."""

from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import SOURCE_REAUTH, SOURCE_RECONFIGURE
from homeassistant.core import HomeAssistant, callback

from ...pipeline.export.export_state import ExportState, Status
from ...pipeline.export.result import Problem
from .issues import CREDENTIALS_REFUSED, Issue

if TYPE_CHECKING:
    from ...coordinator import HaIngestorConfigEntry

REFUSED: Final = Problem.INVALID_AUTH


@callback
def async_update_reauth(
    hass: HomeAssistant, entry: HaIngestorConfigEntry, state: ExportState
) -> list[Issue]:
    """Ask for new credentials while they are refused, and no more once they are accepted.

    Home Assistant asks for none while the entry is being reconfigured, and a dialogue that
    somebody left stays open until the next restart: this is an issue.
    """
    if state.status is Status.OK:
        _close(hass, entry, SOURCE_REAUTH)
    if state.problem is not REFUSED or any(entry.async_get_active_flows(hass, {SOURCE_REAUTH})):
        return []
    if not any(entry.async_get_active_flows(hass, {SOURCE_RECONFIGURE})):
        entry.async_start_reauth(hass)
        return []
    page = "troubleshooting.md#while-it-runs"
    return [Issue(key=CREDENTIALS_REFUSED, is_fixable=True, is_blocking=True, page=page)]


@callback
def async_ask_instead(hass: HomeAssistant, entry: HaIngestorConfigEntry) -> None:
    """Close the dialogues in which the entry is being reconfigured, and ask."""
    _close(hass, entry, SOURCE_RECONFIGURE)
    entry.async_start_reauth(hass)


def _close(hass: HomeAssistant, entry: HaIngestorConfigEntry, source: str) -> None:
    for flow in list(entry.async_get_active_flows(hass, {source})):
        hass.config_entries.flow.async_abort(flow["flow_id"])
