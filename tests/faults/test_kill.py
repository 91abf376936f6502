"""T1: a process that is killed at any moment, in front of a server that breaks, loses nothing.

`HA_INGESTOR_KILLS` is the number of kills, `HA_INGESTOR_SEED` repeats a run.
"""

import asyncio
import os
import random
import time
from collections import Counter
from math import inf
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from custom_components.ha_ingestor.pipeline.files import OsFiles
from custom_components.ha_ingestor.pipeline.slices import complete
from custom_components.ha_ingestor.pipeline.spool.quarantine.quarantine import Quarantine
from tests.emulator import Emulator

from .driver import KilledError
from .host import REFUSED, numbers_in
from .process_host import Order
from .processes import Spawned, begin, spawn
from .proxy import Proxy, Trouble, any_trouble

pytestmark = [pytest.mark.usefixtures("socket_enabled"), pytest.mark.timeout(3600)]

KILLS = int(os.environ.get("HA_INGESTOR_KILLS", "25"))
# Unless somebody asked for so many, a busy machine kills less often.
SECONDS = inf if "HA_INGESTOR_KILLS" in os.environ else 20.0
SEED = int(os.environ.get("HA_INGESTOR_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
# A commit every quarter of a second, and as much again several times for a machine that is busy.
COMMIT_AND_SLACK = 1.0
# Every so many points one is dated before what the database keeps.
EXPIRED_EVERY = 97
# By the real clock, as the processes go by it too.
NOW = int(time.time())
# More than a process offers in its time.
NUMBERS_EACH = 10_000


def order_for(directory: Path, url: str) -> Order:
    return Order(directory=str(directory), url=url, noon=NOW, bad_lines=EXPIRED_EVERY)


def is_expired(number: int) -> bool:
    return number % EXPIRED_EVERY == 0


def database() -> Emulator:
    """It refuses the points that are dated so."""
    return Emulator(retention=int(REFUSED) - 86_400, now=NOW)


def stored_numbers(server: Emulator) -> Counter[int]:
    """How many points there are of each number: more than one were the same change stored twice."""
    return Counter(int(str(fields["state"])) for fields in server.points.values())


def quarantined_numbers(directory: Path) -> list[int]:
    """Numbers in the quarantine; a record that was repeated after a kill counts once."""
    records = {
        record["seq"]: record for record in complete(Quarantine(OsFiles(directory)).records())
    }
    return [number for record in records.values() for number in numbers_in(record["line"])]


def generate_until_killed(
    host: Spawned, first: int, rng: random.Random, *, commits: bool = True
) -> list[tuple[int, float]]:
    """Let a process take numbers; return up to which it said that it has them, and when."""
    told: list[tuple[int, float]] = []
    number = first
    try:
        while True:
            count = rng.randrange(1, 30)
            host.ask("offer", first=number, count=count, of="plain", is_old=False)
            number += count
            if not commits or host.ask("commit"):
                told.append((number - 1, time.monotonic()))
            time.sleep(rng.uniform(0, 0.06 if commits else 0.6))
    except KilledError:
        return told


def drain(order: Order) -> dict[str, Any]:
    """Let a last process deliver everything, and return the ledger."""
    with begin(order) as host:
        while True:
            host.ask("commit")
            host.ask("deliver")
            found = host.state()
            if found.is_open and not (found.pending or found.waiting):
                break
        host.ask("stop")
        return host.state().ledger


async def test_points_reported_as_committed_outlive_any_kill(tmp_path: Path) -> None:
    print(f"HA_INGESTOR_SEED={SEED}")  # noqa: T201  to repeat a failure
    rng = random.Random(SEED)
    chance = 0.0

    def trouble() -> Trouble | None:
        return any_trouble(rng) if rng.random() < chance else None

    def run(order: Order, spawned: Spawned, first: int, seconds: float) -> list[tuple[int, float]]:
        with begin(order, spawned) as host:
            Timer(seconds, host.process.kill).start()
            return generate_until_killed(host, first, random.Random(first))

    committed: set[int] = set()
    async with database() as server, Proxy(upstream=server.url, trouble=trouble) as proxy:
        order = order_for(tmp_path, proxy.url)
        end = time.monotonic() + SECONDS
        following = spawn()
        runs = 0
        while runs < KILLS and time.monotonic() < end:
            spawned, following = following, spawn()
            first = runs * NUMBERS_EACH + 1
            # By turns the spool is emptied before a process ends, and not.
            chance = rng.choice((0.0, 0.1, 0.7))
            # Every fifth dies while it recovers.
            seconds = rng.uniform(0, 0.05 if runs % 5 == 4 else 0.9)
            for last, _ in await asyncio.to_thread(run, order, spawned, first, seconds):
                committed.update(range(first, last + 1))
            runs += 1
        following.kill()
        proxy.trouble = lambda: None
        ledger = await asyncio.to_thread(drain, order)

    stored, quarantined = stored_numbers(server), quarantined_numbers(tmp_path)
    told = f"{len(committed)} committed, {len(stored)} stored, {len(quarantined)} quarantined"
    print(f"{runs} kills, {proxy.requests} requests: {told}")  # noqa: T201
    assert_exact(committed, stored, quarantined, ledger)
    assert len(committed) > runs


def assert_exact(
    committed: set[int], stored: Counter[int], quarantined: list[int], ledger: dict[str, Any]
) -> None:
    """Everything committed is in one place and nothing is in two; the ledger says the same."""
    assert committed - stored.keys() - set(quarantined) == set()
    assert stored.keys() & set(quarantined) == set()
    assert [number for number, count in stored.items() if count > 1] == []
    assert len(quarantined) == len(set(quarantined))
    assert {number for number in quarantined if not is_expired(number)} == set()
    assert {number for number in stored if is_expired(number)} == set()
    assert ledger["written"] == len(stored)
    assert ledger["quarantined"] == len(quarantined)
    # Between the count of points and the points themselves, a kill loses what was not committed.
    lost = sum(ledger["lost"].values())
    assert ledger["lost"].keys() <= {"damaged", "killed"}
    assert ledger["captured"] == len(stored) + len(quarantined) + lost
    assert ledger["evicted"] == 0


async def test_a_kill_costs_at_most_what_was_not_committed_yet(tmp_path: Path) -> None:
    def run() -> tuple[list[tuple[int, float]], float]:
        with begin(order_for(tmp_path, "http://127.0.0.1:9")) as host:
            Timer(3 * COMMIT_AND_SLACK, host.process.kill).start()
            # Too few for a commit that is due to their number.
            return generate_until_killed(host, 1, random.Random(1), commits=False), time.monotonic()

    async with database() as server:
        offered, end = await asyncio.to_thread(run)
        await asyncio.to_thread(drain, order_for(tmp_path, server.url))

    old_enough = [number for number, when in offered if when < end - COMMIT_AND_SLACK]
    assert old_enough
    last, _ = offered[-1]
    safe = stored_numbers(server).keys() | set(quarantined_numbers(tmp_path))
    assert set(range(1, old_enough[-1] + 1)) <= safe <= set(range(1, last + 30))


async def test_a_killed_process_leaves_the_directory_to_the_next(tmp_path: Path) -> None:
    def run(order: Order, first: int) -> None:
        with begin(order) as host:
            host.ask("offer", first=first, count=10, of="plain", is_old=False)
            assert host.ask("commit")

    async with database() as server:
        order = order_for(tmp_path, server.url)
        for number in range(3):
            await asyncio.to_thread(run, order, 1 + number * NUMBERS_EACH)
        ledger = await asyncio.to_thread(drain, order)

    assert ledger["written"] == len(server.points) == 30
