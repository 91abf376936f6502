"""Makes items of the pipeline from messages."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ...pipeline.encode.message_shape import PAYLOAD_MAX, MessageShape, Refusal
from ...pipeline.model import Message
from ...pipeline.pipeline import Pipeline
from .health import MqttHealth

if TYPE_CHECKING:
    from homeassistant.components.mqtt import ReceiveMessage


class Arrived(NamedTuple):
    """A message, when it came in seconds since 1970, and why it gives no point, if that is seen."""

    topic: str
    payload: bytes
    time: float
    refusal: str = ""


def raw_payload(message: ReceiveMessage) -> bytes:
    """Return the payload as it came."""
    payload = message.payload
    return payload.encode() if isinstance(payload, str) else bytes(payload)


def arrived(topic: str, payload: bytes, time: float, *, is_retained: bool) -> Arrived:
    """Take a message in; of what gives no point the payload is not kept.

    A retained message is what the broker has from before the subscription: nobody knows from when.
    """
    if is_retained:
        return Arrived(topic, b"", time, Refusal.RETAINED)
    if not payload:
        return Arrived(topic, b"", time, Refusal.EMPTY)
    if len(payload) > PAYLOAD_MAX:
        return Arrived(topic, b"", time, Refusal.TOO_LARGE)
    return Arrived(topic, payload, time)


def shape_of(shapes: Sequence[MessageShape], topic: str) -> MessageShape | None:
    """Find the first pattern that a topic fits: a message is recorded once."""
    return next((shape for shape in shapes if shape.pattern.matches(topic)), None)


class MqttCapture:
    """Counts each message as received before anything else; then it is filtered or offered."""

    def __init__(self, pipeline: Pipeline, health: MqttHealth) -> None:
        """Prepare for a pipeline."""
        self._pipeline = pipeline
        self._health = health

    def take(self, message: Arrived, shape: MessageShape) -> None:
        """Capture a message."""
        self._pipeline.intake.receive_elsewhere()
        if message.refusal:
            self._pipeline.count_filtered(message.refusal)
            self._health.filtered[message.refusal] += 1
            return
        topic, payload, when, _ = message
        self._pipeline.offer(
            Message(shape.measurement, topic, payload, when, shape, self._health.counts)
        )

    def count_lost(self, count: int, reason: str) -> None:
        """Count messages that came and could not be kept."""
        intake = self._pipeline.intake
        intake.receive_elsewhere(count)
        intake.count_lost(count, reason)
