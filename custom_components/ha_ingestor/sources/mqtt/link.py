"""The subscriptions of one destination, kept over its reloads."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ...pipeline.change_listener import no_listener
from ...pipeline.encode.message_shape import MessageShape
from ...pipeline.memory import MEMORY_BYTES, MEMORY_POINTS
from ..local import RELOAD_BUFFER_FULL
from . import broker
from .capture import Arrived, MqttCapture, arrived, raw_payload, shape_of
from .health import MqttHealth
from .subscription import Subscription

if TYPE_CHECKING:
    from homeassistant.components.mqtt import ReceiveMessage

# Captured in one slice, small enough for the event loop.
_SLICE_MESSAGES: Final = 200


class MqttLink:
    """Lives as long as its subentry is there. Without a capture what comes waits.

    A message that fits several filters comes through each of them: only the first counts.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare."""
        self.health = MqttHealth()
        self.on_change: Callable[[], None] = no_listener
        self._hass = hass
        # By filter: how its messages are stored, and what comes before it in the list.
        self._shapes: Mapping[str, tuple[MessageShape, Sequence[MessageShape]]] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._capture: MqttCapture | None = None
        self._waiting: deque[Arrived] = deque()
        self._bytes = self._lost = 0
        self._stop_watching: CALLBACK_TYPE | None = None

    async def async_attach(self, shapes: Sequence[MessageShape], capture: MqttCapture) -> None:
        """Subscribe to what is wanted now, and give what waits, and then what comes, to it."""
        await self.async_capture_waiting(shapes, capture)
        # From here to the first await nothing comes: what is not wanted any more is closed by then.
        self._shapes = {
            shape.pattern.filter: (shape, shapes[:position])
            for position, shape in enumerate(shapes)
        }
        self._capture = capture
        if self._stop_watching is None:
            self._stop_watching = broker.async_on_change(self._hass, self._async_changed)
        await self._async_subscribe()

    @callback
    def async_detach(self) -> None:
        """Keep what comes."""
        self._capture = None

    @callback
    def async_stop(self) -> None:
        """Unsubscribe. Safe to call twice."""
        self._capture = None
        if self._stop_watching:
            self._stop_watching()
            self._stop_watching = None
        self._close()
        self._waiting.clear()
        self._bytes = self._lost = 0

    async def async_capture_waiting(
        self, shapes: Sequence[MessageShape], capture: MqttCapture
    ) -> None:
        """Capture what came while there was nobody to capture it, but for what nobody wants now."""
        while waiting := self._waiting:
            for _ in range(min(_SLICE_MESSAGES, len(waiting))):
                message = waiting.popleft()
                self._bytes -= _size(message)
                if shape := shape_of(shapes, message.topic):
                    capture.take(message, shape)
            if waiting:
                await asyncio.sleep(0)
        capture.count_lost(self._lost, RELOAD_BUFFER_FULL)
        self._lost = 0

    @callback
    def _close(self, but: Collection[str] = ()) -> None:
        for topic_filter in [each for each in self._subscriptions if each not in but]:
            self._subscriptions.pop(topic_filter).async_close()

    async def _async_subscribe(self) -> None:
        is_set_up = broker.async_is_set_up(self._hass)
        wanted = self._shapes if is_set_up else {}
        self._close(wanted)
        for topic_filter in wanted:
            if topic_filter in self._subscriptions:
                continue
            # It is there before the first await, so that nobody subscribes a second time.
            subscription = Subscription(topic_filter, self._async_receive)
            self._subscriptions[topic_filter] = subscription
            is_open = await subscription.async_open(self._hass)
            if not is_open and self._subscriptions.get(topic_filter) is subscription:
                del self._subscriptions[topic_filter]
        self._note(is_set_up=is_set_up)

    @callback
    def _async_changed(self) -> None:
        is_set_up = broker.async_is_set_up(self._hass)
        if not is_set_up or self._subscriptions.keys() != self._shapes.keys():
            self._hass.async_create_task(
                self._async_subscribe(), "ha_ingestor mqtt", eager_start=True
            )
            return
        self._note(is_set_up=True)

    def _note(self, *, is_set_up: bool) -> None:
        health = self.health
        connected = is_set_up and broker.async_is_connected(self._hass)
        if (health.is_set_up, health.connected) != (is_set_up, connected):
            health.is_set_up, health.connected = is_set_up, connected
            self.on_change()

    @callback
    def _async_receive(self, topic_filter: str, message: ReceiveMessage) -> None:
        topic = message.topic
        shape, earlier = self._shapes[topic_filter]
        if any(each.pattern.matches(topic) for each in earlier):
            return
        now = time.time()
        kept = arrived(topic, raw_payload(message), now, is_retained=message.retain)
        is_first = self.health.last_message is None
        self.health.received(now)
        if self._capture:
            self._capture.take(kept, shape)
        else:
            self._keep(kept)
        if is_first:
            self.on_change()

    def _keep(self, message: Arrived) -> None:
        waiting = self._waiting
        waiting.append(message)
        self._bytes += _size(message)
        while len(waiting) > MEMORY_POINTS or self._bytes > MEMORY_BYTES:
            self._bytes -= _size(waiting.popleft())
            self._lost += 1


def _size(message: Arrived) -> int:
    return len(message.payload) + len(message.topic)
