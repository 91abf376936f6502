"""Publishes the health of a connection that has a subentry of its own."""

from abc import abstractmethod
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ..const import DOMAIN, LOGGER
from ..pipeline.change_listener import no_listener

if TYPE_CHECKING:
    from ..coordinator import HaIngestorConfigEntry

# What counts all day is shown no more often than a recorder can bear, and with every change of the
# connection.
UPDATE_INTERVAL: Final = timedelta(minutes=5)


class Health[T](Protocol):
    """Notes what happens."""

    @property
    def state(self) -> T:
        """The present state."""


class Link[T](Protocol):
    """Calls `on_change` after every change of the connection."""

    on_change: Callable[[], None]

    @property
    def health(self) -> Health[T]:
        """The health of the connection."""


class LinkCoordinator[T](DataUpdateCoordinator[T]):
    """Copies the state of a connection, and keeps its repair issues up to date."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: HaIngestorConfigEntry,
        subentry: ConfigSubentry,
        link: Link[T],
        *,
        name: str,
    ) -> None:
        """Watch a connection."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=f"{DOMAIN} {name}",
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
            self._link.on_change = no_listener

    @override
    async def _async_update_data(self) -> T:
        return self._link.health.state

    @callback
    def _async_changed(self) -> None:
        state = self._link.health.state
        self._async_update_issues(state)
        self.async_set_updated_data(state)

    @callback
    @abstractmethod
    def _async_update_issues(self, state: T) -> None:
        """Create the repair issues of this state, and delete the others."""
