"""The events of this Home Assistant: when they are captured."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, State, callback

from ..enrich.catalog import Catalog
from ..enrich.markers import begins_heartbeats, markers
from ..enrich.weather import WeatherWatch
from ..pipeline.model import EntityContext, OtherEvent, StateEvent
from ..pipeline.pipeline import Pipeline
from ..tasks.slices import async_slices
from .event_bus import async_clock, async_listen
from .local_capture import LocalCapture
from .reload_buffer import ReloadBuffer

# Why events of a reload are lost: the buffer was full.
RELOAD_BUFFER_FULL: Final = "reload_gap"
# Captured in one slice, small enough for the event loop.
_SLICE_EVENTS: Final = 200


class LocalSource:
    """Has every state change captured, with the entity's context as of the event.

    So it does with other events of `event_types`, and with writes that change nothing if these are
    `reported`.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        catalog: Catalog,
        pipeline: Pipeline,
        *,
        event_types: Iterable[str] = (),
        reported: bool = False,
        weather: WeatherWatch | None = None,
        reload_buffer: ReloadBuffer | None = None,
    ) -> None:
        """Prepare; nothing is captured before `async_start`.

        `reload_buffer` has the events since the destination was unloaded.
        """
        self._hass = hass
        self._catalog = catalog
        self._pipeline = pipeline
        self._intake = pipeline.intake
        self._clock = async_clock(hass)
        self._weather = weather or WeatherWatch(hass)
        self._capture = LocalCapture(
            hass, catalog, pipeline, self._weather, event_types=event_types, reported=reported
        )
        self._captures, self._receive = self._capture.by_type, self._capture.receive
        self._stops: list[CALLBACK_TYPE] = []
        self._is_started = self._is_paused = False
        # What is still to be captured while the source starts.
        self._reload_buffer = reload_buffer
        # Returns which of the states after a gap are to be captured at once.
        self.when_missed: Callable[[Iterable[State]], Iterable[State]] = list

    async def async_start(self) -> None:
        """Capture the buffered events, and then new ones.

        Without a buffer the existing states are captured, each at the time it was set. New events
        wait meanwhile.
        """
        reload_buffer, self._is_started = self._reload_buffer, True
        if reload_buffer is None or reload_buffer.is_expired:
            states = reload_buffer.changed if reload_buffer else self._hass.states.async_all()
            self._reload_buffer = ReloadBuffer(
                self._hass, self._captures, self._catalog, states=self.when_missed(states)
            )
        self._stops.append(self._weather.async_start())
        await self._async_catch_up_in_slices()
        if self._reload_buffer is not None:
            self._async_take_over()
            await self._async_start_heartbeats()

    async def async_stop(self) -> None:
        """Stop after capturing the buffered events. Safe to call twice."""
        await self._async_catch_up_in_slices()
        if self._is_paused:
            return
        self._async_take_over()
        self._async_detach()
        self._catalog.async_stop()

    @callback
    def async_pause(self, *, is_disabled: bool = False) -> ReloadBuffer:
        """Stop capturing, and buffer the following events for the next start."""
        reload_buffer, self._reload_buffer, self._is_paused = self._reload_buffer, None, True
        self._async_detach()
        if reload_buffer and reload_buffer.catalog is not self._catalog:
            self._catalog.async_stop()
        # A source that never started has not captured the existing states.
        states = () if self._is_started else self._hass.states.async_all()
        return reload_buffer or ReloadBuffer(
            self._hass, self._captures, self._catalog, states=states, is_disabled=is_disabled
        )

    @callback
    def async_capture_existing(self, state: State) -> None:
        """Capture a state that was there at the start."""
        self._receive(self._capture.existing, state, self._clock.check())

    @callback
    def _async_take_over(self) -> None:
        """Capture the rest of the buffer, and listen to new events."""
        reload_buffer = self._reload_buffer
        if reload_buffer is None:
            return
        self._catch_up(reload_buffer.count)
        self._reload_buffer = None
        self._intake.received += reload_buffer.lost + reload_buffer.filtered.total()
        for reason, events in reload_buffer.filtered.items():
            self._pipeline.count_filtered(reason, events)
        self._intake.count_lost(reload_buffer.lost, RELOAD_BUFFER_FULL)
        reload_buffer.async_stop()
        if reload_buffer.catalog is not self._catalog:
            reload_buffer.catalog.async_stop()
        self._catalog.on_change = self._async_described
        self._stops += [
            async_listen(self._hass, each, self._async_fired) for each in self._captures
        ]

    @callback
    def _async_detach(self) -> None:
        while self._stops:
            self._stops.pop()()
        # Bound methods are equal, never identical.
        if self._catalog.on_change == self._async_described:
            self._catalog.on_change = None

    async def _async_catch_up_in_slices(self) -> None:
        """Capture all but a few of the buffered events; a start and a stop may do so together."""
        while self._reload_buffer and self._reload_buffer.count > _SLICE_EVENTS:
            self._catch_up(_SLICE_EVENTS)
            await asyncio.sleep(0)

    def _catch_up(self, count: int) -> None:
        if self._reload_buffer:
            # Once: the capture of their last event forgets them again.
            self._catalog.add_removed(self._reload_buffer.removed)
            self._reload_buffer.removed.clear()
        for _ in range(count):
            if self._reload_buffer is None or (kept := self._reload_buffer.take()) is None:
                return
            item, clock_offset = kept.item, kept.clock_offset
            if isinstance(item, State):
                self._receive(self._capture.existing, item, clock_offset)
            elif isinstance(item, OtherEvent):
                self._receive(self._capture.mark, item, clock_offset)
            # What the options no longer ask for is not captured.
            elif capture := self._captures.get(item.event_type):
                self._receive(capture, item, clock_offset)

    async def _async_start_heartbeats(self) -> None:
        """Start the heartbeats of entities without events."""
        expected = []
        async for state in async_slices(self._hass.states.async_all()):
            with suppress(BaseException):  # errors are logged when the entity is captured
                entity = self._catalog[state.entity_id]
                if entity.rules.heartbeat and not entity.filtered:
                    expected.append(StateEvent(entity, state, None, 0.0, state.context))
        # Also an empty list: now the catalog has the rules for the handed over state. What changed
        # meanwhile is captured, and a removed entity has no heartbeat.
        get = self._hass.states.get
        if self._stops:
            self._pipeline.start_heartbeats(
                [each for each in expected if get(each.entity.entity_id) is each.new]
            )

    @callback
    def _async_fired(self, event: Event[Any]) -> None:
        self._receive(self._captures[event.event_type], event, self._clock.check())

    @callback
    def _async_described(
        self, before: EntityContext, after: EntityContext, event: Event[Any]
    ) -> None:
        for marker in markers(before, after, event.time_fired_timestamp, event.context):
            self._receive(self._capture.mark, marker, self._clock.check())
        if begins_heartbeats(before, after):
            state = self._hass.states.get(after.entity_id)
            if state:
                self._pipeline.start_heartbeats(
                    [StateEvent(after, state, None, 0.0, state.context)]
                )
