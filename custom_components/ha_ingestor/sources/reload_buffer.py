"""What happens between an unload and the next setup of the same destination."""

from collections import Counter, deque
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from homeassistant.const import EVENT_STATE_CHANGED, EVENT_STATE_REPORTED
from homeassistant.core import CALLBACK_TYPE, Event, HassJob, HomeAssistant, State, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util.event_type import EventType

from ..enrich.catalog import Catalog
from ..enrich.markers import markers
from ..pipeline.filter.intake import weigh
from ..pipeline.memory import MEMORY_BYTES, MEMORY_POINTS
from ..pipeline.model import Capture, EntityContext, Happening, NoContext
from .event_bus import async_clock, async_listen, copied

# Whoever disables a destination for longer does not want what happened meanwhile.
GAP_SECONDS: Final = 60.0
# A reload takes seconds, and much longer when it fails.
GAP_EVENTS: Final = MEMORY_POINTS
GAP_BYTES: Final = MEMORY_BYTES

_STATES: Final = frozenset({EVENT_STATE_CHANGED, EVENT_STATE_REPORTED})
_ANY: Final = EntityContext(entity_id="", domain="")


class Kept(NamedTuple):
    """What is to be captured; `jumped` is by how much the clock had been set by then.

    A state is one that was there before anybody listened.
    """

    item: Event[Any] | Happening | State
    jumped: float
    weight: int = 0


class Gap:
    """Keeps the events that follow, and what they mark, for the source that takes over.

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
        """Begin where the source leaves off; its catalog knows what entities were until then.

        For a destination that is disabled events are kept for a moment only.
        """
        self.lost = 0
        self.filtered: Counter[str] = Counter()
        self._hass = hass
        self.catalog = catalog
        self._clock = async_clock(hass)
        self._events: deque[Kept] = deque(Kept(state, self._clock.jumped) for state in states)
        self._newest: dict[str, Kept] = {}
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
            give_up = HassJob(self._async_give_up, cancel_on_shutdown=True)
            self._stops.append(async_call_later(hass, GAP_SECONDS, give_up))

    @property
    def count(self) -> int:
        """How much is kept. It has no length, because an empty one is not nothing: it listens."""
        return len(self._newest) + len(self._events)

    @property
    def is_given_up(self) -> bool:
        """Whether nothing was kept any more."""
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

    def take(self) -> Kept | None:
        """Take the oldest that is kept."""
        if self._newest:
            return self._newest.pop(next(iter(self._newest)))
        if not self._events:
            return None
        kept = self._events.popleft()
        self._bytes -= kept.weight
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
        """Keep nothing more, because no source takes over."""
        self.async_stop()
        self.catalog.async_stop()

    @callback
    def _async_described(
        self, before: EntityContext, after: EntityContext, event: Event[Any]
    ) -> None:
        for marker in markers(before, after, event.time_fired_timestamp, event.context):
            self._keep(marker, weigh(marker))

    @callback
    def _async_keep(self, event: Event[Any]) -> None:
        if event.event_type in _STATES:
            data = event.data
            capture = Capture(_ANY, data["new_state"], data.get("old_state"), 0.0, NoContext())
            self._keep(event, weigh(capture))
            return
        data = copied(event.data)
        name, fired, context = event.event_type, event.time_fired_timestamp, event.context
        self._keep(
            Event(name, data, event.origin, fired, context),
            weigh(Happening(str(name), data, fired, context)),
        )

    def _keep(self, item: Event[Any] | Happening, weight: int) -> None:
        self._events.append(Kept(item, self._clock.look(), weight))
        self._bytes += weight
        while len(self._events) > GAP_EVENTS or (self._bytes > GAP_BYTES and self._events):
            self._shed()
        while len(self._newest) > GAP_EVENTS:
            self._lose(self._newest.pop(next(iter(self._newest))))

    def _shed(self) -> None:
        """Let the oldest go, unless it is the newest of its entity so far."""
        kept = self._events.popleft()
        self._bytes -= kept.weight
        entity_id = _entity_of(kept)
        if not entity_id:
            self._lose(kept)
            return
        if older := self._newest.pop(entity_id, None):
            self._lose(older)
        self._newest[entity_id] = kept

    def _lose(self, kept: Kept) -> None:
        entity_id = _entity_of(kept)
        if entity_id and (reason := self.catalog[entity_id].filtered):
            self.filtered[reason] += 1
        else:
            self.lost += 1

    @callback
    def _async_give_up(self, _now: object) -> None:
        self._events.clear()
        self._newest.clear()
        self._bytes = self.lost = 0
        self.filtered.clear()
        self.async_end()


def _entity_of(kept: Kept) -> str:
    """Return whose state it is, if it is one."""
    item = kept.item
    if isinstance(item, State):
        return item.entity_id
    if isinstance(item, Event) and item.event_type == EVENT_STATE_CHANGED:
        return str(item.data["entity_id"])
    return ""
