"""What is worth a point: repetitions, echoes and chatter are left out, and counted.

Judged in this order, and the first that applies decides:

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
from ..ledger import Ledger
from ..model import (
    NO_RULES,
    SAYS_NOTHING,
    STATE_CHANGED,
    Capture,
    EntityContext,
    Happening,
    Item,
    Row,
    Weather,
)
from ..spool.files import Files
from .last_written import Memory, Recollection
from .rules import RuleFilter, RulesMemory

_LOGGER = logging.getLogger(__name__)

# How long an event waits at most until it is looked at, as long as the disk does not stall.
LOOK_SECONDS: Final = 2.0
# Types of events whose last one is kept; a user chooses a handful.
EVENTS_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SieveSettings:
    """`window`: seconds in which the same is said once; zero for never."""

    window: float = 0.0
    skip_unavailable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SieveMemory:
    """What the next sieve of this process has to know."""

    rules: RulesMemory
    happened: dict[str, tuple[float, Happening]]
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
    _happened: dict[str, tuple[float, Happening]] = field(default_factory=dict)
    _weather: Weather | None = None
    _clock_watch: ClockWatch = field(init=False)
    _rules: RuleFilter = field(init=False)

    def __post_init__(self) -> None:
        """Watch the clock, for captures that do not say whether it was set."""
        self._clock_watch = ClockWatch(monotonic=self.clock, wall=self.wall_clock)
        self._rules = RuleFilter(
            ledger=self.ledger,
            recollection=self.recollection,
            clock=self.clock,
            wall_clock=self.wall_clock,
            contexts=self.contexts,
        )

    @property
    def held(self) -> int:
        """Captures that wait for their time."""
        return self._rules.held + len(self.recollection.placeholders)

    @property
    def next_due(self) -> float:
        """When there is something to do although nothing came, by the clock."""
        return min(self._rules.next_due, self.recollection.due)

    def hand_over(self) -> SieveMemory:
        """Give everything that is held and known to the next sieve of this process."""
        memory = SieveMemory(
            rules=self._rules.hand_over(),
            happened=self._happened,
            weather=self._weather,
            clock_watch=self._clock_watch,
            recollection=self.recollection.hand_over(),
        )
        self._happened = {}
        return memory

    def resume(self, memory: SieveMemory) -> None:
        """Go on with what another sieve knew; the rules of this one apply from the first `due`."""
        self._rules.resume(memory.rules)
        self._happened, self._weather = memory.happened, memory.weather
        self._clock_watch.resume(memory.clock_watch)
        self.recollection.resume(memory.recollection)

    def expect(self, captures: Iterable[Capture]) -> None:
        """Begin heartbeats of entities that stay silent: these are their states. Any thread."""
        self._rules.expect(capture for capture in captures if unmasked(capture))

    def load(self, files: Files, found_seq: int) -> None:
        """Recall what an earlier process wrote, if `found_seq` is the last point it wrote."""
        self.recollection.load(files, found_seq)

    def save(self, files: Files, last_seq: int) -> None:
        """Store what was written up to `last_seq`; raises OSError."""
        self.recollection.save(files, last_seq)

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
        return [*self.recollection.overdue(now), *self._rules.due(now, self._weather)]

    def release(self) -> list[Capture]:
        """Give out what is held, because this is the end."""
        found = self._rules.release()
        self.recollection.forget_placeholders()
        return found

    def _take(self, item: Capture, passed: list[Item]) -> None:
        entity, recollection = item.entity, self.recollection
        entity_id = entity.entity_id
        self._weather = item.weather
        jumped = self._clock_watch.look() if item.jumped is None else item.jumped
        if jumped != recollection.times.jumped:
            recollection.times.see(jumped)
        capture = unmasked(item)
        if capture is None:
            self._rules.end(entity_id, passed)
            recollection.forget(entity_id)
            self.ledger.filtered[MASKED] += 1
            return
        if recollection.concerns(entity_id):
            joined = recollection.continued(capture, self.clock())
            if joined is None:
                self._rules.begin_after_echo(capture)
                return
            capture = joined
        capture = recollection.times.redated(capture)
        if self._is_needless(capture):
            return
        if entity.rules is not NO_RULES or self._rules.concerns(entity_id):
            self._rules.judge(capture, passed)
        else:
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
        if settings.skip_unavailable and new.state in SAYS_NOTHING:
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


def _are_same(one: Any, other: Any) -> bool:
    """Whether two values are equal; those that cannot be compared are not."""
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001  attributes may be objects of any integration
        return False
