"""The rules of an entity: deadband, throttle and heartbeat."""

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ..ledger import DEADBAND, THROTTLED, Ledger
from ..model import (
    HEARTBEAT,
    NO_RULES,
    EntityContext,
    Item,
    Rules,
    StateEvent,
    StateLike,
    Weather,
)
from .deadband import is_within_deadband
from .last_written import LastWritten
from .rule_state import RuleState, is_silent


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesMemory:
    """The state for the next filter of this process."""

    rule_states: dict[str, RuleState]
    to_start: deque[tuple[float, StateEvent]]


@dataclass(slots=True, kw_only=True)
class RuleFilter:
    """Used by one thread. `clock` is monotonic, `wall_clock` dates heartbeats; `held` wait."""

    ledger: Ledger
    last_written: LastWritten
    clock: Callable[[], float]
    wall_clock: Callable[[], float]
    contexts: Mapping[str, EntityContext]
    held: int = 0
    _rule_states: dict[str, RuleState] = field(default_factory=dict)
    _to_start: deque[tuple[float, StateEvent]] = field(default_factory=deque)
    # Entities that are still judged by the rules of an earlier filter.
    _outdated: set[str] = field(default_factory=set)
    _is_resumed: bool = False

    @property
    def next_due(self) -> float:
        """When work is due without a new event, by the clock."""
        if self._is_resumed or self._to_start:
            return self.clock()
        return min((rule_state.due for rule_state in self._rule_states.values()), default=math.inf)

    @property
    def held_since(self) -> float:
        """When the oldest held event came, by the clock; infinity without one."""
        if not self.held:
            return math.inf
        found = (state.held_at for state in self._rule_states.values() if state.held)
        return min(found, default=math.inf)

    def applies_to(self, entity_id: str) -> bool:
        """Whether there was a rule for this entity, and something may be held."""
        return entity_id in self._rule_states

    def hand_over(self) -> RulesMemory:
        """Return the state for the next filter of this process."""
        memory = RulesMemory(rule_states=self._rule_states, to_start=self._to_start)
        self._rule_states, self._to_start, self.held = {}, deque(), 0
        return memory

    def resume(self, memory: RulesMemory) -> None:
        """Continue with the state of another filter; the new rules apply from the first `due`."""
        self._rule_states, self._to_start = memory.rule_states, memory.to_start
        self.held = sum(rule_state.held is not None for rule_state in self._rule_states.values())
        self._outdated, self._is_resumed = set(self._rule_states), True

    def start_heartbeats(self, state_events: Iterable[StateEvent]) -> None:
        """Start the heartbeats of entities without events, from these states. Any thread."""
        now = self.clock()
        self._to_start.extend((now, state_event) for state_event in state_events)

    def begin_heartbeats(self) -> None:
        """Begin what was started: before the events that follow, which may end it again."""
        while self._to_start:
            self._begin(*self._to_start.popleft())

    def due(self, now: float, weather: Weather | None) -> list[StateEvent]:
        """Return events that are due without a new event."""
        self._is_resumed = False
        if self._outdated:
            self._renew()
        self.begin_heartbeats()
        due = [key for key, rule_state in self._rule_states.items() if rule_state.due <= now]
        found = (self._heartbeat(entity_id, now, weather) for entity_id in due)
        return [state_event for state_event in found if state_event]

    def release(self) -> list[StateEvent]:
        """Return all held events, because the pipeline stops."""
        found = [rule_state.held for rule_state in self._rule_states.values() if rule_state.held]
        for rule_state in self._rule_states.values():
            rule_state.held = None
        self.held = 0
        for state_event in found:
            self.last_written.note(state_event.entity.key, state_event.new)
        return found

    def apply(self, state_event: StateEvent, passed: list[Item]) -> None:
        """Apply the rules of an entity, and add what is to be written by now."""
        entity_id, new, now = state_event.entity.key, state_event.new, self.clock()
        rules = state_event.entity.rules
        rule_state = self._rule_states.get(entity_id)
        if new is None or rules is NO_RULES:
            self.end(entity_id, passed)
            self.last_written.note(entity_id, new)
            passed.append(state_event)
            return
        last = rule_state.written if rule_state else None
        is_like_the_last = last is not None and is_silent(last) == is_silent(new)
        is_within = (
            last is not None
            and is_like_the_last
            and is_within_deadband(rules.deadband, state_event.entity.domain, last, new)
        )
        if rule_state is None:
            rule_state = self._rule_states[entity_id] = RuleState(state_event)
        rule_state.seen = state_event
        if is_within:
            self._drop_held(rule_state)
            rule_state.schedule(rules)
            self.ledger.filtered[DEADBAND] += 1
            return
        if is_like_the_last and now - rule_state.written_at < rules.throttle:
            self._drop_held(rule_state)
            self._hold(rule_state, state_event)
            rule_state.schedule(rules)
            return
        if is_like_the_last:
            self._drop_held(rule_state)
        elif rule_state.held:
            passed.append(rule_state.held)
            self._clear_held(rule_state)
        self._write(rule_state, state_event, now, rules)
        passed.append(state_event)

    def newest(self, entity_id: str) -> StateLike | None:
        """Return the newest state that says something of an entity with rules, written or not."""
        rule_state = self._rule_states.get(entity_id)
        return rule_state.newest if rule_state else None

    def note_unwritten(self, state_event: StateEvent) -> None:
        """Note the present state of an entity with rules, which another filter leaves out."""
        if rule_state := self._rule_states.get(state_event.entity.key):
            rule_state.seen = state_event
            rule_state.schedule(state_event.entity.rules)

    def end(self, entity_id: str, passed: list[Item]) -> None:
        """Drop the state of an entity; an event that is held is written now."""
        rule_state = self._rule_states.pop(entity_id, None)
        if rule_state and rule_state.held:
            passed.append(rule_state.held)
            self._clear_held(rule_state)

    def _hold(self, rule_state: RuleState, state_event: StateEvent) -> None:
        rule_state.held, rule_state.held_at = state_event, self.clock()
        self.held += 1

    def _clear_held(self, rule_state: RuleState) -> None:
        rule_state.held = None
        self.held -= 1

    def _drop_held(self, rule_state: RuleState) -> None:
        if rule_state.held:
            self._clear_held(rule_state)
            self.ledger.filtered[THROTTLED] += 1

    def _write(
        self, rule_state: RuleState, state_event: StateEvent, now: float, rules: Rules
    ) -> None:
        rule_state.written, rule_state.written_at = state_event.new, now
        rule_state.schedule(rules)
        self.last_written.note(state_event.entity.key, state_event.new)

    def start_after_restart(self, restored: StateEvent) -> None:
        """Start the heartbeats of an entity after a restored state, which is not written."""
        rules = restored.entity.rules
        if rules.heartbeat and restored.entity.key in self.last_written.last:
            self._rule_states[restored.entity.key] = rule_state = RuleState(restored)
            self._write(rule_state, restored, self.clock(), rules)

    def _begin(self, now: float, state_event: StateEvent) -> None:
        """Start the heartbeats of an entity without events, or apply a new rule to them."""
        entity_id, rules = state_event.entity.key, state_event.entity.rules
        rule_state = self._rule_states.get(entity_id)
        if rule_state is not None:
            # What it had before may be from before it was not captured for a while.
            rule_state.seen = state_event
        elif not rules.heartbeat:
            return
        else:
            written = self.last_written.last.get(entity_id)
            self._rule_states[entity_id] = rule_state = RuleState(state_event, written, now)
        rule_state.schedule(rules)

    def _renew(self) -> None:
        """Apply the rules that were changed by a reload, as far as they are known by now."""
        for entity_id in tuple(self._outdated):
            entity, rule_state = self.contexts.get(entity_id), self._rule_states.get(entity_id)
            if entity is None:
                continue
            self._outdated.discard(entity_id)
            if rule_state is None:
                continue
            if (entity.rules is NO_RULES or entity.filtered) and not rule_state.held:
                del self._rule_states[entity_id]
            else:
                rule_state.seen = rule_state.seen._replace(entity=entity)
                rule_state.schedule(entity.rules)

    def _heartbeat(self, entity_id: str, now: float, weather: Weather | None) -> StateEvent | None:
        """Return the held event, or a heartbeat."""
        rule_state = self._rule_states[entity_id]
        seen = rule_state.seen
        entity = self.contexts.get(entity_id, seen.entity)
        if state_event := rule_state.held:
            self._clear_held(rule_state)
        elif entity.filtered or entity.rules is NO_RULES:
            del self._rule_states[entity_id]
            return None
        elif not entity.rules.heartbeat:
            rule_state.due = math.inf
            return None
        else:
            self.ledger.received += 1  # a heartbeat is made here
            state_event = seen._replace(
                entity=entity,
                old=seen.new,
                time=self.wall_clock(),
                kind=HEARTBEAT,
                weather=weather,
            )
        self._write(rule_state, state_event, now, entity.rules)
        return state_event
