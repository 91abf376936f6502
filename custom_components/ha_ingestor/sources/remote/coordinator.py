"""Publishes the health of one remote home."""

from typing import override

from homeassistant.core import callback

from ...health.issues.remote import async_update_remote_issue
from ..link_coordinator import LinkCoordinator
from .health import RemoteState


class RemoteCoordinator(LinkCoordinator[RemoteState]):
    """Copies the state of a connection."""

    @callback
    @override
    def _async_update_issues(self, state: RemoteState) -> None:
        async_update_remote_issue(
            self.hass,
            entry_id=self._entry.entry_id,
            subentry_id=self.subentry.subentry_id,
            title=self.subentry.title,
            is_given_up=state.is_given_up,
            problem=state.problem,
            detail=state.detail,
        )
