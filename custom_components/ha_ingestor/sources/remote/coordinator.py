"""Publishes the health of one remote home."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ...const import DOMAIN, LOGGER
from ...health.remote import async_update_remote_issue
from .health import RemoteState
from .link import RemoteLink

if TYPE_CHECKING:
    from ...coordinator import HaIngestorConfigEntry

# What counts all day is shown no more often than a recorder can bear, and with every change of the
# connection.
UPDATE_INTERVAL: Final = timedelta(minutes=5)


def _nobody() -> None:
    """Do nothing."""


class RemoteCoordinator(DataUpdateCoordinator[RemoteState]):
    """Copies the state of a connection."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: HaIngestorConfigEntry,
        subentry: ConfigSubentry,
        link: RemoteLink,
    ) -> None:
        """Watch a connection."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=f"{DOMAIN} {link.settings.instance}",
            update_interval=UPDATE_INTERVAL,
            always_update=False,
        )
        self.subentry = subentry
        self._entry = entry
        self._link = link
        self.data = link.health.state

    @callback
    def async_start(self) -> None:
        """Show every change of the connection at once."""
        self._link.on_change = self._async_changed
        self._async_changed()

    @callback
    def async_stop(self) -> None:
        """Show nothing more; repair issues stay until the next start."""
        if self._link.on_change == self._async_changed:
            self._link.on_change = _nobody

    @override
    async def _async_update_data(self) -> RemoteState:
        return self._link.health.state

    @callback
    def _async_changed(self) -> None:
        state = self._link.health.state
        async_update_remote_issue(
            self.hass,
            entry_id=self._entry.entry_id,
            subentry_id=self.subentry.subentry_id,
            title=self.subentry.title,
            is_given_up=state.is_given_up,
            problem=state.problem,
            detail=state.detail,
        )
        self.async_set_updated_data(state)
