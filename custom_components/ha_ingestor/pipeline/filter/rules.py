"""How much of an entity is worth keeping: deadband, throttle and heartbeat.

A deadband is for measurements: states that are written as numbers, and no choices. Other states
always pass it, and so does a number in another unit. While a number stays where it is, a change of
the other attributes alone is no reason to write it.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ..encode.numbers import measurement_of
from ..ledger import Ledger
from ..model import (
    HEARTBEAT,
    NO_RULES,
    SAYS_NOTHING,
    Capture,
    EntityContext,
    Item,
    Rules,
    StateLike,
    Weather,
)
from .last_written import Recollection


@dataclass(slots=True)
class Watch:
    """An entity with rules: what was seen of it, and what was written and when."""

    seen: Capture
    written: StateLike | None = None
    written_at: float = -math.inf
    held: Capture | None = None
    due: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesMemory:
    """What the next filter of this process has to know."""

    watches: dict[str, Watch]
    expected: deque[tuple[float, Capture]]


@dataclass(slots=True, kw_only=True)
class RuleFilter:
    """Used by one thread. `clock` is monotonic, `wall_clock` dates heartbeats; `held` wait."""

    ledger: Ledger
    recollection: Recollection
    clock: Callable[[], float]
    wall_clock: Callable[[], float]
    contexts: Mapping[str, EntityContext]
    held: int = 0
    _watches: dict[str, Watch] = field(default_factory=dict)
    _expected: deque[tuple[float, Capture]] = field(default_factory=deque)
    # Entities that are still judged by the rules of an earlier filter.
    _outdated: set[str] = field(default_factory=set)
    _is_resumed: bool = False

    @property
    def next_due(self) -> float:
        """When there is something to do although nothing came, by the clock."""
        if self._is_resumed or self._expected:
            return self.clock()
        return min((watch.due for watch in self._watches.values()), default=math.inf)

    def concerns(self, entity_id: str) -> bool:
        """Whether there was a rule for this entity, and something may be held."""
        return entity_id in self._watches

    def hand_over(self) -> RulesMemory:
        """Give everything to the next filter of this process."""
        memory = RulesMemory(watches=self._watches, expected=self._expected)
        self._watches, self._expected, self.held = {}, deque(), 0
        return memory

    def resume(self, memory: RulesMemory) -> None:
        """Go on with what another filter knew; the rules of this one apply from the first `due`."""
        self._watches, self._expected = memory.watches, memory.expected
        self.held = sum(watch.held is not None for watch in self._watches.values())
        self._outdated, self._is_resumed = set(self._watches), True

    def expect(self, captures: Iterable[Capture]) -> None:
        """Begin heartbeats of entities that stay silent: these are their states. Any thread."""
        now = self.clock()
        self._expected.extend((now, capture) for capture in captures)

    def due(self, now: float, weather: Weather | None) -> list[Capture]:
        """Return what has to be written by now although nothing came."""
        self._is_resumed = False
        if self._outdated:
            self._renew()
        while self._expected:
            self._begin(*self._expected.popleft())
        due = [key for key, watch in self._watches.items() if watch.due <= now]
        found = (self._beat(entity_id, now, weather) for entity_id in due)
        return [capture for capture in found if capture]

    def release(self) -> list[Capture]:
        """Give out what is held, because this is the end."""
        found = [watch.held for watch in self._watches.values() if watch.held]
        for watch in self._watches.values():
            watch.held = None
        self.held = 0
        for capture in found:
            self.recollection.note(capture.entity.entity_id, capture.new)
        return found

    def judge(self, capture: Capture, passed: list[Item]) -> None:
        """Apply the rules of an entity, and add what is to be written by now."""
        entity_id, new, now = capture.entity.entity_id, capture.new, self.clock()
        rules = capture.entity.rules
        watch = self._watches.get(entity_id)
        if new is None or rules is NO_RULES:
            self.end(entity_id, passed)
            self.recollection.note(entity_id, new)
            passed.append(capture)
            return
        last = watch.written if watch else None
        is_like_the_last = last is not None and _is_silent(last) == _is_silent(new)
        is_within = (
            last is not None
            and is_like_the_last
            and _is_within(rules.deadband, capture.entity.domain, last, new)
        )
        if watch is None:
            watch = self._watches[entity_id] = Watch(capture)
        watch.seen = capture
        if is_within:
            self._drop_held(watch)
            watch.due = _due_of(watch, rules)
            self.ledger.filtered["deadband"] += 1
            return
        if is_like_the_last and now - watch.written_at < rules.throttle:
            self._drop_held(watch)
            self._hold(watch, capture)
            watch.due = _due_of(watch, rules)
            return
        if is_like_the_last:
            self._drop_held(watch)
        elif watch.held:
            passed.append(watch.held)
            self._let_go(watch)
        self._write(watch, capture, now, rules)
        passed.append(capture)

    def end(self, entity_id: str, passed: list[Item]) -> None:
        """Watch an entity no longer; what is held of it is to be written now."""
        watch = self._watches.pop(entity_id, None)
        if watch and watch.held:
            passed.append(watch.held)
            self._let_go(watch)

    def _hold(self, watch: Watch, capture: Capture) -> None:
        watch.held = capture
        self.held += 1

    def _let_go(self, watch: Watch) -> None:
        watch.held = None
        self.held -= 1

    def _drop_held(self, watch: Watch) -> None:
        if watch.held:
            self._let_go(watch)
            self.ledger.filtered["throttled"] += 1

    def _write(self, watch: Watch, capture: Capture, now: float, rules: Rules) -> None:
        watch.written, watch.written_at = capture.new, now
        watch.due = _due_of(watch, rules)
        self.recollection.note(capture.entity.entity_id, capture.new)

    def begin_after_echo(self, echo: Capture) -> None:
        """Begin the heartbeats of an entity although nothing of it was written yet."""
        rules = echo.entity.rules
        if rules.heartbeat and echo.entity.entity_id in self.recollection.last:
            self._watches[echo.entity.entity_id] = watch = Watch(echo)
            self._write(watch, echo, self.clock(), rules)

    def _begin(self, now: float, capture: Capture) -> None:
        """Begin the heartbeats of a silent entity, or go on with them by a rule that is new."""
        entity_id, rules = capture.entity.entity_id, capture.entity.rules
        if not rules.heartbeat:
            return
        watch = self._watches.get(entity_id)
        if watch is None:
            written = self.recollection.last.get(entity_id)
            self._watches[entity_id] = watch = Watch(capture, written, now)
        watch.due = _due_of(watch, rules)

    def _renew(self) -> None:
        """Apply the rules that were changed by a reload, as far as they are known by now."""
        for entity_id in tuple(self._outdated):
            entity, watch = self.contexts.get(entity_id), self._watches.get(entity_id)
            if entity is None:
                continue
            self._outdated.discard(entity_id)
            if watch is None:
                continue
            rules = entity.rules
            if rules is NO_RULES and not watch.held:
                del self._watches[entity_id]
            else:
                watch.due = _due_of(watch, rules)

    def _beat(self, entity_id: str, now: float, weather: Weather | None) -> Capture | None:
        """Return what is held, or the same again."""
        watch = self._watches[entity_id]
        seen = watch.seen
        entity = self.contexts.get(entity_id, seen.entity)
        if capture := watch.held:
            self._let_go(watch)
        elif entity.filtered or entity.rules is NO_RULES:
            del self._watches[entity_id]
            return None
        elif not entity.rules.heartbeat:
            watch.due = math.inf
            return None
        else:
            self.ledger.received += 1  # this is where a heartbeat comes in
            capture = seen._replace(
                entity=entity,
                old=seen.new,
                time=self.wall_clock(),
                kind=HEARTBEAT,
                weather=weather,
            )
        self._write(watch, capture, now, entity.rules)
        return capture


def _due_of(watch: Watch, rules: Rules) -> float:
    """When something of an entity has to be written although nothing comes."""
    if watch.held:
        return watch.written_at + rules.throttle
    if rules.heartbeat and watch.seen.new is not None and not _is_silent(watch.seen.new):
        return watch.written_at + rules.heartbeat
    return math.inf


def _is_silent(state: StateLike) -> bool:
    return state.state in SAYS_NOTHING


def _is_within(deadband: float, domain: str, last: StateLike, new: StateLike) -> bool:
    """Whether a measurement moved less than it has to; what is none always moves.

    What means yes or no is none, nor is a choice, and numbers of two units cannot be compared.
    """
    if not deadband:
        return False
    before, now = measurement_of(domain, last), measurement_of(domain, new)
    if before is None or now is None or abs(now - before) >= deadband:
        return False
    unit = "unit_of_measurement"
    return bool(last.attributes.get(unit) == new.attributes.get(unit))
