"""A home, a disk and a database around one real pipeline, without waiting for anything.

The world counts what it offers by itself, and knows what the database holds. Faults of the disk
persist until they are healed. A process may be killed at any operation on a file.
"""

import asyncio
import json
import os
import re
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import Any, Final

from custom_components.ha_ingestor.pipeline.model import NO_RULES, Capture, EntityContext, Rules
from custom_components.ha_ingestor.pipeline.outcome import Dialect, Failure, Outcome
from custom_components.ha_ingestor.pipeline.pipeline import Clocks, Handover, Pipeline
from custom_components.ha_ingestor.pipeline.profiles.homeiq import HomeIQ
from custom_components.ha_ingestor.pipeline.sieve import SieveSettings
from custom_components.ha_ingestor.pipeline.snapshot import Snapshot
from custom_components.ha_ingestor.pipeline.spool_settings import SpoolSettings
from custom_components.ha_ingestor.pipeline.verdict import Verdict, classify
from tests.pipeline.captures import NOON, FakeContext, FakeState
from tests.pipeline.memory_files import MemoryFiles

# No step of a pipeline needs so many operations on files, whatever the disk does.
OPERATIONS_MAX: Final = 3_000
# Nor so many requests.
REQUESTS_MAX: Final = 3_000

DAY: Final = 86_400.0
RETENTION: Final = 7 * DAY

_NUMBER: Final = re.compile(r'[ ,]state="([0-9]+)"')
_NUMBERS: Final = (
    *("received", "captured", "written", "quarantined", "evicted", "deduplicated", "replayed"),
)


class KilledError(BaseException):
    """The process ends here."""


class Inline(Executor):
    """Runs what is submitted at once."""

    def submit[**P, T](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as err:  # noqa: BLE001  as any executor
            future.set_exception(err)
        return future


@dataclass(slots=True)
class StubbornDisk(MemoryFiles):
    """Operations that are named in `broken` fail until somebody heals them.

    A name in `broken` is "operation glob". `kill_at` is after how many operations the process dies.
    """

    broken: dict[str, int] = field(default_factory=dict)
    operations: int = 0
    kill_at: int = 0
    is_dead: bool = False

    def __post_init__(self) -> None:
        self.fault = self._ask

    def _ask(self, operation: str, name: str) -> None:
        if self.is_dead:
            raise KilledError
        self.operations += 1
        assert self.operations <= OPERATIONS_MAX, "this step never ends"
        if self.kill_at and self.operations >= self.kill_at:
            self.is_dead = True
            raise KilledError
        for pattern, error in self.broken.items():
            if fnmatchcase(f"{operation} {name}", pattern):
                raise OSError(error, os.strerror(error), name)


@dataclass(slots=True)
class ModelDatabase:
    """An InfluxDB 2 in a few lines: what it holds is told by the numbers of the points."""

    answer: str = "up"
    held: set[int] = field(default_factory=set)
    poison: int = 0
    requests: int = 0
    unacknowledged: set[int] = field(default_factory=set)
    dialect: Dialect = Dialect.V2

    async def check(self) -> Verdict:
        return classify(self._reply() or Outcome(status=204, from_database=True), self.dialect)

    async def retention(self) -> float | None:
        return None

    async def write(self, body: bytes, *, gzipped: bool = False) -> Outcome:
        assert not gzipped
        self.requests += 1
        assert self.requests <= REQUESTS_MAX, "this step never ends"
        if reply := self._reply():
            return reply
        refused = expired = 0
        stored: set[int] = set()
        for line in body.decode().split("\n"):
            number = number_of(line)
            if int(line.rpartition(" ")[2]) / 1e9 < NOON - RETENTION:
                expired += 1
            elif self.poison and number % self.poison == 0:
                refused += 1
            else:
                stored.add(number)
        self.held |= stored
        self.unacknowledged |= stored
        if refused:
            return _refused(f"partial write: field type conflict dropped={refused}")
        if expired:
            return _refused(f"partial write: dropped {expired} points outside retention policy")
        if self.answer == "stores and fails":
            return Outcome(failure=Failure.TIMEOUT)
        self.unacknowledged -= stored
        return Outcome(status=204, from_database=True)

    def _reply(self) -> Outcome | None:
        return {
            "down": Outcome(failure=Failure.UNREACHABLE),
            "busy": Outcome(status=503, from_database=True),
            "locked": Outcome(status=401, from_database=True),
            "reset": Outcome(failure=Failure.RESET),
            "page": Outcome(status=200, body="<html>login</html>"),
            "gateway": Outcome(status=200, body='{"code":401,"message":"login required"}'),
        }.get(self.answer)


def _refused(message: str) -> Outcome:
    body = json.dumps({"code": "unprocessable entity", "message": message})
    return Outcome(status=422, body=body, from_database=True)


def number_of(line: str) -> int:
    """The number that a point's state tells."""
    found = _NUMBER.search(line)
    assert found, line
    return int(found[1])


PLAIN: Final = [EntityContext(entity_id=f"sensor.s{n}", domain="sensor") for n in range(5)]
RULES: Final = [
    Rules(throttle=10.0),
    Rules(deadband=3.0),
    Rules(throttle=10.0, deadband=3.0),
    NO_RULES,
]


@dataclass(slots=True, kw_only=True)
class Known:
    """What the world knows by itself of the numbers that it offered."""

    offered: set[int] = field(default_factory=set)
    # Those that a process may take with it when it is killed, or when the power is cut.
    uncommitted: set[int] = field(default_factory=set)
    uncommitted_repeats: int = 0
    unsynced: set[int] = field(default_factory=set)
    # Those that nothing may have taken, and those that somebody threw away.
    sure: set[int] = field(default_factory=set)
    purged: set[int] = field(default_factory=set)
    # How many the ledger has to have received, not counting what this process was offered.
    least: int = 0
    most: int = 0
    since: int = 0
    repeats: int = 0
    replayed: int = 0
    # How many the ledger may call lost although they are there.
    unsure: int = 0
    is_exact: bool = True


def counts_of(ledger: dict[str, Any]) -> dict[str, int]:
    """Every count of a ledger that may only rise."""
    counts = {name: int(ledger[name]) for name in _NUMBERS}
    for group in ("filtered", "lost", "evicted_for"):
        counts |= {f"{group} {reason}": count for reason, count in ledger[group].items()}
    return counts


def fallen(before: dict[str, int], after: dict[str, int]) -> dict[str, tuple[int, int]]:
    """Counts that are less than they were."""
    return {
        name: (count, after.get(name, 0))
        for name, count in before.items()
        if after.get(name, 0) < count
    }


def imbalance(ledger: dict[str, Any], pending: int) -> str:
    """The equation that does not hold, with its numbers."""
    filtered = sum(ledger["filtered"].values()) + ledger["deduplicated"]
    settled = ledger["written"] + ledger["quarantined"] + ledger["evicted"]
    settled += sum(ledger["lost"].values())
    if ledger["received"] != filtered + ledger["captured"] + ledger["waiting"]:
        return f"received: {ledger}"
    return (
        f"captured: {ledger}, pending {pending}" if ledger["captured"] - settled != pending else ""
    )


def _ruled(rules: Rules) -> EntityContext:
    return EntityContext(entity_id="sensor.t", domain="sensor", rules=rules)


class World:
    """One destination through all its processes."""

    def __init__(self, *, max_bytes: int = 1 << 30) -> None:
        self.loop = asyncio.new_event_loop()
        self.disk = StubbornDisk()
        self.monotonic, self.wall = 1000.0, NOON
        self.database = ModelDatabase()
        self.known = Known()
        self._settings: dict[str, Any] = {"max_bytes": max_bytes}
        self._filter = SieveSettings()
        self._ruled = _ruled(RULES[0])
        self._counts: dict[str, int] = {}
        self._was_broken = False
        self.pipeline = self._new()
        self.commit()

    def close(self) -> None:
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def _new(self, resume: Handover | None = None) -> Pipeline:
        settings = {"segment_bytes": 2_000, "min_free_bytes": 0, "compress": False}
        return Pipeline(
            profile=HomeIQ(dumps=json.dumps),
            files=self.disk,
            writer=self.database,
            settings=SpoolSettings(**settings | self._settings),
            on_change=lambda: None,
            gzip=False,
            resume=resume,
            sieve=self._filter,
            contexts={self._ruled.entity_id: self._ruled},
            clocks=Clocks(monotonic=lambda: self.monotonic, wall=lambda: self.wall),
            jitter=lambda: 1.0,
            executor=Inline(),
        )

    def run[T](self, step: Coroutine[Any, Any, T]) -> T:
        """Run one step, which must end whatever the disk and the database do."""
        self._was_broken |= bool(self.disk.broken)
        self.disk.operations = self.database.requests = 0
        return self.loop.run_until_complete(step)

    # The home

    def offer(self, count: int, *, of: str = "plain", is_old: bool = False) -> None:
        """Let things change; each change has a number of its own."""
        known, intake = self.known, self.pipeline.intake
        for _ in range(count):
            number = len(known.offered) + 1
            for numbers in (known.offered, known.uncommitted, known.unsynced, known.sure):
                numbers.add(number)
            known.since += 1
            intake.received += 1
            if of == "excluded":
                intake.filtered["excluded"] += 1
                continue
            entity = self._ruled if of == "ruled" else PLAIN[number % len(PLAIN)]
            time = NOON - (30 * DAY if is_old else 0) + number / 1000
            state = FakeState(
                state=str(number), last_changed_timestamp=time, last_updated_timestamp=time
            )
            context = FakeContext(id=f"{number:026d}")
            self.pipeline.offer(Capture(entity, state, None, time, context))

    def repeat(self, count: int) -> None:
        """Let one entity say again what it said last, which is no number of its own."""
        known = self.known
        number = len(known.offered) - len(known.offered) % len(PLAIN)
        if number not in known.offered:
            return
        for _ in range(count):
            known.since += 1
            known.unsure += 1
            known.repeats += 1
            known.uncommitted_repeats += 1
            self.pipeline.intake.received += 1
            time = NOON + number / 1000
            state = FakeState(
                state=str(number), last_changed_timestamp=time, last_updated_timestamp=time
            )
            context = FakeContext(id=f"{number:026d}")
            self.pipeline.offer(Capture(PLAIN[0], state, state, time, context))

    def pass_time(self, seconds: float, jump: float = 0.0) -> None:
        """Let time pass, and set the clock on the wall."""
        self.monotonic += seconds
        self.wall = max(self.wall + seconds + jump, 0.0)

    # The process

    def commit(self) -> None:
        self.run(self.pipeline.commit())
        found = self.snapshot()
        if found.is_open and not (found.waiting or found.spool_error or self.disk.broken):
            self.known.uncommitted.clear()
            self.known.uncommitted_repeats = 0
        if self.disk.is_durable:
            self.known.unsynced.clear()

    def deliver(self, attempts: int = 3) -> None:
        """Let the exporter go on until it has to wait, a few times."""
        for _ in range(attempts):
            if self.run(self._drain()) is None:
                break

    async def _drain(self) -> float | None:
        try:
            return await self.pipeline._exporter.drain()
        except OSError:
            return 1.0

    def replay(self) -> None:
        with suppress(OSError):
            self.run(self.pipeline.replay_quarantine())

    def purge(self) -> None:
        with suppress(OSError):
            found = self._quarantined()
            # What stays of a purge that fails is found again in the end.
            self.known.purged |= found
            self.run(self.pipeline.purge_quarantine())

    def reload(
        self, *, rules: Rules | None = None, window: float | None = None, **settings: Any
    ) -> None:
        """Stop, and go on in the same process with other options."""
        self._settings |= settings
        if rules is not None:
            self._ruled = _ruled(rules)
        if window is not None:
            self._filter = SieveSettings(window=window)
        handover = self.run(self._stop(hand_over=True))
        self.pipeline = self._new(handover)
        self.commit()

    def restart(self) -> None:
        """Stop in order, and begin a new process."""
        self.run(self._stop(hand_over=False))
        if self._was_broken:
            self._counts = {}
        else:
            self.known.uncommitted.clear()
            self.known.uncommitted_repeats = 0
        self._forget_process(power=False)
        self._was_broken = bool(self.disk.broken)
        self.pipeline = self._new()
        self.commit()

    async def _stop(self, *, hand_over: bool) -> Handover:
        # Its tasks are steps of the world, and end where they began.
        self.pipeline.start()
        return await self.pipeline.stop(hand_over=hand_over)

    def kill(self, step: Callable[[], None] | None = None, at: int = 1, *, offers: int = 0) -> None:
        """End the process with -9, if there is a step then at an operation on a file of it."""
        self.disk.kill_at = at
        with suppress(KilledError):
            if step:
                step()
        self.disk.kill_at, self.disk.is_dead = 0, False
        self.disk.kill()
        self._forget_process(power=False)
        self._begin(offers)

    def cut_power(self, seed: int) -> None:
        """End everything; the disk keeps what was synced, and some of the rest."""
        self.disk.cut_power(Random(seed))
        self._forget_process(power=True)
        self._begin()

    def _forget_process(self, *, power: bool) -> None:
        """Note what may have gone with the memory of the process, and with the disk's."""
        known = self.known
        known.unsure += self.snapshot().waiting
        gone = known.uncommitted | (known.unsynced if power else set())
        known.sure -= gone
        if power or self._was_broken:
            # Its last counts may be gone as well, also those of what was received a second time.
            known.least, known.is_exact = 0, False
            known.replayed += self.snapshot().ledger["replayed"]
            # And what was settled may be back.
            known.most = len(known.offered) + known.repeats + known.replayed
        else:
            known.least += known.since - len(known.uncommitted) - known.uncommitted_repeats
            known.most += known.since
        known.since = 0
        known.uncommitted = set()
        known.uncommitted_repeats = 0

    def _begin(self, offers: int = 0) -> None:
        self._counts = {}
        self._was_broken = bool(self.disk.broken)
        self.pipeline = self._new()
        if offers:
            # They wait for the first commit, which opens the spool.
            self.offer(offers)
        else:
            self.commit()

    # What must be true

    def snapshot(self) -> Snapshot:
        return self.pipeline._snapshot()

    def assert_sound(self) -> None:
        """Nothing is negative, nothing falls, and the equations hold with the world's own count."""
        found, known = self.snapshot(), self.known
        ledger = found.ledger
        counts = counts_of(ledger) | {"acked": self.pipeline._spool.acked}
        assert min((*counts.values(), found.pending, found.waiting)) >= 0, counts
        if not found.is_open:
            return
        assert fallen(self._counts, counts) == {}
        self._counts = counts
        assert imbalance(ledger, found.pending) == ""
        assert found.unbalanced == ""
        before = ledger["received"] - ledger["replayed"] - known.since
        before += self.pipeline.intake.received
        assert known.least <= before <= known.most, (known.least, before, known.most)
        known.least = known.most = before

    def finish(self) -> None:
        """Heal everything, let all be delivered, and compare point by point."""
        self.disk.broken.clear()
        self.database.answer = "up"
        for _ in range(60):
            self.pass_time(61)
            # A person would say so, after so many refusals in a row.
            self.pipeline.quarantine_all()
            self.commit()
            self.deliver()
            self.assert_sound()
            found = self.snapshot()
            if found.is_open and not (found.pending or found.waiting or found.spool_error):
                break
        else:
            raise AssertionError(f"never done: {found}")
        known, ledger = self.known, found.ledger
        there = self.database.held | self._quarantined() | known.purged
        assert there <= known.offered
        missing = known.offered - there
        lost = sum(ledger["lost"].values()) + ledger["evicted"]
        named = sum(ledger["filtered"].values()) + ledger["deduplicated"] + lost
        assert len(missing & known.sure) <= named, sorted(missing & known.sure)[:20]
        if known.is_exact:
            unsure = known.unsure + len(self.database.unacknowledged)
            assert named <= len(missing) + unsure, (ledger, len(missing))

    def _quarantined(self) -> set[int]:
        records = self.run(self.pipeline.quarantined())
        return {number_of(record["line"]) for record in records}
