"""Makes items of the pipeline from what a remote home sends."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from homeassistant.core import HomeAssistant

from ...clients.homeassistant.states import Change, State
from ...const import LOGGER
from ...enrich.attribution import RUNS, Attribution
from ...enrich.describe import Describer
from ...enrich.markers import begins_heartbeats, markers
from ...enrich.selection import EntityFilter, RuleTable
from ...pipeline.committer import INTERNAL_ERROR
from ...pipeline.ledger import RESTART_ECHO
from ...pipeline.model import (
    STATE_CHANGED,
    ContextLike,
    EntityContext,
    Instance,
    NoContext,
    OtherEvent,
    StateEvent,
)
from ...pipeline.pipeline import Pipeline
from ..event_bus import async_clock
from ..event_data import named_entity_id
from .catalog import RemoteCatalog, RemoteHome
from .event_fields import context_of, fired_at
from .health import RemoteHealth


class RemoteCapture:
    """Counts each change as received before anything else; then it is filtered, offered or lost.

    `event_types` are those that are captured beside the states.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        pipeline: Pipeline,
        *,
        name: str,
        entity_filter: EntityFilter,
        rules: RuleTable,
        event_types: Iterable[str],
        attribution: Attribution,
        gap_seconds: float,
    ) -> None:
        """Prepare for a pipeline; older changes are not asked for than `gap_seconds`."""
        self.gap_seconds = gap_seconds
        self.event_types = tuple(event_types)
        self.catalog: RemoteCatalog | None = None
        self.past_events = pipeline.past_events
        self._attribution = attribution
        self._pipeline = pipeline
        self._clock = async_clock(hass)
        self._name = name
        self._filter = entity_filter
        self._rules = rules
        self._instance = Instance(name=name)
        self._home = RemoteHome()
        self._health = RemoteHealth()

    async def async_describe(self, home: RemoteHome, health: RemoteHealth) -> None:
        """Describe a home again, after its registries were listed."""
        instance = Instance(name=self._name, location=home.location)
        if self.catalog is None or instance != self._instance or home is not self._home:
            self._home, self._health, self._instance = home, health, instance
            describer = Describer(
                registries=home,
                entity_filter=self._filter,
                rules=self._rules,
                instance=instance,
            )
            self.catalog = RemoteCatalog(describer, home)
        now = time.time() + health.now.clock_ahead
        async for before, after in self.catalog.async_sweep():
            self.mark(before, after, now, NoContext())

    def changed(self, change: Change, heard: float) -> None:
        """Capture a change of a state while it happens; by the clock there it was heard then."""
        self._receive(partial(self._live, heard), change)

    def existing(self, change: Change) -> None:
        """Capture a state that was there before anybody listened."""
        self._receive(self._existing, change)

    def present(self, change: Change, *, has_restarted: bool) -> None:
        """Capture the state after an interruption, in which the home may have restarted."""
        if has_restarted and (new := restored_state(change)):
            if change.old and change.old.attributes == new.attributes:
                self.restored(change)
                return
            change = Change(change.entity_id, change.old, new)
        self._receive(self._change, change)

    def restored(self, change: Change) -> None:
        """Count a state that the restart of the remote home set once more."""
        self._receive(self._restored, change)

    def leaves_out(self, entity_id: str) -> bool:
        """Whether an entity is known, and nothing of it is captured."""
        known = self.catalog.get(entity_id) if self.catalog is not None else None
        return bool(known and known.filtered)

    def remembers(self, entity_id: str) -> bool:
        """Whether it is known what an earlier process wrote last of an entity."""
        return self.past_events.remembers(self.described(entity_id).key)

    def forget_gone(self, entity_ids: Iterable[str]) -> None:
        """Keep no descriptions of entities that are not there any more."""
        if self.catalog is not None:
            for entity_id in entity_ids:
                self.catalog.forget_if_gone(entity_id)

    def fired(self, event_type: str, event: Any) -> None:
        """Capture another event, as it was sent, if it is wanted."""
        if event_type in RUNS and isinstance(event, Mapping):
            data = event.get("data")
            self._attribution.async_note(
                context_of(event).id, data if isinstance(data, Mapping) else {}
            )
        if event_type in self.event_types:
            self._receive(self._fired, (event_type, event))

    def mark(
        self, before: EntityContext, after: EntityContext, fired: float, context: ContextLike
    ) -> None:
        """Capture what changed in the registries, and begin heartbeats."""
        for marker in markers(before, after, fired, context):
            self._receive(self._mark, marker)
        if begins_heartbeats(before, after):
            state = self._home.states.states.get(after.entity_id)
            if state:
                self._pipeline.start_heartbeats(
                    [StateEvent(after, state, None, 0.0, state.context)]
                )

    def _receive[T](self, capture: Callable[[T], None], item: T) -> None:
        """Count an item; an error affects no other item."""
        self._pipeline.intake.receive_elsewhere()
        self._health.received()
        try:
            capture(item)
        except Exception:  # noqa: BLE001  another home sends anything
            LOGGER.exception("An event of another home could not be captured")
            self._pipeline.intake.count_lost(1, INTERNAL_ERROR)

    def _existing(self, change: Change) -> None:
        self._change(change, has_time=False)

    def _live(self, heard: float, change: Change) -> None:
        self._change(change, is_added=change.old is None, heard=heard)

    def _change(
        self,
        change: Change,
        *,
        has_time: bool = True,
        is_added: bool = False,
        heard: float | None = None,
    ) -> None:
        entity_id, old, new = change
        self._note_newest(new)
        described = self.described(entity_id)
        if new is None and self.catalog is not None:
            self.catalog.forget(entity_id)
        # The noise filter leaves out the removal of an excluded entity, and forgets the entity.
        if not (entity := described if new is None else self._wanted(described)):
            return
        fired = 0.0
        if has_time:
            fired = new.last_updated_timestamp if new else self._removed_at(change, heard)
        context: ContextLike = new.context if new else NoContext()
        # The weather there is not known, and the clock is another one.
        self._pipeline.offer(
            StateEvent(
                *(entity, new, old, fired, context, STATE_CHANGED, None, self._clock.check()),
                is_added=is_added,
            )
        )

    def _note_newest(self, state: State | None) -> None:
        # Also when the clock there was set back: what is captured twice is stored once.
        if state and state.last_updated_timestamp <= self._health.latest:
            self._home.newest = state.last_updated_timestamp

    def _removed_at(self, change: Change, heard: float | None) -> float:
        """Return when a removal was heard, or is now, but not before the last state."""
        noted = time.time() + self._health.now.clock_ahead if heard is None else heard
        moment = max(noted, change.old.last_updated_timestamp if change.old else noted)
        self._home.removals.correct(change.entity_id, noted, moment)
        return moment

    def _restored(self, change: Change) -> None:
        self._note_newest(change.new)
        if self._wanted(self.described(change.entity_id)):
            self._pipeline.count_filtered(RESTART_ECHO)

    def _fired(self, fired: tuple[str, Any]) -> None:
        event_type, event = fired
        data = event.get("data") or {}
        entity = self._subject(data)
        if entity and not self._wanted(entity):
            return
        self._pipeline.offer(
            OtherEvent(
                event_type,
                data,
                fired_at(event),
                context_of(event),
                entity,
                self._instance,
            )
        )

    def _mark(self, marker: OtherEvent) -> None:
        if marker.entity is None or self._wanted(marker.entity):
            self._pipeline.offer(marker)

    def described(self, entity_id: str) -> EntityContext:
        """Return what is known of an entity."""
        if self.catalog is None:
            return EntityContext(
                entity_id=entity_id,
                domain=entity_id.partition(".")[0],
                instance=self._instance,
            )
        return self.catalog[entity_id]

    def _wanted(self, entity: EntityContext) -> EntityContext | None:
        """Return the entity, or None when its event is not captured, which counts the event."""
        if entity.filtered:
            self._pipeline.count_filtered(entity.filtered)
            return None
        return entity

    def _subject(self, data: Mapping[str, Any]) -> EntityContext | None:
        """Find the one entity that an event names, if it exists."""
        entity_id = named_entity_id(data)
        if entity_id is None or self.catalog is None:
            return None
        exists = entity_id in self.catalog or entity_id in self._home.states.states
        return self.catalog[entity_id] if exists else None


# Returns where the events of a home go, and waits for it during a reload.
type Captures = Callable[[], Awaitable[RemoteCapture]]


def restored_state(change: Change) -> State | None:
    """Return the state that a restart of the other home has set again, with its time before it.

    None if the change is another one.
    """
    old, new = change.old, change.new
    if old is None or new is None or old.state != new.state:
        return None
    return replace(new, last_changed_timestamp=old.last_changed_timestamp)
