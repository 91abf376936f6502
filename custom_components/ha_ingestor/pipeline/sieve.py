"""What is worth a point: repetitions, echoes and chatter are left out, and counted.

Judged in this order, and the first that applies decides:

    restart_echo   a state that was restored and had been written already
    unavailable    a state that says nothing, where the user wants none
    deduplicated   the same state and attributes again, within the window
    deadband       a number that moved too little since the last one written
    throttled      too soon; the newest of these is held, and written when it is time

A heartbeat writes the current state again when nothing else did.
"""

import logging
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .clock import ClockWatch
from .ledger import Ledger
from .model import (
    HEARTBEAT,
    NO_RULES,
    STATE_CHANGED,
    UNAVAILABLE,
    UNKNOWN,
    Capture,
    EntityContext,
    Happening,
    Item,
    Row,
    Rules,
    StateLike,
    Weather,
)
from .numbers import number_of
from .recollection import Memory, Recollection

_LOGGER = logging.getLogger(__name__)

_SAYS_NOTHING: Final = frozenset({UNAVAILABLE, UNKNOWN})

# How long an event waits at most until it is looked at, as long as the disk does not stall.
LOOK_SECONDS: Final = 2.0
# Types of events whose last one is kept; a user chooses a handful.
EVENTS_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SieveSettings:
    """`window`: seconds in which the same is said once; zero for never."""

    window: float = 0.0
    skip_unavailable: bool = False


@dataclass(slots=True)
class _Watch:
    """An entity with rules: what was seen of it, and what was written and when."""

    seen: Capture
    written: StateLike | None = None
    written_at: float = -math.inf
    held: Capture | None = None
    due: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class SieveMemory:
    """What the next sieve of this process has to know."""

    watches: dict[str, _Watch]
    happened: dict[str, tuple[float, Happening]]
    expected: deque[tuple[float, Capture]]
    weather: Weather | None
    clock_watch: ClockWatch
    recollection: Memory


@dataclass(slots=True, kw_only=True)
class Sieve:
    """Used by one thread. `clock` is monotonic, `wall_clock` dates heartbeats.

    `contexts` are the descriptions of entities as they are now.
    """

    ledger: Ledger
    settings: SieveSettings
    recollection: Recollection
    clock: Callable[[], float]
    wall_clock: Callable[[], float]
    contexts: Mapping[str, EntityContext] = field(default_factory=dict)
    _watches: dict[str, _Watch] = field(default_factory=dict)
    _held: int = 0
    _happened: dict[str, tuple[float, Happening]] = field(default_factory=dict)
    _expected: deque[tuple[float, Capture]] = field(default_factory=deque)
    _weather: Weather | None = None
    _clock_watch: ClockWatch = field(init=False)
    _is_resumed: bool = False

    def __post_init__(self) -> None:
        """Watch the clock, for captures that do not say whether it was set."""
        self._clock_watch = ClockWatch(monotonic=self.clock, wall=self.wall_clock)

    @property
    def held(self) -> int:
        """Captures that wait for their time."""
        return self._held + len(self.recollection.placeholders)

    @property
    def next_due(self) -> float:
        """When there is something to do although nothing came, by the clock."""
        if self._is_resumed or self._expected:
            return self.clock()
        first = min((watch.due for watch in self._watches.values()), default=math.inf)
        return min(first, self.recollection.due)

    def hand_over(self) -> SieveMemory:
        """Give everything that is held and known to the next sieve of this process."""
        memory = SieveMemory(
            watches=self._watches,
            happened=self._happened,
            expected=self._expected,
            weather=self._weather,
            clock_watch=self._clock_watch,
            recollection=self.recollection.hand_over(),
        )
        self._watches, self._happened, self._expected, self._held = {}, {}, deque(), 0
        return memory

    def resume(self, memory: SieveMemory) -> None:
        """Go on with what another sieve knew; the rules of this one apply from the first `due`."""
        self._watches, self._happened = memory.watches, memory.happened
        self._expected, self._weather = memory.expected, memory.weather
        self._held = sum(watch.held is not None for watch in self._watches.values())
        self._clock_watch.resume(memory.clock_watch)
        self.recollection.resume(memory.recollection)
        self._is_resumed = True

    def expect(self, captures: Iterable[Capture]) -> None:
        """Let hearts beat of entities that stay silent: these are their states. Any thread."""
        now = self.clock()
        self._expected.extend((now, capture) for capture in captures)

    def sift(self, items: Iterable[Item]) -> list[Item]:
        """Return what is to be written of these, in their order.

        What cannot be judged is kept, and costs nothing else.
        """
        passed: list[Item] = []
        for item in items:
            before = len(passed)
            try:
                if isinstance(item, Capture):
                    self._take(item, passed)
                elif isinstance(item, Row) or not self._has_just_happened(item):
                    passed.append(item)
            except Exception:
                _LOGGER.exception("An event could not be judged and is kept")
                if not any(each is item for each in passed[before:]):
                    passed.append(item)
        return passed

    def due(self) -> list[Capture]:
        """Return what has to be written by now although nothing came."""
        now = self.clock()
        if self._is_resumed:
            self._renew()
        while self._expected:
            self._begin(*self._expected.popleft())
        found = self.recollection.overdue(now)
        for entity_id in [key for key, watch in self._watches.items() if watch.due <= now]:
            if capture := self._beat(entity_id, now):
                found.append(capture)
        return found

    def release(self) -> list[Capture]:
        """Give out what is held, because this is the end."""
        found = [watch.held for watch in self._watches.values() if watch.held]
        for watch in self._watches.values():
            watch.held = None
        self._held = 0
        for capture in found:
            self.recollection.note(capture.entity.entity_id, capture.new)
        self.recollection.forget_placeholders()
        return found

    def _take(self, item: Capture, passed: list[Item]) -> None:
        entity, recollection = item.entity, self.recollection
        entity_id, capture = entity.entity_id, item
        self._weather = item.weather
        jumped = self._clock_watch.look() if item.jumped is None else item.jumped
        if jumped != recollection.times.jumped:
            recollection.times.see(jumped)
        if recollection.concerns(entity_id):
            joined = recollection.continued(item, self.clock())
            if joined is None:
                self._begin_after_echo(item)
                return
            capture = joined
        capture = recollection.times.redated(capture)
        if entity.rules is not NO_RULES or entity_id in self._watches:
            self._judge(capture, passed)
        elif not self._is_needless(capture):
            recollection.note(entity_id, capture.new)
            passed.append(capture)

    def _has_just_happened(self, happening: Happening) -> bool:
        window = self.settings.window
        if not window:
            return False
        now, happened = self.clock(), self._happened
        seen_at, last = happened.pop(happening.event_type, (-math.inf, happening))
        happened[happening.event_type] = now, happening
        while len(happened) > EVENTS_MAX:
            del happened[next(iter(happened))]
        # Either clock alone may be wrong: one is set, the other tells when an event was looked at.
        is_same = (
            now - seen_at <= window + LOOK_SECONDS
            and 0 <= happening.time - last.time <= window
            and _are_same(last.data, happening.data)
        )
        self.ledger.deduplicated += is_same
        return is_same

    def _is_needless(self, capture: Capture) -> bool:
        new, settings = capture.new, self.settings
        if new is None or not (settings.window or settings.skip_unavailable):
            return False
        if settings.skip_unavailable and new.state in _SAYS_NOTHING:
            self.ledger.filtered["unavailable"] += 1
            return True
        entity_id = capture.entity.entity_id
        last = self.recollection.last.get(entity_id)
        is_same = (
            last is not None
            and settings.window > 0
            and capture.kind is STATE_CHANGED
            and 0 <= self.recollection.times.age(entity_id, last, new) <= settings.window
            and last.state == new.state
            and _are_same(last.attributes, new.attributes)
        )
        self.ledger.deduplicated += is_same
        return is_same

    def _judge(self, capture: Capture, passed: list[Item]) -> None:
        """Apply the rules of an entity."""
        entity_id, new, now = capture.entity.entity_id, capture.new, self.clock()
        rules = capture.entity.rules
        watch = self._watches.get(entity_id)
        if new is None or rules is NO_RULES:
            if watch and watch.held:
                passed.append(watch.held)
                self._let_go(watch)
            if new is not None and self._is_needless(capture):
                return
            self._watches.pop(entity_id, None)
            self.recollection.note(entity_id, new)
            passed.append(capture)
            return
        if self._is_needless(capture):
            return
        last = watch.written if watch else None
        is_like_the_last = last is not None and _is_silent(last) == _is_silent(new)
        is_within = (
            last is not None
            and is_like_the_last
            and _is_within(rules.deadband, last.state, new.state)
        )
        if watch is None:
            watch = self._watches[entity_id] = _Watch(capture)
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

    def _hold(self, watch: _Watch, capture: Capture) -> None:
        watch.held = capture
        self._held += 1

    def _let_go(self, watch: _Watch) -> None:
        watch.held = None
        self._held -= 1

    def _drop_held(self, watch: _Watch) -> None:
        if watch.held:
            self._let_go(watch)
            self.ledger.filtered["throttled"] += 1

    def _write(self, watch: _Watch, capture: Capture, now: float, rules: Rules) -> None:
        watch.written, watch.written_at = capture.new, now
        watch.due = _due_of(watch, rules)
        self.recollection.note(capture.entity.entity_id, capture.new)

    def _begin_after_echo(self, echo: Capture) -> None:
        """Let the heart of an entity beat although nothing of it was written yet."""
        rules = echo.entity.rules
        if rules.heartbeat and echo.entity.entity_id in self.recollection.last:
            self._watches[echo.entity.entity_id] = watch = _Watch(echo)
            self._write(watch, echo, self.clock(), rules)

    def _begin(self, now: float, capture: Capture) -> None:
        """Let the heart of a silent entity beat, unless it does already."""
        entity_id, rules = capture.entity.entity_id, capture.entity.rules
        if rules.heartbeat and entity_id not in self._watches:
            written = self.recollection.last.get(entity_id)
            self._watches[entity_id] = watch = _Watch(capture, written, now)
            watch.due = _due_of(watch, rules)

    def _renew(self) -> None:
        """Apply the rules that were changed by a reload."""
        self._is_resumed = False
        for entity_id, watch in list(self._watches.items()):
            rules = self.contexts.get(entity_id, watch.seen.entity).rules
            if rules is NO_RULES and not watch.held:
                del self._watches[entity_id]
            else:
                watch.due = _due_of(watch, rules)

    def _beat(self, entity_id: str, now: float) -> Capture | None:
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
                weather=self._weather,
            )
        self._write(watch, capture, now, entity.rules)
        return capture


def _due_of(watch: _Watch, rules: Rules) -> float:
    """When something of an entity has to be written although nothing comes."""
    if watch.held:
        return watch.written_at + rules.throttle
    if rules.heartbeat and watch.seen.new is not None and not _is_silent(watch.seen.new):
        return watch.written_at + rules.heartbeat
    return math.inf


def _is_silent(state: StateLike) -> bool:
    return state.state in _SAYS_NOTHING


def _are_same(one: Any, other: Any) -> bool:
    """Whether two values are equal; those that cannot be compared are not."""
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001  attributes may be objects of any integration
        return False


def _is_within(deadband: float, last: str, new: str) -> bool:
    """Whether a number moved less than it has to; what is no number always moves."""
    if not deadband:
        return False
    before, now = number_of(last), number_of(new)
    return before is not None and now is not None and abs(now - before) < deadband
