"""One machine over the whole pipeline: whatever happens, nothing is lost and the counts are exact.

The model is in `world`: it counts what it offers on its own, and knows what the database holds.
"""

import errno
import os
from collections.abc import Callable, Iterator
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from custom_components.ha_ingestor.pipeline import buffer, intake
from custom_components.ha_ingestor.pipeline.model import Rules

from .world import RULES, World

ANSWERS = ["up", "down", "busy", "locked", "reset", "page", "gateway", "stores and fails"]
OPERATIONS = [
    *("names", "read", "create", "open", "open_to_sync", "write", "truncate", "sync"),
    *("sync_directory", "close", "remove", "lock", "free_bytes"),
]
FILES = ["*", "*.seg", "cursor", "quarantine*", "recollection*", "*1-000000.seg"]
ERRORS = [errno.EIO, errno.ENOSPC, errno.EROFS, errno.EACCES]
DAY = 86_400.0
JUMPS = [3600.0, -3600.0, 21 * DAY, -21 * DAY, -1e10]


class PipelineMachine(RuleBasedStateMachine):
    """Every step ends, and leaves the counts exact; in the end every point is accounted for."""

    @initialize(max_bytes=st.sampled_from([1 << 30, 20_000]))
    def begin(self, max_bytes: int) -> None:
        self.world = World(max_bytes=max_bytes)
        self.world.database.poison = 17

    @rule(
        count=st.integers(1, 40),
        of=st.sampled_from(["plain", "plain", "excluded", "ruled"]),
        is_old=st.sampled_from([False, False, False, True]),
    )
    def offer(self, count: int, of: str, is_old: bool) -> None:  # noqa: FBT001  drawn
        self.world.offer(count, of=of, is_old=is_old)

    @rule(count=st.integers(1, 5))
    def repeat(self, count: int) -> None:
        self.world.repeat(count)

    @rule()
    def commit(self) -> None:
        self.world.commit()

    @rule()
    def deliver(self) -> None:
        self.world.deliver()

    @rule(seconds=st.sampled_from([0.25, 6.0, 61.0, 301.0]))
    def pass_time(self, seconds: float) -> None:
        self.world.pass_time(seconds)
        self.world.commit()

    @rule(jump=st.sampled_from(JUMPS))
    def set_the_clock(self, jump: float) -> None:
        self.world.pass_time(1, jump)

    @rule(answer=st.sampled_from(ANSWERS))
    def database_answers(self, answer: str) -> None:
        self.world.database.answer = answer

    @rule(
        operation=st.sampled_from(OPERATIONS),
        name=st.sampled_from(FILES),
        error=st.sampled_from(ERRORS),
    )
    def break_the_disk(self, operation: str, name: str, error: int) -> None:
        self.world.disk.broken[f"{operation} {name}"] = error

    @rule()
    def heal_the_disk(self) -> None:
        self.world.disk.broken.clear()

    @rule(
        max_age=st.sampled_from([3600.0, 7 * DAY]),
        max_bytes=st.sampled_from([8_000, 1 << 30]),
        rules=st.sampled_from(RULES),
        window=st.sampled_from([0.0, 60.0]),
    )
    def reload(self, max_age: float, max_bytes: int, rules: Rules, window: float) -> None:
        self.world.reload(max_age=max_age, max_bytes=max_bytes, rules=rules, window=window)

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @rule()
    def replay(self) -> None:
        self.world.replay()

    @rule()
    def purge(self) -> None:
        self.world.purge()

    @rule(
        step=st.sampled_from(["", "commit", "deliver", "replay", "purge"]),
        at=st.integers(1, 25),
        offers=st.sampled_from([0, 0, 7]),
    )
    def kill(self, step: str, at: int, offers: int) -> None:
        steps: dict[str, Callable[[], None] | None] = {
            "": None,
            "commit": self.world.commit,
            "deliver": self.world.deliver,
            "replay": self.world.replay,
            "purge": self.world.purge,
        }
        self.world.kill(steps[step], at, offers=offers)

    @rule(seed=st.integers(0, 2**32))
    def cut_power(self, seed: int) -> None:
        self.world.cut_power(seed)

    @invariant()
    def is_sound(self) -> None:
        if hasattr(self, "world"):
            self.world.assert_sound()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                self.world.finish()
            finally:
                self.world.close()


@pytest.fixture(autouse=True)
def _small_memory() -> Iterator[None]:
    """Let memory run over within a test."""
    with (
        patch.object(buffer, "HELD_POINTS", 60),
        patch.object(intake, "INTAKE_POINTS", 80),
        patch.object(intake, "UNWEIGHED_POINTS", 20),
    ):
        yield


# Twenty thousand steps; more of them by HA_INGESTOR_EXAMPLES, others by --hypothesis-seed.
EXAMPLES = int(os.environ.get("HA_INGESTOR_EXAMPLES", "400"))

PipelineMachine.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=50, deadline=None
)
TestPipelineAgainstItsModel = PipelineMachine.TestCase
