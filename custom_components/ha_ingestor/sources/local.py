"""The state changes of this Home Assistant."""

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import (
    CALLBACK_TYPE,
    Context,
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)

from ..catalog import Catalog
from ..pipeline.model import Capture
from ..pipeline.pipeline import Pipeline
from .gap import Gap


class LocalSource:
    """Offers every state change to the pipeline, with the entity's context as of the event."""

    def __init__(self, hass: HomeAssistant, catalog: Catalog, pipeline: Pipeline) -> None:
        """Prepare; nothing is captured before `async_start`."""
        self._hass = hass
        self._catalog = catalog
        self._offer = pipeline.offer
        self._filtered = pipeline.filtered
        self._stops: list[CALLBACK_TYPE] = []

    @callback
    def async_start(self, gap: Gap | None) -> None:
        """Capture from now on, and first what happened since this destination last listened.

        Without a gap, or after one that was too long, these are the states that are there, each
        at the instant it was set: what others reported before this integration was ready.
        """
        self._stops = [
            self._catalog.async_listen(),
            self._hass.bus.async_listen(EVENT_STATE_CHANGED, self._async_state_changed),
        ]
        if gap:
            gap.async_stop()
        if gap and gap.events is not None:
            for event in gap.events:
                self._async_state_changed(event)
            return
        since = gap.since if gap else 0.0
        for state in self._hass.states.async_all():
            if state.last_updated_timestamp > since:
                self._capture(state.entity_id, state, None, 0.0, state.context)

    @callback
    def async_stop(self) -> None:
        """Capture nothing more. Safe to call twice."""
        while self._stops:
            self._stops.pop()()

    @callback
    def _async_state_changed(self, event: Event[EventStateChangedData]) -> None:
        data = event.data
        new = data["new_state"]
        self._capture(
            data["entity_id"],
            new,
            data["old_state"],
            event.time_fired_timestamp,
            event.context,
        )
        if new is None:
            self._catalog.forget(data["entity_id"])

    def _capture(
        self,
        entity_id: str,
        new: State | None,
        old: State | None,
        time: float,
        context: Context,
    ) -> None:
        entity = self._catalog[entity_id]
        if entity.filtered:
            self._filtered[entity.filtered] += 1
        else:
            self._offer(Capture(entity, new, old, time, context))
