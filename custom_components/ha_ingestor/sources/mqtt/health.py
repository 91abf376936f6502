"""The health of the messages of one destination."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ...pipeline.model import MessageCounts
from ...pipeline.rate import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttState:
    """Counts since the start of Home Assistant.

    `is_set_up` says whether there is a broker to subscribe at. Of the filtered messages, `filtered`
    tells the reasons.
    """

    is_set_up: bool = True
    connected: bool | None = None
    messages_per_minute: int = 0
    points: int = 0
    filtered: Mapping[str, int] = field(default_factory=dict)
    last_message: datetime | None = None


@dataclass(slots=True, kw_only=True)
class MqttHealth:
    """Notes what happens; used in the event loop. `counts` is what the spool's thread notes."""

    is_set_up: bool = True
    connected: bool | None = None
    filtered: Counter[str] = field(default_factory=Counter)
    last_message: float | None = None
    counts: MessageCounts = field(default_factory=MessageCounts)
    _rate: Rate = field(default_factory=lambda: Rate(time.monotonic))

    def received(self, when: float) -> None:
        """Note a message."""
        self.last_message = when
        self._rate.add(1)

    @property
    def state(self) -> MqttState:
        """The present state."""
        last = self.last_message
        return MqttState(
            is_set_up=self.is_set_up,
            connected=self.connected,
            messages_per_minute=round(self._rate.per_minute() or 0),
            points=self.counts.points,
            filtered=dict(self.filtered + self.counts.filtered.copy()),
            last_message=None if last is None else datetime.fromtimestamp(last, UTC),
        )
