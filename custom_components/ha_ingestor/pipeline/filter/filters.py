"""The noise filter: drops repeated, restored and too frequent states, and counts them.

Checked in this order; the first that applies decides:

    excluded       the removal of an entity that is excluded: nothing of it is kept in memory
    secret         the state of a text entity in the mode `password`
    restart_echo   a state that was restored and had been written already
    unavailable    a state that says nothing, where the user wants none
    deduplicated   the same state and attributes again, within the window
    deadband       a number that moved too little since the last one written
    throttled      too soon; the newest of these is held, and written when it is time

A heartbeat writes the current state again when nothing else did.
"""

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..clock import ClockWatch
from ..encode.masked import MASKED, unmasked
from ..files import Files
from ..ledger import Ledger
from ..model import (
    NO_RULES,
    STATE_CHANGED,
    UNAVAILABLE,
    EntityContext,
    Item,
    Message,
    OtherEvent,
    OwnPoint,
    RegistryRow,
    StateEvent,
    Weather,
)
from .last_written import LastWritten, Memory
from .rule_state import is_silent
from .rules import RuleFilter, RulesMemory

_LOGGER = logging.getLogger(__name__)

# The longest time from an event to the filter, while the disk does not stall.
PROCESSING_SECONDS: Final = 2.0
# Types of events whose last one is kept; a user chooses a handful.
EVENTS_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseFilterSettings:
    """`window`: seconds in which equal states are written once; zero disables it."""

    window: float = 0.0
    skip_unavailable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseFilterMemory:
    """The state for the next filter of this process."""

    rules: RulesMemory
    last_events: dict[str, tuple[float, OtherEvent]]
    weather: Weather | None
    clock_watch: ClockWatch
    last_written: Memory


@dataclass(slots=True, kw_only=True)
class NoiseFilter:
    """Used by one thread. `clock` is monotonic, `wall_clock` dates heartbeats.

    `contexts` are the descriptions of entities as they are now.
    """

    ledger: Ledger
    settings: NoiseFilterSettings
    last_written: LastWritten
    clock: Callable[[], float]
    wall_clock: Callable[[], float]
    contexts: Mapping[str, EntityContext] = field(default_factory=dict)
    _last_events: dict[str, tuple[float, OtherEvent]] = field(default_factory=dict)
    _weather: Weather | None = None
    _clock_watch: ClockWatch = field(init=False)
    _rules: RuleFilter = field(init=False)

    def __post_init__(self) -> None:
        """Watch the clock, for events without a clock offset."""
        self._clock_watch = ClockWatch(monotonic=self.clock, wall=self.wall_clock)
        self._rules = RuleFilter(
            ledger=self.ledger,
            last_written=self.last_written,
            clock=self.clock,
            wall_clock=self.wall_clock,
            contexts=self.contexts,
        )

    @property
    def held(self) -> int:
        """Events that are held until they are due."""
        return self._rules.held + len(self.last_written.placeholders)

    @property
    def held_since(self) -> float:
        """When the oldest held event came, by the clock; infinity without one."""
        return min(self._rules.held_since, self.last_written.held_since)

    @property
    def next_due(self) -> float:
        """When work is due without a new event, by the clock."""
        return min(self._rules.next_due, self.last_written.due)

    def hand_over(self, *, is_last: bool = False) -> NoiseFilterMemory:
        """Return the state for the next filter of this process."""
        memory = NoiseFilterMemory(
            rules=self._rules.hand_over(),
            last_events=self._last_events,
            weather=self._weather,
            clock_watch=self._clock_watch,
            last_written=self.last_written.hand_over(is_last=is_last),
        )
        self._last_events = {}
        return memory

    def resume(self, memory: NoiseFilterMemory) -> None:
        """Continue with the state of another filter; the new rules apply from the first `due`."""
        self._rules.resume(memory.rules)
        self._last_events, self._weather = memory.last_events, memory.weather
        self._clock_watch.resume(memory.clock_watch)
        self.last_written.resume(memory.last_written)

    def start_heartbeats(self, state_events: Iterable[StateEvent]) -> None:
        """Start the heartbeats of entities without events, from these states. Any thread."""
        self._rules.start_heartbeats(
            state_event for state_event in state_events if unmasked(state_event)
        )

    def load(self, files: Files, found_seq: int) -> None:
        """Load what an earlier process wrote, if `found_seq` is the last point it wrote."""
        self.last_written.load(files, found_seq)

    def save(self, files: Files, last_seq: int) -> None:
        """Store what was written up to `last_seq`; raises OSError."""
        self.last_written.save(files, last_seq)

    def filter(self, items: Iterable[Item]) -> list[Item]:
        """Return the events to write, in their order.

        An event that raises an error is kept, and affects no other.
        """
        passed: list[Item] = []
        self._rules.begin_heartbeats()
        for item in items:
            before = len(passed)
            try:
                if isinstance(item, StateEvent):
                    self._take(item, passed)
                elif isinstance(item, (RegistryRow, OwnPoint, Message)) or not self._is_repeated(
                    item
                ):
                    passed.append(item)
            except BaseException:
                _LOGGER.exception("An event could not be filtered and is kept")
                if not any(each is item for each in passed[before:]):
                    passed.append(item)
        return passed

    def due(self) -> list[StateEvent]:
        """Return events that are due without a new event."""
        now = self.clock()
        return [*self.last_written.expired_placeholders(now), *self._rules.due(now, self._weather)]

    def release(self) -> list[StateEvent]:
        """Return all held events, because the pipeline stops."""
        found = self._rules.release()
        self.last_written.forget_placeholders()
        return found

    def _take(self, item: StateEvent, passed: list[Item]) -> None:
        entity, last_written = item.entity, self.last_written
        entity_id = entity.key
        self._weather = item.weather
        clock_offset = self._clock_watch.check() if item.clock_offset is None else item.clock_offset
        if clock_offset != last_written.times.clock_offset:
            last_written.times.set_clock_offset(clock_offset)
        state_event = None if entity.filtered else unmasked(item)
        if state_event is None:
            self._rules.end(entity_id, passed)
            last_written.forget(entity_id)
            self.ledger.filtered[entity.filtered or MASKED] += 1
            return
        if last_written.applies_to(entity_id):
            joined = last_written.resume_state(state_event, self.clock())
            if joined is None:
                self._rules.start_after_restart(state_event)
                return
            state_event = joined
        state_event = last_written.times.redated(state_event)
        if self._is_filtered(state_event):
            return
        if entity.rules is not NO_RULES or self._rules.applies_to(entity_id):
            self._rules.apply(state_event, passed)
        else:
            last_written.note(entity_id, state_event.new)
            passed.append(state_event)

    def _is_repeated(self, event: OtherEvent) -> bool:
        window = self.settings.window
        if not window:
            return False
        now, last_events = self.clock(), self._last_events
        key = f"{event.instance.name}/{event.event_type}"
        seen_at, last = last_events.pop(key, (-math.inf, event))
        last_events[key] = now, event
        while len(last_events) > EVENTS_MAX:
            del last_events[next(iter(last_events))]
        # Either clock alone may be wrong: one may be set, the other has the time of processing.
        is_same = (
            now - seen_at <= window + PROCESSING_SECONDS
            and 0 <= event.time - last.time <= window
            and are_same(last.data, event.data)
        )
        self.ledger.deduplicated += is_same
        return is_same

    def _is_filtered(self, state_event: StateEvent) -> bool:
        new, settings = state_event.new, self.settings
        if new is None or not (settings.window or settings.skip_unavailable):
            return False
        if settings.skip_unavailable and is_silent(new):
            self.ledger.filtered[UNAVAILABLE] += 1
            self._rules.note_unwritten(state_event)
            return True
        entity_id = state_event.entity.key
        # Where a rule holds a newer state, or left one out, the last written one is not the last.
        last = self._rules.newest(entity_id) or self.last_written.last.get(entity_id)
        is_same = (
            last is not None
            and settings.window > 0
            and state_event.kind is STATE_CHANGED
            and 0 <= self.last_written.times.age(entity_id, last, new) <= settings.window
            and last.state == new.state
            and are_same(last.attributes, new.attributes)
        )
        if is_same:
            self.ledger.deduplicated += 1
            self._rules.note_unwritten(state_event)
        return is_same


def are_same(one: Any, other: Any) -> bool:
    """Whether two values are equal; those that cannot be compared are not."""
    try:
        return bool(one == other)
    except BaseException:  # noqa: BLE001  attributes may be objects of any integration
        return False
