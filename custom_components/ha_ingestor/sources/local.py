"""What happens in this Home Assistant."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from homeassistant.const import EVENT_STATE_CHANGED, EVENT_STATE_REPORTED
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    EventStateReportedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.util.event_type import EventType

from ..const import LOGGER
from ..enrich.catalog import Catalog
from ..enrich.markers import markers
from ..enrich.weather import WeatherWatch
from ..pipeline.committer import INTERNAL_ERROR
from ..pipeline.model import (
    STATE_CHANGED,
    STATE_REPORTED,
    Capture,
    EntityContext,
    Happening,
)
from ..pipeline.pipeline import Pipeline
from ..tasks.slices import async_slices
from .event_bus import async_clock, async_listen, copied
from .reload_buffer import Gap

# Why events of a reload are lost: there were more of them than memory is for.
RELOAD_GAP: Final = "reload_gap"
# So few are captured in one go that nobody notices.
_FEW: Final = 200


class LocalSource:
    """Offers every state change to the pipeline, with the entity's context as of the event.

    So it does with other events of `event_types`, and with writes that change nothing if these are
    `reported`. Each is counted as received before anything else, and then filtered, offered or
    lost.
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
        gap: Gap | None = None,
    ) -> None:
        """Prepare; nothing is captured before `async_start`.

        `gap` is what happens since this destination last listened.
        """
        self._hass = hass
        self._catalog = catalog
        self._pipeline = pipeline
        self._offer = pipeline.offer
        self._intake = pipeline.intake
        self._clock = async_clock(hass)
        self._weather = weather or WeatherWatch(hass)
        self._captures: dict[EventType[Any] | str, Callable[[Event[Any], float], None]] = {
            EVENT_STATE_CHANGED: self._state_changed,
            **dict.fromkeys(event_types, self._happened),
        }
        if reported:
            self._captures[EVENT_STATE_REPORTED] = self._state_reported
        self._stops: list[CALLBACK_TYPE] = []
        self._is_begun = self._is_left = False
        # What is still to be captured while the source starts.
        self._gap = gap

    async def async_start(self) -> None:
        """Capture what happened since this destination last listened, and then what happens.

        Without a gap these are the states that are there, each at the instant it was set: what
        others reported before this integration was ready. What happens meanwhile waits its turn.
        """
        gap, self._is_begun = self._gap, True
        if gap is None or gap.is_given_up:
            states = gap.changed if gap else self._hass.states.async_all()
            self._gap = Gap(self._hass, self._captures, self._catalog, states=states)
        self._stops.append(self._weather.async_start())
        while self._gap and self._gap.count > _FEW:
            self._catch_up(_FEW)
            await asyncio.sleep(0)
        if self._gap is not None:
            self._async_take_over()
            await self._async_expect()

    @callback
    def async_stop(self) -> None:
        """Capture nothing more, but what is kept already. Safe to call twice."""
        if self._is_left:
            return
        self._async_take_over()
        self._async_detach()
        self._catalog.async_stop()

    @callback
    def async_leave_off(self, *, is_disabled: bool = False) -> Gap:
        """Capture nothing more, and let what follows be kept for the next start."""
        gap, self._gap, self._is_left = self._gap, None, True
        self._async_detach()
        if gap and gap.catalog is not self._catalog:
            self._catalog.async_stop()
        # Who never began has captured nothing of what is there.
        states = () if self._is_begun else self._hass.states.async_all()
        return gap or Gap(
            self._hass, self._captures, self._catalog, states=states, is_disabled=is_disabled
        )

    @callback
    def _async_take_over(self) -> None:
        """Capture the rest of what is kept, and listen where it ends."""
        gap = self._gap
        if gap is None:
            return
        self._catch_up(gap.count)
        self._gap = None
        self._intake.received += gap.lost + gap.filtered.total()
        self._intake.filtered.update(gap.filtered)
        self._intake.lose(gap.lost, RELOAD_GAP)
        gap.async_stop()
        if gap.catalog is not self._catalog:
            gap.catalog.async_stop()
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

    def _catch_up(self, count: int) -> None:
        for _ in range(count):
            if self._gap is None or (kept := self._gap.take()) is None:
                return
            item, jumped = kept.item, kept.jumped
            if isinstance(item, State):
                self._receive(self._was_there, item, jumped)
            elif isinstance(item, Happening):
                self._receive(self._mark, item, jumped)
            # What the options no longer ask for is not captured.
            elif capture := self._captures.get(item.event_type):
                self._receive(capture, item, jumped)

    async def _async_expect(self) -> None:
        """Begin the heartbeats of entities that stay silent."""
        expected = []
        async for state in async_slices(self._hass.states.async_all()):
            with suppress(Exception):  # what cannot be described is said when it is captured
                entity = self._catalog[state.entity_id]
                if entity.rules.heartbeat and not entity.filtered:
                    expected.append(Capture(entity, state, None, 0.0, state.context))
        # Also none: now the catalog knows the rules for what was handed over.
        if self._stops:
            self._pipeline.expect(expected)

    @callback
    def _async_fired(self, event: Event[Any]) -> None:
        self._receive(self._captures[event.event_type], event, self._clock.look())

    def _receive[T](self, capture: Callable[[T, float], None], item: T, jumped: float) -> None:
        """Count an item, and lose no other when this one cannot be captured."""
        self._intake.received += 1
        try:
            capture(item, jumped)
        except Exception:  # noqa: BLE001  integrations put anything into events
            LOGGER.exception("An event could not be captured")
            self._intake.lose(1, INTERNAL_ERROR)

    def _state_changed(self, event: Event[EventStateChangedData], jumped: float) -> None:
        data = event.data
        entity_id, new, old = data["entity_id"], data["new_state"], data["old_state"]
        described = self._catalog[entity_id]
        if new is None:
            self._catalog.forget(entity_id)
        if entity := self._wanted(described):
            fired, weather = event.time_fired_timestamp, self._weather.current
            self._offer(
                Capture(entity, new, old, fired, event.context, STATE_CHANGED, weather, jumped)
            )

    def _was_there(self, state: State, jumped: float) -> None:
        # Nobody knows what the weather was at that time.
        if entity := self._wanted(self._catalog[state.entity_id]):
            self._offer(
                Capture(entity, state, None, 0.0, state.context, STATE_CHANGED, None, jumped)
            )

    def _state_reported(self, event: Event[EventStateReportedData], jumped: float) -> None:
        state = event.data["new_state"]
        if entity := self._wanted(self._catalog[state.entity_id]):
            fired, weather = event.time_fired_timestamp, self._weather.current
            self._offer(
                Capture(entity, state, state, fired, event.context, STATE_REPORTED, weather, jumped)
            )

    def _happened(self, event: Event[Any], _jumped: float) -> None:
        entity = self._subject(event.data)
        if entity and not self._wanted(entity):
            return
        data, name = copied(event.data), str(event.event_type)
        self._offer(Happening(name, data, event.time_fired_timestamp, event.context, entity))

    def _wanted(self, entity: EntityContext) -> EntityContext | None:
        """Return the entity, or None when its event is not captured, which counts the event."""
        if entity.filtered:
            self._intake.filtered[entity.filtered] += 1
            return None
        return entity

    def _subject(self, data: Mapping[str, Any]) -> EntityContext | None:
        """Find the one entity that an event is about, which must be one that there is."""
        entity_id = data.get("entity_id")
        if entity_id is None and isinstance(call := data.get("service_data"), Mapping):
            entity_id = call.get("entity_id")
        if isinstance(entity_id, list) and len(entity_id) == 1:
            entity_id = entity_id[0]
        if not isinstance(entity_id, str):
            return None
        # Whatever else a user types into an event must not stay in the catalog.
        there_is = entity_id in self._catalog or self._hass.states.get(entity_id)
        return self._catalog[entity_id] if there_is else None

    @callback
    def _async_described(
        self, before: EntityContext, after: EntityContext, event: Event[Any]
    ) -> None:
        for marker in markers(before, after, event.time_fired_timestamp, event.context):
            self._receive(self._mark, marker, self._clock.look())
        if after.rules.heartbeat and not (before.rules.heartbeat or after.filtered):
            state = self._hass.states.get(after.entity_id)
            if state:
                self._pipeline.expect([Capture(after, state, None, 0.0, state.context)])

    def _mark(self, marker: Happening, _jumped: float) -> None:
        if marker.entity is None or self._wanted(self._catalog[marker.entity.entity_id]):
            self._offer(marker)
