"""Publishes the health of the messages."""

from typing import override

from homeassistant.core import callback

from ...health.issues.mqtt import async_update_mqtt_issue
from ..link_coordinator import LinkCoordinator
from .health import MqttState


class MqttCoordinator(LinkCoordinator[MqttState]):
    """Copies the state of the subscriptions."""

    @callback
    @override
    def _async_update_issues(self, state: MqttState) -> None:
        async_update_mqtt_issue(
            self.hass,
            entry_id=self._entry.entry_id,
            title=self._entry.title,
            is_set_up=state.is_set_up,
        )
