"""What happens in this Home Assistant."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

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

from ..catalog import Catalog
from ..markers import markers
from ..pipeline.model import (
    STATE_CHANGED,
    STATE_REPORTED,
    Capture,
    EntityContext,
    Happening,
)
from ..pipeline.pipeline import Pipeline
from .bus import async_listen
from .gap import Gap
from .weather import WeatherWatch


class LocalSource:
    """Offers every state change to the pipeline, with the entity's context as of the event.

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
    ) -> None:
        """Prepare; nothing is captured before `async_start`."""
        self._hass = hass
        self._catalog = catalog
        self._offer = pipeline.offer
        self._intake = pipeline.intake
        self._weather = weather or WeatherWatch(hass)
        self._listeners: dict[EventType[Any] | str, Callable[[Event[Any]], None]] = {
            EVENT_STATE_CHANGED: self._async_state_changed,
            **dict.fromkeys(event_types, self._async_happened),
        }
        if reported:
            self._listeners[EVENT_STATE_REPORTED] = self._async_state_reported
        self._stops: list[CALLBACK_TYPE] = []

    @callback
    def async_leave_off(self) -> Gap:
        """Capture nothing more, and let what follows be kept for the next start."""
        self.async_stop()
        return Gap(self._hass, self._listeners, self._catalog)

    @callback
    def async_start(self, gap: Gap | None) -> None:
        """Capture from now on, and first what happened since this destination last listened.

        Without a gap, or after one that was too long, these are the states that are there, each
        at the instant it was set: what others reported before this integration was ready.
        """
        self._stops = [
            self._weather.async_start(),
            self._catalog.async_listen(self._async_described),
            *(async_listen(self._hass, *each) for each in self._listeners.items()),
        ]
        if gap:
            gap.async_stop()
        if gap and gap.events is not None:
            for event in gap.events:
                self._catch_up(event)
            return
        since = gap.since if gap else 0.0
        for state in self._hass.states.async_all():
            if state.last_updated_timestamp > since:
                self._was_there(state)

    def _catch_up(self, event: Event[Any] | Happening) -> None:
        if isinstance(event, Happening):
            self._mark(event)
        # What the options no longer ask for is not captured.
        elif listener := self._listeners.get(event.event_type):
            listener(event)

    @callback
    def async_stop(self) -> None:
        """Capture nothing more. Safe to call twice."""
        while self._stops:
            self._stops.pop()()

    @callback
    def _async_state_changed(self, event: Event[EventStateChangedData]) -> None:
        self._intake.received += 1
        data = event.data
        new = data["new_state"]
        if entity := self._wanted(self._catalog[data["entity_id"]]):
            self._offer(
                Capture(
                    entity,
                    new,
                    data["old_state"],
                    event.time_fired_timestamp,
                    event.context,
                    STATE_CHANGED,
                    self._weather.current,
                )
            )
        if new is None:
            self._catalog.forget(data["entity_id"])

    def _was_there(self, state: State) -> None:
        self._intake.received += 1
        # Nobody knows what the weather was at that time.
        if entity := self._wanted(self._catalog[state.entity_id]):
            self._offer(Capture(entity, state, None, 0.0, state.context))

    @callback
    def _async_state_reported(self, event: Event[EventStateReportedData]) -> None:
        self._intake.received += 1
        state = event.data["new_state"]
        if entity := self._wanted(self._catalog[state.entity_id]):
            self._offer(
                Capture(
                    entity,
                    state,
                    state,
                    event.time_fired_timestamp,
                    event.context,
                    STATE_REPORTED,
                    self._weather.current,
                )
            )

    @callback
    def _async_happened(self, event: Event[Any]) -> None:
        self._intake.received += 1
        entity = self._subject(event.data)
        if entity and not self._wanted(entity):
            return
        # Whoever fired it may go on filling its data for the next one.
        data, name = dict(event.data), str(event.event_type)
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
            self._mark(marker)

    def _mark(self, marker: Happening) -> None:
        self._intake.received += 1
        if marker.entity is None or self._wanted(self._catalog[marker.entity.entity_id]):
            self._offer(marker)
