"""One machine over the whole pipeline: whatever happens, nothing is lost and the counts are exact.

The steps are in `steps`, and the model is in `world`: it counts what it offers on its own, and
knows what the database holds. `scripts/soak` takes the same steps with real processes.
"""

import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from .host import small_memory
from .memory_driver import MemoryDriver
from .steps import CHOICES, Begin, Step
from .world import World

# Twenty thousand steps take as long as the machine needs.
pytestmark = pytest.mark.timeout(3600)


def drawn(kind: type[Step]) -> st.SearchStrategy[Step]:
    """Any step of that kind."""
    choices = CHOICES[kind].items()
    return st.builds(kind, **{name: st.sampled_from(some) for name, some in choices})


class PipelineMachine(RuleBasedStateMachine):
    """Every step ends, and leaves the counts exact; in the end every point is accounted for."""

    @initialize(step=drawn(Begin))
    def begin(self, step: Begin) -> None:
        driver = MemoryDriver()
        driver.database.bad_lines = 17
        self.world = World(driver, step)

    @invariant()
    def is_sound(self) -> None:
        if hasattr(self, "world"):
            self.world.assert_sound()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                self.world.finish()
            finally:
                self.world.driver.close()


def _rule_of(kind: type[Step]) -> Callable[[PipelineMachine, Step], None]:
    def take(machine: PipelineMachine, step: Step) -> None:
        machine.world.do(step)

    take.__name__ = kind.__name__
    return rule(step=drawn(kind))(take)


for _kind in CHOICES:
    if _kind is not Begin:
        setattr(PipelineMachine, _kind.__name__, _rule_of(_kind))


@pytest.fixture(autouse=True)
def _small_memory() -> Iterator[None]:
    with small_memory():
        yield


# Twenty thousand steps; more of them by HA_INGESTOR_EXAMPLES, others by --hypothesis-seed.
EXAMPLES = int(os.environ.get("HA_INGESTOR_EXAMPLES", "400"))

PipelineMachine.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=50, deadline=None
)
TestPipelineAgainstItsModel = PipelineMachine.TestCase
