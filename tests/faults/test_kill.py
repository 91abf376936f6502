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
from typing import Any

import pytest

from custom_components.ha_ingestor.pipeline.files import OsFiles
from custom_components.ha_ingestor.pipeline.quarantine import Quarantine
from tests.emulator import Emulator

from .lives import nursery
from .nursery import NOON, Order, is_old
from .proxy import Proxy, Trouble, any_trouble

pytestmark = [pytest.mark.usefixtures("socket_enabled"), pytest.mark.timeout(3600)]

KILLS = int(os.environ.get("HA_INGESTOR_KILLS", "25"))
# Unless somebody asked for so many, a busy machine kills less often.
SECONDS = inf if "HA_INGESTOR_KILLS" in os.environ else 20.0
SEED = int(os.environ.get("HA_INGESTOR_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
# A commit every quarter of a second, and as much again several times for a machine that is busy.
COMMIT_AND_SLACK = 1.0


def stored_numbers(server: Emulator) -> Counter[int]:
    """How many points there are of each number: more than one were the same change stored twice."""
    return Counter(int(str(fields["state"])) for fields in server.points.values())


def quarantined_numbers(directory: Path) -> list[int]:
    """Numbers in the quarantine; a record that was repeated after a kill counts once."""
    records = {record["seq"]: record for record in Quarantine(OsFiles(directory)).records()}
    return [number_of(record["line"]) for record in records.values()]


def number_of(line: str) -> int:
    return int(line.partition('state="')[2].partition('"')[0])


def refusing_what_is_old() -> Emulator:
    return Emulator(retention=365 * 86_400, now=int(NOON))


async def test_points_reported_as_committed_outlive_any_kill(tmp_path: Path) -> None:
    print(f"HA_INGESTOR_SEED={SEED}")  # noqa: T201  to repeat a failure
    rng = random.Random(SEED)

    chance = 0.0

    def trouble() -> Trouble | None:
        return any_trouble(rng) if rng.random() < chance else None

    committed: set[int] = set()
    async with (
        refusing_what_is_old() as server,
        Proxy(upstream=server.url, trouble=trouble) as proxy,
        nursery() as births,
    ):
        end = time.monotonic() + SECONDS
        for life in range(KILLS):
            if time.monotonic() > end:
                break
            first = life * 1_000_000 + 1
            # By turns the spool is emptied before a life ends, and not.
            chance = rng.choice((0.0, 0.1, 0.7))
            order = Order(directory=str(tmp_path), url=proxy.url, first=first, seed=SEED + life)
            pid = await births.begin(order)
            # Every fifth dies while it recovers.
            for word, number, _ in await births.kill_after(
                pid, rng.uniform(0, 0.05 if life % 5 == 4 else 0.9)
            ):
                if word == "committed":
                    committed.update(range(first, number + 1))
        proxy.trouble = lambda: None
        ledger = await births.drain(Order(directory=str(tmp_path), url=proxy.url, does="drain"))

    stored, quarantined = stored_numbers(server), quarantined_numbers(tmp_path)
    told = f"{len(committed)} committed, {len(stored)} stored, {len(quarantined)} quarantined"
    print(f"{life + 1} lives, {proxy.requests} requests: {told}")  # noqa: T201
    assert_exact(committed, stored, quarantined, ledger)
    assert len(committed) > life


def assert_exact(
    committed: set[int], stored: Counter[int], quarantined: list[int], ledger: dict[str, Any]
) -> None:
    """Everything committed is in one place and nothing is in two; the ledger says the same."""
    assert committed - stored.keys() - set(quarantined) == set()
    assert stored.keys() & set(quarantined) == set()
    assert [number for number, count in stored.items() if count > 1] == []
    assert len(quarantined) == len(set(quarantined))
    assert {number for number in quarantined if not is_old(number)} == set()
    assert {number for number in stored if is_old(number)} == set()
    assert ledger["written"] == len(stored)
    assert ledger["quarantined"] == len(quarantined)
    # Between the count of points and the points themselves, a kill loses what was not committed.
    lost = sum(ledger["lost"].values())
    assert ledger["lost"].keys() <= {"damaged", "killed"}
    assert ledger["captured"] == len(stored) + len(quarantined) + lost
    assert ledger["evicted"] == 0


async def test_a_kill_costs_at_most_what_was_not_committed_yet(tmp_path: Path) -> None:
    async with refusing_what_is_old() as server, nursery() as births:
        # Too few for a commit that is due to their number.
        order = Order(directory=str(tmp_path), url="http://127.0.0.1:9", does="offer", pause=0.3)
        pid = await births.begin(order)
        said = await births.kill_after(pid, 3 * COMMIT_AND_SLACK)
        _, last, end = said[-1]
        await births.drain(Order(directory=str(tmp_path), url=server.url, does="drain"))

    old_enough = [number for _, number, when in said if when < end - COMMIT_AND_SLACK]
    assert old_enough
    safe = stored_numbers(server).keys() | set(quarantined_numbers(tmp_path))
    assert set(range(1, old_enough[-1] + 1)) <= safe <= set(range(1, last + 30))


async def test_a_killed_process_leaves_the_directory_to_the_next(tmp_path: Path) -> None:
    async with refusing_what_is_old() as server, nursery() as births:
        for life in range(3):
            order = Order(directory=str(tmp_path), url=server.url, first=1 + life * 1000)
            pid = await births.begin(order)
            while (await births.hear())[0] != "committed":
                await asyncio.sleep(0)
            assert await births.kill_after(pid, 0.01) is not None
        ledger = await births.drain(Order(directory=str(tmp_path), url=server.url, does="drain"))

    assert ledger["written"] == len(server.points) > 3
