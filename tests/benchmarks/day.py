"""What a day of a busy home comes to, and what the rules against noise leave of it."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, Final

from homeassistant.helpers.json import json_dumps

from custom_components.ha_ingestor.enrich.selection import rules_for
from custom_components.ha_ingestor.options.noise import deduplication_window, rule_table
from custom_components.ha_ingestor.pipeline.encode.encoder import Encoder
from custom_components.ha_ingestor.pipeline.encode.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.files import OsFiles
from custom_components.ha_ingestor.pipeline.filter.filters import NoiseFilter, NoiseFilterSettings
from custom_components.ha_ingestor.pipeline.filter.last_written import LastWritten
from custom_components.ha_ingestor.pipeline.ledger import Ledger
from custom_components.ha_ingestor.pipeline.model import EntityContext, Item, StateEvent

from .busy_home import Thing, events, things
from .table import Row

_SEED: Final = 5
_TICK: Final = 5.0

# What one page of options can do about the top entities, as the README suggests.
SUGGESTED: Final = {
    "noise": {
        "window": 60,
        "rules": [
            {
                "name": "meters",
                "device_classes": ["power", "voltage", "current", "data_rate"],
                "throttle": 30,
                "deadband": 0.5,
                "heartbeat": 15,
            },
            {"name": "radio", "device_classes": ["signal_strength"], "throttle": 900},
        ],
    }
}


def _profile() -> HomeIQ:
    return HomeIQ(dumps=json_dumps, location="Home")


@dataclass(slots=True, kw_only=True)
class Way:
    """One way from events to lines, and what comes out of it."""

    options: Mapping[str, Any]
    files: OsFiles | None
    now: float = 0.0
    ledger: Ledger = field(default_factory=Ledger)
    received: int = 0
    points: int = 0
    bytes: int = 0
    filter_us: float = 0.0
    _noise_filter: NoiseFilter | None = None
    _contexts: dict[str, EntityContext] = field(default_factory=dict)
    _encoder: Encoder = field(default_factory=lambda: Encoder(profile=_profile()))

    def begin(self) -> None:
        """Start as the pipeline does, with what the last start remembers."""
        if self.files is None:
            return
        last_written = LastWritten(ledger=self.ledger, dumps=json_dumps)
        if self._noise_filter:
            self._write(self._noise_filter.release())
            self._noise_filter.last_written.save(self.files, 1)
            last_written.load(self.files, 1)
        self._noise_filter = NoiseFilter(
            ledger=self.ledger,
            settings=NoiseFilterSettings(window=deduplication_window(self.options)),
            last_written=last_written,
            clock=lambda: self.now,
            wall_clock=lambda: self.now,
            contexts=self._contexts,
        )

    def know(self, home: Iterable[Thing]) -> None:
        """Describe the entities with the rules of this way."""
        table = rule_table(self.options)
        self._contexts = {
            thing.entity.entity_id: replace(
                thing.entity, rules=rules_for(thing.traits, table), memo={}
            )
            for thing in home
        }

    def take(self, state_events: list[StateEvent]) -> None:
        """Let through what is worth a point, and write it."""
        if state_events:
            self.now = state_events[-1].time
        self.received += len(state_events)
        mine = [
            each._replace(entity=self._contexts[each.entity.entity_id]) for each in state_events
        ]
        began = time.thread_time_ns()
        passed: Iterable[Item] = mine
        if self._noise_filter:
            passed = [*self._noise_filter.filter(mine), *self._noise_filter.due()]
        self.filter_us += (time.thread_time_ns() - began) / 1000
        self._write(passed)

    def rows(self, what: str, per_day: float) -> Iterable[Row]:
        """Tell what a day comes to, and what was left out of it for which reason."""
        size = f"{self.bytes * per_day / 1e6:,.0f} MB"
        yield Row(what=what, measured=f"{self.points * per_day:,.0f} points, {size}")
        left_out = {**self.ledger.filtered, "deduplicated": self.ledger.deduplicated}
        for reason, count in left_out.items():
            if count:
                yield Row(what=f"    {reason}", measured=f"{count * per_day:,.0f}")
        if self._noise_filter:
            cost = self.filter_us / max(self.received, 1)
            yield Row(what="    cost of looking, per change", measured=f"{cost:.2f} µs")

    def _write(self, passed: Iterable[Item]) -> None:
        lines = self._encoder.encode(passed).lines
        self.points += len(lines)
        self.bytes += sum(len(line.encode()) + 1 for line in lines)


def _files(directory: Path) -> OsFiles:
    directory.mkdir(parents=True)
    return OsFiles(directory)


def measure(directory: Path, hours: float) -> list[Row]:
    """Simulate a day three times at once: as it comes, with the defaults, with rules."""
    home = things()
    files = [_files(directory / name) for name in ("defaults", "rules")]
    ways = {
        "every change of a state": Way(options={}, files=None),
        "with the defaults": Way(options={}, files=files[0]),
        "with two rules and a window of a minute, as in the README": Way(
            options=SUGGESTED, files=files[1]
        ),
    }
    for way in ways.values():
        way.know(home)
        way.begin()
    waiting: list[StateEvent] = []
    tick = 0.0
    for state_event in events(home, Random(_SEED), hours):
        if state_event is None or state_event.time > tick:
            for way in ways.values():
                way.take(waiting)
                if state_event is None:
                    way.begin()
            waiting.clear()
        if state_event is not None:
            waiting.append(state_event)
            if state_event.time > tick:
                tick = state_event.time + _TICK
    for way in ways.values():
        way.take(waiting)
    return [row for what, way in ways.items() for row in way.rows(what, 24 / hours)]
