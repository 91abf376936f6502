"""What the tests of the filter share: a noise filter, a clock and an entity."""

import json
from typing import Any

from custom_components.ha_ingestor.pipeline.filter.filters import NoiseFilter, NoiseFilterSettings
from custom_components.ha_ingestor.pipeline.filter.last_written import LastWritten
from custom_components.ha_ingestor.pipeline.ledger import Ledger
from custom_components.ha_ingestor.pipeline.model import EntityContext, Rules, StateEvent
from tests.pipeline.memory_files import MemoryFiles
from tests.pipeline.state_events import NOON, FakeContext, FakeState, entity


class Rig:
    """A noise filter, a clock, and the entity under test."""

    def __init__(
        self, rules: Rules | None = None, ledger: Ledger | None = None, **settings: Any
    ) -> None:
        self.now = 100.0
        self.set_by = 0.0
        self.ledger = ledger or Ledger()
        self.last_written = LastWritten(ledger=self.ledger, dumps=json.dumps)
        self.contexts: dict[str, EntityContext] = {}
        self.noise_filter = NoiseFilter(
            ledger=self.ledger,
            settings=NoiseFilterSettings(**settings),
            last_written=self.last_written,
            clock=lambda: self.now,
            wall_clock=self.wall,
            contexts=self.contexts,
        )
        self.entity = entity(rules=rules) if rules else entity()
        self.before: FakeState | None = None

    def wall(self) -> float:
        """Return what the clock on the wall says, which somebody may have set."""
        return NOON + self.now + self.set_by

    def state_event(
        self,
        state: str | None,
        *,
        after: float = 0,
        changed: float | None = None,
        **attributes: Any,
    ) -> StateEvent:
        """Change the state `after` so many seconds."""
        self.now += after
        wall = self.wall()
        new = None
        if state is not None:
            same = self.before and self.before.state == state
            since = changed or (
                self.before.last_changed_timestamp if self.before and same else wall
            )
            new = FakeState(
                state=state,
                attributes=attributes,
                last_changed_timestamp=since,
                last_updated_timestamp=wall,
            )
        state_event = StateEvent(self.entity, new, self.before, wall, FakeContext())
        self.before = new
        return state_event

    def see(self, state: str | None, **how: Any) -> list[str | None]:
        """Return the states that pass when this one comes."""
        return states(self.noise_filter.filter([self.state_event(state, **how)]))

    def due(self, *, after: float) -> list[str | None]:
        """Return the states that come by themselves after a while."""
        self.now += after
        return states(self.noise_filter.due())

    def reloaded(self, rules: Rules | None = None, **settings: Any) -> Rig:
        """Let another noise filter of the same process go on, with other rules."""
        rig = Rig(rules, self.ledger, **settings)
        rig.now, rig.set_by, rig.before = self.now, self.set_by, self.before
        rig.contexts["sensor.kitchen"] = rig.entity
        rig.noise_filter.resume(self.noise_filter.hand_over())
        # What is handed over is not here any more.
        assert self.noise_filter.held == 0
        assert self.noise_filter.release() == []
        return rig

    def restarted(self, *, seq: int = 7, found: int = 7) -> Rig:
        """Stop with everything settled, and begin again as a new process."""
        files = MemoryFiles()
        self.noise_filter.release()
        self.last_written.save(files, seq)
        rig = Rig(self.entity.rules)
        rig.now = self.now
        rig.noise_filter.settings = self.noise_filter.settings
        rig.last_written.load(files, found)
        return rig


def states(state_events: list[Any]) -> list[str | None]:
    return [state_event.new.state if state_event.new else None for state_event in state_events]


def durations(state_events: list[Any]) -> list[float]:
    return [
        max(state_event.new.last_changed_timestamp - state_event.old.last_changed_timestamp, 0)
        for state_event in state_events
    ]
