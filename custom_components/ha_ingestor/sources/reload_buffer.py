"""Buffers events between an unload and the next setup of the same destination."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

from homeassistant.const import EVENT_STATE_CHANGED, EVENT_STATE_REPORTED
from homeassistant.core import CALLBACK_TYPE, Event, HassJob, HomeAssistant, State, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util.event_type import EventType

from ..enrich.catalog import Catalog
from ..enrich.markers import markers
from ..pipeline.filter.intake import estimate_size
from ..pipeline.memory import MEMORY_BYTES, MEMORY_POINTS
from ..pipeline.model import EntityContext, NoContext, OtherEvent, StateEvent
from ..pipeline.text import text_of
from .event_bus import async_clock, async_listen
from .event_data import copied

# After a longer time the destination was disabled on purpose, and the events are not wanted.
BUFFER_SECONDS: Final = 60.0
# A reload takes seconds, and much longer when it fails.
BUFFER_EVENTS: Final = MEMORY_POINTS
BUFFER_BYTES: Final = MEMORY_BYTES

_STATES: Final = frozenset({EVENT_STATE_CHANGED, EVENT_STATE_REPORTED})
_ANY: Final = EntityContext(entity_id="", domain="")


class BufferedEvent(NamedTuple):
    """An event to capture; `clock_offset` is by how much the clock had been set by then.

    A state is one from before the first listener.
    """

    item: Event[Any] | OtherEvent | State
    clock_offset: float
    size: int = 0


class ReloadBuffer:
    """Buffers events and registry markers for the next source.

    Of too many the oldest are lost and counted, as `lost` or `filtered`, but the newest state of
    each entity is kept: first the `states` that were there, then these, then all that followed.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        event_types: Iterable[EventType[Any] | str],
        catalog: Catalog,
        *,
        states: Iterable[State] = (),
        is_disabled: bool = False,
    ) -> None:
        """Start when the source stops; its catalog has the contexts up to then.

        For a destination that is disabled events are kept for a moment only.
        """
        self.lost = 0
        self.filtered: Counter[str] = Counter()
        self._hass = hass
        self.catalog = catalog
        # What the removed entities were, as the registries no longer know that.
        self.removed: dict[str, EntityContext] = {}
        self._clock = async_clock(hass)
        self._events: deque[BufferedEvent] = deque(
            BufferedEvent(state, self._clock.clock_offset) for state in states
        )
        self._newest: dict[str, BufferedEvent] = {}
        self._bytes = 0
        # When states were updated last before a destination was disabled.
        self._before: dict[str, float] | None = None
        catalog.on_change = self._async_described
        self._stops: list[CALLBACK_TYPE] = [
            async_listen(hass, event_type, self._async_keep) for event_type in event_types
        ]
        if is_disabled:
            self._before = {
                state.entity_id: state.last_updated_timestamp for state in hass.states.async_all()
            }
            expire = HassJob(self._async_expire, cancel_on_shutdown=True)
            self._stops.append(async_call_later(hass, BUFFER_SECONDS, expire))

    @property
    def count(self) -> int:
        """The number of buffered events; not `__len__`, as an empty buffer must not be false."""
        return len(self._newest) + len(self._events)

    @property
    def is_expired(self) -> bool:
        """Whether the buffer was dropped after its time."""
        return self._before is not None and not self._stops

    @property
    def changed(self) -> list[State]:
        """The states that were set since a destination was disabled."""
        before = self._before or {}
        return [
            state
            for state in self._hass.states.async_all()
            if state.last_updated_timestamp != before.get(state.entity_id)
        ]

    def take(self) -> BufferedEvent | None:
        """Take the oldest that is kept."""
        if self._newest:
            return self._newest.pop(next(iter(self._newest)))
        if not self._events:
            return None
        kept = self._events.popleft()
        self._bytes -= kept.size
        return kept

    @callback
    def async_stop(self) -> None:
        """Keep nothing more. Safe to call twice."""
        while self._stops:
            self._stops.pop()()
        # Bound methods are equal, never identical.
        if self.catalog.on_change == self._async_described:
            self.catalog.on_change = None

    @callback
    def async_end(self) -> None:
        """Stop, because there is no next source."""
        self.async_stop()
        self.catalog.async_stop()

    @callback
    def _async_described(
        self, before: EntityContext, after: EntityContext, event: Event[Any]
    ) -> None:
        for marker in markers(before, after, event.time_fired_timestamp, event.context):
            self._keep(marker, estimate_size(marker))

    @callback
    def _async_keep(self, event: Event[Any]) -> None:
        if event.event_type in _STATES:
            self._keep(event, self._size_of_states(event.data))
            return
        data = copied(event.data)
        name, fired, context = event.event_type, event.time_fired_timestamp, event.context
        self._keep(
            Event(name, data, event.origin, fired, context),
            estimate_size(OtherEvent(str(name), data, fired, context)),
        )

    def _size_of_states(self, data: Mapping[str, Any]) -> int:
        """Note the entity if it is removed, and estimate the memory of a change of its state."""
        entity_id, new = text_of(data.get("entity_id")), data.get("new_state")
        if new is None and (known := self.catalog.get(entity_id)):
            self.removed[known.entity_id] = known
        try:
            return estimate_size(StateEvent(_ANY, new, data.get("old_state"), 0.0, NoContext()))
        except BaseException:  # noqa: BLE001  any data may come with it; the capture counts it
            return 0

    def _keep(self, item: Event[Any] | OtherEvent, size: int) -> None:
        self._events.append(BufferedEvent(item, self._clock.check(), size))
        self._bytes += size
        while len(self._events) > BUFFER_EVENTS or (self._bytes > BUFFER_BYTES and self._events):
            self._drop_oldest()
        while len(self._newest) > BUFFER_EVENTS:
            self._count_lost(self._newest.pop(next(iter(self._newest))))

    def _drop_oldest(self) -> None:
        """Drop the oldest event, unless it is the newest of its entity."""
        kept = self._events.popleft()
        self._bytes -= kept.size
        entity_id = _entity_of(kept)
        if not entity_id:
            self._count_lost(kept)
            return
        if older := self._newest.pop(entity_id, None):
            self._count_lost(older)
        self._newest[entity_id] = kept

    def _count_lost(self, kept: BufferedEvent) -> None:
        entity_id, reason = _entity_of(kept), ""
        with suppress(BaseException):  # as above: then it would have been lost in the capture
            reason = self.catalog[entity_id].filtered if entity_id else ""
        if reason:
            self.filtered[reason] += 1
        else:
            self.lost += 1

    @callback
    def _async_expire(self, _now: object) -> None:
        self._events.clear()
        self._newest.clear()
        self._bytes = self.lost = 0
        self.filtered.clear()
        self.async_end()


def _entity_of(kept: BufferedEvent) -> str:
    """Return whose state it is, if it is one."""
    item = kept.item
    if isinstance(item, State):
        return item.entity_id
    if isinstance(item, Event) and item.event_type == EVENT_STATE_CHANGED:
        return text_of(item.data.get("entity_id", ""))
    return ""
