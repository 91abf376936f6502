"""What is worth a point: repetitions, echoes and chatter are left out, and counted.

Judged in this order, and the first that applies decides:

    restart_echo   a state that was restored and had been written already
    unavailable    a state that says nothing, where the user wants none
    deduplicated   the same state and attributes again, within the window
    deadband       a number that moved too little since the last one written
    throttled      too soon; the newest of these is held, and written when it is time

A heartbeat writes the current state again when nothing else did.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

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
    StateLike,
    Weather,
)
from .numbers import number_of
from .recollection import Recollection

_SAYS_NOTHING: Final = frozenset({UNAVAILABLE, UNKNOWN})


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
    written_at: float = 0.0
    held: Capture | None = None
    due: float = math.inf


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
    _happened: dict[str, Happening] = field(default_factory=dict)
    _weather: Weather | None = None

    @property
    def held(self) -> int:
        """Captures that wait for their time."""
        throttled = sum(watch.held is not None for watch in self._watches.values())
        return throttled + len(self.recollection.placeholders)

    @property
    def next_due(self) -> float:
        """When there is something to do although nothing came, by the clock."""
        first = min((watch.due for watch in self._watches.values()), default=math.inf)
        return min(first, self.recollection.due)

    def sift(self, items: Iterable[Item]) -> list[Item]:
        """Return what is to be written of these, in their order."""
        passed: list[Item] = []
        recollection, watches = self.recollection, self._watches
        last = recollection.last
        is_plain = not (self.settings.window or self.settings.skip_unavailable)
        for item in items:
            if not isinstance(item, Capture):
                if isinstance(item, Row) or not self._has_just_happened(item):
                    passed.append(item)
                continue
            entity = item.entity
            entity_id = entity.entity_id
            capture = item
            self._weather = item.weather
            if recollection.concerns(entity_id):
                joined = recollection.continued(item, self.clock())
                if joined is None:
                    self._expect(item)
                    continue
                capture = joined
            if entity.rules is not NO_RULES or entity_id in watches:
                self._judge(capture, passed)
            elif is_plain or not self._is_needless(capture):
                if capture.new is None:
                    last.pop(entity_id, None)
                else:
                    last[entity_id] = capture.new
                passed.append(capture)
        return passed

    def due(self) -> list[Capture]:
        """Return what has to be written by now although nothing came."""
        now = self.clock()
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
        for capture in found:
            self.recollection.note(capture.entity.entity_id, capture.new)
        self.recollection.forget_placeholders()
        return found

    def _has_just_happened(self, happening: Happening) -> bool:
        if not self.settings.window:
            return False
        last = self._happened.get(happening.event_type)
        self._happened[happening.event_type] = happening
        is_same = (
            last is not None
            and 0 <= happening.time - last.time <= self.settings.window
            and last.data == happening.data
        )
        self.ledger.deduplicated += is_same
        return is_same

    def _is_needless(self, capture: Capture) -> bool:
        new = capture.new
        if new is None:
            return False
        if self.settings.skip_unavailable and new.state in _SAYS_NOTHING:
            self.ledger.filtered["unavailable"] += 1
            return True
        last = self.recollection.last.get(capture.entity.entity_id)
        is_same = (
            last is not None
            and capture.kind is STATE_CHANGED
            and 0
            <= new.last_updated_timestamp - last.last_updated_timestamp
            <= self.settings.window
            and last.state == new.state
            and last.attributes == new.attributes
        )
        if is_same and self.settings.window:
            self.ledger.deduplicated += 1
            return True
        return False

    def _expect(self, echo: Capture) -> None:
        """Let the heart of an entity beat although nothing of it was written yet."""
        entity_id = echo.entity.entity_id
        if echo.entity.rules.heartbeat and entity_id in self.recollection.last:
            self._watches[entity_id] = watch = _Watch(echo)
            self._write(watch, echo, self.clock())

    def _judge(self, capture: Capture, passed: list[Item]) -> None:
        """Apply the rules of an entity."""
        entity_id, new, now = capture.entity.entity_id, capture.new, self.clock()
        rules = capture.entity.rules
        watch = self._watches.get(entity_id)
        if new is None or rules is NO_RULES:
            self._watches.pop(entity_id, None)
            if watch and watch.held:
                passed.append(watch.held)
            self.recollection.note(entity_id, new)
            passed.append(capture)
            return
        if self._is_needless(capture):
            return
        if watch is None:
            watch = self._watches[entity_id] = _Watch(capture)
        watch.seen = capture
        last = watch.written
        if last is not None and (last.state in _SAYS_NOTHING) == (new.state in _SAYS_NOTHING):
            if _is_within(rules.deadband, last.state, new.state):
                self.ledger.filtered["deadband"] += 1
                self._drop_held(watch)
                return
            if now - watch.written_at < rules.throttle:
                self._drop_held(watch)
                watch.held, watch.due = capture, watch.written_at + rules.throttle
                return
            self._drop_held(watch)
        elif watch.held:
            passed.append(watch.held)
            watch.held = None
        self._write(watch, capture, now)
        passed.append(capture)

    def _drop_held(self, watch: _Watch) -> None:
        if watch.held:
            self.ledger.filtered["throttled"] += 1
            watch.held = None

    def _write(self, watch: _Watch, capture: Capture, now: float) -> None:
        watch.written, watch.written_at = capture.new, now
        rules = capture.entity.rules
        is_silent = capture.new is None or capture.new.state in _SAYS_NOTHING
        watch.due = now + rules.heartbeat if rules.heartbeat and not is_silent else math.inf
        self.recollection.note(capture.entity.entity_id, capture.new)

    def _beat(self, entity_id: str, now: float) -> Capture | None:
        """Return what is held, or the same again."""
        watch = self._watches[entity_id]
        seen = watch.seen
        entity = self.contexts.get(entity_id, seen.entity)
        if watch.held:
            capture, watch.held = watch.held, None
        elif entity.filtered or not entity.rules.heartbeat:
            del self._watches[entity_id]
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
        self._write(watch, capture, now)
        return capture


def _is_within(deadband: float, last: str, new: str) -> bool:
    """Whether a number moved less than it has to; what is no number always moves."""
    if not deadband:
        return False
    before, now = number_of(last), number_of(new)
    return before is not None and now is not None and abs(now - before) < deadband
