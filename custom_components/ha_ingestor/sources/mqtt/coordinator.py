"""Publishes the health of the messages."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ...const import DOMAIN, LOGGER
from ...health.mqtt import async_update_mqtt_issue
from .health import MqttState
from .link import MqttLink

if TYPE_CHECKING:
    from ...coordinator import HaIngestorConfigEntry

# What counts all day is shown no more often than a recorder can bear, and with every change of the
# connection.
UPDATE_INTERVAL: Final = timedelta(minutes=5)


def _nobody() -> None:
    """Do nothing."""


class MqttCoordinator(DataUpdateCoordinator[MqttState]):
    """Copies the state of the subscriptions."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: HaIngestorConfigEntry,
        subentry: ConfigSubentry,
        link: MqttLink,
    ) -> None:
        """Watch them."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=f"{DOMAIN} mqtt",
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
        """Show nothing more; a repair issue stays until the next start."""
        if self._link.on_change == self._async_changed:
            self._link.on_change = _nobody

    @override
    async def _async_update_data(self) -> MqttState:
        return self._link.health.state

    @callback
    def _async_changed(self) -> None:
        state = self._link.health.state
        async_update_mqtt_issue(
            self.hass,
            entry_id=self._entry.entry_id,
            title=self._entry.title,
            is_set_up=state.is_set_up,
        )
        self.async_set_updated_data(state)
