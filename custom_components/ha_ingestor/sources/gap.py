"""What happens between an unload and the next setup of the same destination."""

import time
from collections.abc import Iterable
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, Event, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util.event_type import EventType

from ..catalog import Catalog
from ..markers import markers
from ..pipeline.model import EntityContext, Happening
from .bus import async_listen

# A reload takes seconds. Whoever disables a destination for longer does not want its events.
GAP_SECONDS: Final = 60.0
# A home that changes more than this in a minute gets the newest state of each entity.
GAP_EVENTS: Final = 20_000


class Gap:
    """Keeps the events that follow, and what they mark, for as long as a reload may take.

    `events` is None when there were too many or it took too long; then only the states changed
    after `since` (seconds since 1970) can still be captured.
    """

    def __init__(
        self, hass: HomeAssistant, event_types: Iterable[EventType[Any] | str], catalog: Catalog
    ) -> None:
        """Begin where the source leaves off; its catalog knows what entities were until then."""
        self.since = time.time()
        self.events: list[Event[Any] | Happening] | None = []
        self._stops: list[CALLBACK_TYPE] = [
            catalog.async_listen(self._async_described),
            *(async_listen(hass, event_type, self._async_keep) for event_type in event_types),
            async_call_later(
                hass, GAP_SECONDS, HassJob(self._async_give_up, cancel_on_shutdown=True)
            ),
        ]

    @callback
    def async_stop(self) -> None:
        """Keep nothing more. Safe to call twice."""
        while self._stops:
            self._stops.pop()()

    @callback
    def _async_described(
        self, before: EntityContext, after: EntityContext, event: Event[Any]
    ) -> None:
        for marker in markers(before, after, event.time_fired_timestamp, event.context):
            self._async_keep(marker)

    @callback
    def _async_keep(self, event: Event[Any] | Happening) -> None:
        if self.events is not None and len(self.events) < GAP_EVENTS:
            self.events.append(event)
        else:
            self._async_give_up()

    @callback
    def _async_give_up(self, _now: object = None) -> None:
        self.events = None
        self.async_stop()
