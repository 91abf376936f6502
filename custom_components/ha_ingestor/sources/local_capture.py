"""Turns the events of this Home Assistant into items for the pipeline."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from homeassistant.const import EVENT_STATE_CHANGED, EVENT_STATE_REPORTED
from homeassistant.core import (
    Event,
    EventStateChangedData,
    EventStateReportedData,
    HomeAssistant,
    State,
)
from homeassistant.util.event_type import EventType

from ..const import LOGGER
from ..enrich.catalog import Catalog
from ..enrich.weather import WeatherWatch
from ..pipeline.committer import INTERNAL_ERROR
from ..pipeline.model import (
    STATE_CHANGED,
    STATE_REPORTED,
    EntityContext,
    OtherEvent,
    StateEvent,
)
from ..pipeline.pipeline import Pipeline
from .event_data import copied, named_entity_id


class LocalCapture:
    """Each item is counted as received before anything else, and then filtered, offered or lost.

    `by_type` has what captures an event of each type that is captured: those of `event_types`,
    changes of states, and writes that change nothing if these are `reported`.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        catalog: Catalog,
        pipeline: Pipeline,
        weather: WeatherWatch,
        *,
        event_types: Iterable[str],
        reported: bool,
    ) -> None:
        """Capture nothing by itself."""
        self.by_type: dict[EventType[Any] | str, Callable[[Event[Any], float], None]] = {
            EVENT_STATE_CHANGED: self._state_changed,
            **dict.fromkeys(event_types, self._other_event),
        }
        if reported:
            self.by_type[EVENT_STATE_REPORTED] = self._state_reported
        self._hass = hass
        self._catalog = catalog
        self._offer, self._count_filtered = pipeline.offer, pipeline.count_filtered
        self._intake = pipeline.intake
        self._weather = weather

    def receive[T](self, capture: Callable[[T, float], None], item: T, clock_offset: float) -> None:
        """Capture an item by one of the others; an error affects no other item."""
        self._intake.received += 1
        try:
            capture(item, clock_offset)
        except BaseException:  # noqa: BLE001  integrations put anything into events
            LOGGER.exception("An event could not be captured")
            self._intake.count_lost(1, INTERNAL_ERROR)

    def _state_changed(self, event: Event[EventStateChangedData], clock_offset: float) -> None:
        data = event.data
        entity_id, new, old = data["entity_id"], data["new_state"], data["old_state"]
        described = self._catalog.as_of_now(entity_id)
        if new is None:
            self._catalog.forget(entity_id)
        # The noise filter leaves out the removal of an excluded entity, and forgets the entity.
        if entity := described if new is None else self._wanted(described):
            fired, weather = event.time_fired_timestamp, self._weather.current
            self._offer(
                StateEvent(
                    entity, new, old, fired, event.context, STATE_CHANGED, weather, clock_offset
                )
            )

    def existing(self, state: State, clock_offset: float) -> None:
        """Capture a state that is there, at the time it was set."""
        # The weather at that time is unknown.
        if entity := self._wanted(self._catalog.as_of_now(state.entity_id)):
            self._offer(
                StateEvent(
                    entity, state, None, 0.0, state.context, STATE_CHANGED, None, clock_offset
                )
            )

    def _state_reported(self, event: Event[EventStateReportedData], clock_offset: float) -> None:
        state = event.data["new_state"]
        if entity := self._wanted(self._catalog.as_of_now(state.entity_id)):
            fired, weather = event.time_fired_timestamp, self._weather.current
            self._offer(
                StateEvent(
                    entity,
                    state,
                    state,
                    fired,
                    event.context,
                    STATE_REPORTED,
                    weather,
                    clock_offset,
                )
            )

    def _other_event(self, event: Event[Any], _clock_offset: float) -> None:
        entity = self._subject(event.data)
        if entity and not self._wanted(entity):
            return
        data, name = copied(event.data), str(event.event_type)
        self._offer(OtherEvent(name, data, event.time_fired_timestamp, event.context, entity))

    def _wanted(self, entity: EntityContext) -> EntityContext | None:
        """Return the entity, or None when its event is not captured, which counts the event."""
        if entity.filtered:
            self._count_filtered(entity.filtered)
            return None
        return entity

    def _subject(self, data: Mapping[str, Any]) -> EntityContext | None:
        """Find the one entity that an event names, if it exists."""
        if (entity_id := named_entity_id(data)) is None:
            return None
        # Unknown ids in events must not stay in the catalog.
        exists = entity_id in self._catalog or self._hass.states.get(entity_id)
        return self._catalog.as_of_now(entity_id) if exists else None

    def mark(self, marker: OtherEvent, _clock_offset: float) -> None:
        """Capture a marker of an entity, if the entity is captured."""
        if marker.entity is None or self._wanted(self._catalog.as_of_now(marker.entity.entity_id)):
            self._offer(marker)
