"""Disk, database and process in the memory of a test, without waiting for anything.

Faults of the disk persist until they are healed. A process may be killed at any operation on a
file, and the power cut.
"""

import asyncio
import errno
import json
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from custom_components.ha_ingestor.clients.exchange import Failure
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.outcome import Outcome
from custom_components.ha_ingestor.clients.influx.verdict import classify
from custom_components.ha_ingestor.pipeline.clock import Clocks
from custom_components.ha_ingestor.pipeline.export.result import Result
from tests.pipeline.memory_files import MemoryFiles
from tests.pipeline.state_events import NOON

from .driver import Deliveries, KilledError
from .faulty_files import raise_if_broken
from .host import Host, Place, numbers_in
from .steps import ANSWERS, DAY, Answers

# No step of a pipeline needs so many operations on files, whatever the disk does.
OPERATIONS_MAX: Final = 3_000
# Nor so many requests.
REQUESTS_MAX: Final = 3_000

RETENTION: Final = 7 * DAY


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

    `kill_at` is after how many operations the process dies.
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
        raise_if_broken(self.broken, operation, name)
        if self.capacity is not None and operation == "create" and self.used >= self.capacity:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)


@dataclass(slots=True)
class ModelDatabase:
    """An InfluxDB 2 in a few lines: what it holds is told by the numbers of the points."""

    answer: Answers = "up"
    held: set[int] = field(default_factory=set)
    bad_lines: int = 0
    requests: int = 0
    deliveries: Deliveries = field(default_factory=Deliveries)
    dialect: Dialect = Dialect.V2
    _rng: Random = field(default_factory=lambda: Random(1))

    async def check(self) -> Result:
        reply = _reply(self._answer()) or Outcome(status=204, from_database=True)
        return classify(reply, self.dialect)

    async def retention(self) -> float | None:
        return None

    async def write(self, body: bytes, *, gzipped: bool = False) -> Result:
        assert not gzipped
        return classify(self._write(body), self.dialect)

    def _write(self, body: bytes) -> Outcome:
        self.requests += 1
        assert self.requests <= REQUESTS_MAX, "this step never ends"
        answer = self._answer()
        if reply := _reply(answer):
            return reply
        refused = expired = 0
        stored: set[int] = set()
        for line in body.decode().split("\n"):
            (number,) = numbers_in(line)
            if int(line.rpartition(" ")[2]) / 1e9 < NOON - RETENTION:
                expired += 1
            elif self.bad_lines and number % self.bad_lines == 0:
                refused += 1
            else:
                stored.add(number)
        self.held |= stored
        process = self.deliveries.sent(stored)
        if refused:
            return _refused(f"partial write: field type conflict dropped={refused}")
        if expired:
            return _refused(f"partial write: dropped {expired} points outside retention policy")
        if answer == "stores and fails":
            return Outcome(failure=Failure.TIMEOUT)
        self.deliveries.acknowledged(stored, process)
        return Outcome(status=204, from_database=True)

    def _answer(self) -> Answers:
        return self._rng.choice(ANSWERS) if self.answer == "rough" else self.answer


def _reply(answer: Answers) -> Outcome | None:
    return {
        "down": Outcome(failure=Failure.UNREACHABLE),
        "busy": Outcome(status=503, from_database=True),
        "locked": Outcome(status=401, from_database=True),
        "reset": Outcome(failure=Failure.RESET),
        "page": Outcome(status=200, body="<html>login</html>"),
        "gateway": Outcome(status=200, body='{"code":401,"message":"login required"}'),
    }.get(answer)


def _refused(message: str) -> Outcome:
    body = json.dumps({"code": "unprocessable entity", "message": message})
    return Outcome(status=422, body=body, from_database=True)


class MemoryDriver:
    """Implements `Driver`."""

    def __init__(self) -> None:
        self.disk = StubbornDisk()
        self.database = ModelDatabase()
        self.database.deliveries.is_disk_broken = lambda: self.is_broken
        self._loop = asyncio.new_event_loop()
        self._monotonic, self._wall = 1000.0, NOON
        self._place = Place(
            files=self.disk,
            writer=self.database,
            clocks=Clocks(monotonic=lambda: self._monotonic, wall=lambda: self._wall),
            noon=NOON,
            executor=Inline(),
        )

    @property
    def deliveries(self) -> Deliveries:
        return self.database.deliveries

    @property
    def is_broken(self) -> bool:
        return bool(self.disk.broken) or self.disk.capacity is not None

    @property
    def is_durable(self) -> bool:
        return self.disk.is_durable

    def begin(self, options: dict[str, Any]) -> None:
        self._host = Host(self._place, options)

    def ask(self, what: str, **how: Any) -> Any:
        """Do it, which must end whatever the disk and the database do."""
        self.disk.operations = self.database.requests = 0
        return self._loop.run_until_complete(self._host.ask(what, **how))

    def arm(self, at: int) -> None:
        self.disk.kill_at = at

    def kill(self) -> None:
        self.disk.kill_at, self.disk.is_dead = 0, False
        self.disk.kill()

    def cut_power(self, seed: int) -> None:
        self.disk.cut_power(Random(seed))

    def break_files(self, pattern: str, error: int) -> None:
        self.disk.broken[pattern] = error

    def fill_disk(self) -> None:
        self.disk.capacity = self.disk.used

    def heal_disk(self) -> None:
        self.disk.broken.clear()
        self.disk.capacity = None

    def answer(self, answers: Answers) -> None:
        self.database.answer = answers

    def pass_time(self, seconds: float, jump: float) -> None:
        self._monotonic += seconds
        self._wall = max(self._wall + seconds + jump, 0.0)

    def held(self) -> Counter[int]:
        return Counter(self.database.held)

    def close(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
