"""One filter of topics, subscribed to until it is closed."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from . import broker

if TYPE_CHECKING:
    from homeassistant.components.mqtt import ReceiveMessage


class Subscription:
    """Passes on what comes.

    Home Assistant goes on calling what was subscribed before its MQTT integration was reloaded,
    also after it was unsubscribed: a closed one ignores that.
    """

    def __init__(self, topic_filter: str, receive: Callable[[str, ReceiveMessage], None]) -> None:
        """Prepare."""
        self._topic_filter = topic_filter
        self._receive: Callable[[str, ReceiveMessage], None] | None = receive
        self._stop: CALLBACK_TYPE | None = None

    async def async_open(self, hass: HomeAssistant) -> bool:
        """Subscribe; returns whether there is a broker to subscribe at."""
        self._stop = await broker.async_subscribe(hass, self._topic_filter, self._async_receive)
        is_open = self._stop is not None
        if self._receive is None:  # closed meanwhile
            self.async_close()
        return is_open

    @callback
    def async_close(self) -> None:
        """End it. Safe to call twice."""
        self._receive = None
        if self._stop:
            self._stop()
            self._stop = None

    @callback
    def _async_receive(self, message: ReceiveMessage) -> None:
        if self._receive:
            self._receive(self._topic_filter, message)
