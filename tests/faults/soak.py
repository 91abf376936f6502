"""Everything at once, for minutes: `scripts/soak [--minutes 10] [--seed N]`.

Processes are killed with -9 while they write to a real InfluxDB 2, which is killed and stopped,
through a proxy that breaks things, from a disk that runs full. In the end the database holds what
was committed, or the ledger names the difference. Exits with 1 when it does not.
"""

# ruff: noqa: T201

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from scripts.rig import servers
from scripts.rig.servers import Server

from .bare import OsFiles, Quarantine
from .lives import Nursery, nursery
from .mounts import OTHERS, CannotMountError, fill, mounted
from .nursery import LONG_AGO, Deed, Order
from .proxy import Proxy, Trouble, any_trouble
from .world import counts_of, fallen, imbalance

MEASUREMENT: Final = "home_assistant_events"
DISK_MEGABYTES: Final = 24
# Numbers that a life leaves unused after the last one that it was heard to offer.
GAP: Final = 1000


@dataclass(slots=True)
class Tale:
    """What happened, and what was said."""

    rng: random.Random
    offered: set[int] = field(default_factory=set)
    committed: set[int] = field(default_factory=set)
    events: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def next_number(self) -> int:
        """Where a life begins to count."""
        return max(self.offered, default=0) + GAP

    def trouble(self) -> Trouble | None:
        """Calm and rough weather by turns."""
        is_rough = int(time.monotonic() / 20) % 2
        if self.rng.random() > (0.5 if is_rough else 0.05):
            return None
        self.events["broken requests"] += 1
        return any_trouble(self.rng)


async def disturb_the_server(server: Server, tale: Tale) -> None:
    """Kill it, or stop it, and bring it back after a while."""
    while True:
        await asyncio.sleep(tale.rng.uniform(10, 40))
        is_kill = tale.rng.random() < 0.5
        away = asyncio.create_task(_away(server, tale.rng.uniform(0, 10), is_kill=is_kill))
        tale.events["server kills" if is_kill else "server stops"] += 1
        # Not to be left without a server when the time is over.
        await asyncio.shield(away)


async def _away(server: Server, seconds: float, *, is_kill: bool) -> None:
    await asyncio.to_thread(server.kill if is_kill else server.stop)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(server.start)


async def disturb_the_disk(disk: Path, tale: Tale) -> None:
    """Let somebody else fill it, and clean up again."""
    while True:
        await asyncio.sleep(tale.rng.uniform(10, 40))
        tale.events["full disks"] += 1
        fill(disk)
        await asyncio.sleep(tale.rng.uniform(1, 8))
        (disk / OTHERS).unlink()


async def live_and_die(births: Nursery, order: dict[str, Any], tale: Tale, end: float) -> None:
    """One process after the other, each killed after a while."""
    while time.monotonic() < end:
        first = tale.next_number
        does: Deed = "flush" if tale.rng.random() < 0.8 else "offer"
        seed = tale.rng.randrange(2**32)
        pid = await births.begin(Order(first=first, does=does, seed=seed, **order))
        seconds = tale.rng.choice((0.1, 1, 10)) * tale.rng.random()
        for word, number, _ in await births.kill_after(pid, seconds):
            numbers = tale.committed if word == "committed" else tale.offered
            numbers.update(range(first, number + 1))
        tale.events["kills"] += 1


async def soak(minutes: float, seed: int, directory: Path, disk: Path, server: Server) -> bool:
    """Let everything happen, let the dust settle, and count."""
    tale = Tale(random.Random(seed))
    # In the week long ago, numbers are refused.
    server.write(f'{MEASUREMENT},entity_id=old value="text" {int(LONG_AGO * 1e9)}')
    is_mounted = disk != directory
    async with Proxy(upstream=server.url, trouble=tale.trouble) as proxy, nursery() as births:
        order: dict[str, Any] = {
            "directory": str(disk / "spool"),
            "url": proxy.url,
            "org": server.org,
            "bucket": server.bucket,
            "token": server.token,
        }
        disturbers = [asyncio.create_task(disturb_the_server(server, tale))]
        if is_mounted:
            disturbers.append(asyncio.create_task(disturb_the_disk(disk, tale)))
        await live_and_die(births, order, tale, time.monotonic() + minutes * 60)
        for disturber in disturbers:
            disturber.cancel()
        await asyncio.gather(*disturbers, return_exceptions=True)
        (disk / OTHERS).unlink(missing_ok=True)
        await _until_alive(server)
        proxy.trouble = lambda: None
        ledger = await births.drain(Order(**order, does="drain"), seconds=300)
        tale.events["requests"] = proxy.requests
    tale.wrong = wrong_counts(births.counts, ledger)
    return tell(tale, ledger, _stored(server), _quarantined(disk / "spool"))


async def _until_alive(server: Server) -> None:
    for _ in range(60):
        if server.is_alive:
            break
        await asyncio.sleep(1)
    # Its own start returns once it answers.
    await asyncio.sleep(2)


def _stored(server: Server) -> Counter[int]:
    points = server.query_points(MEASUREMENT)
    return Counter(int(point["fields"]["state"]) for point in points if "state" in point["fields"])


def _quarantined(spool: Path) -> set[int]:
    lines = [record["line"] for record in Quarantine(OsFiles(spool)).records()]
    return {int(line.partition('state="')[2].partition('"')[0]) for line in lines}


def wrong_counts(told: list[dict[str, Any]], last: dict[str, Any]) -> list[str]:
    """What every process said of its counts, against the model of `world`: nothing falls."""
    found: list[str] = []
    before: dict[str, int] = {}
    for ledger in (*told, {**last, "pending": 0}):
        if wrong := imbalance(ledger, ledger["pending"]):
            found.append(wrong)
        counts = counts_of(ledger)
        if less := fallen(before, counts):
            found.append(f"fallen: {less}")
        before = counts
    return found


def tell(tale: Tale, ledger: dict[str, Any], stored: Counter[int], quarantined: set[int]) -> bool:
    """Print the numbers; whether they are right."""
    lost = sum(ledger["lost"].values())
    settled = ledger["written"] + ledger["quarantined"] + ledger["evicted"] + lost
    there = stored.keys() | quarantined
    missing = tale.committed - there
    # Received, and neither there nor named; what was killed before a commit was never received.
    silent = ledger["received"] - len(there) - lost - ledger["evicted"]
    # A process that is killed while its disk fails takes the count of what it delivered from
    # memory with it.
    uncounted = len(stored) + len(quarantined) - ledger["captured"] + ledger["evicted"] + lost
    print(", ".join(f"{count} {what}" for what, count in sorted(tale.events.items())))
    print(f"generated {len(tale.offered)}, reported as committed {len(tale.committed)}")
    print(
        f"stored {len(stored)}, quarantined {len(quarantined)}, "
        f"evicted {ledger['evicted']}, lost {ledger['lost'] or 0}"
    )
    print(f"ledger {ledger}")
    print("\n".join(tale.wrong[:20]))
    print(f"offered but not committed at a kill {len(tale.offered - stored.keys() - quarantined)}")
    print(f"delivered from memory and not counted {uncounted}")
    wrong = {
        "committed and nowhere": len(missing) - ledger["evicted"] - lost,
        "stored twice": sum(count > 1 for count in stored.values()),
        "stored and quarantined": len(stored.keys() & quarantined),
        "captured and not settled": ledger["captured"] - settled,
        "received and silently gone": silent,
        "wrong counts of a process": len(tale.wrong),
        "counted and not there": max(-uncounted, 0),
        "not counted although no disk was full": uncounted if not tale.events["full disks"] else 0,
    }
    found = {what: count for what, count in wrong.items() if count > 0}
    print(f"WRONG: {found}, missing {sorted(missing)[:20]}" if found else "all is well")
    return not found


def main() -> int:
    """Read the arguments and run."""
    logging.getLogger("aiohttp").setLevel(logging.WARNING)
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long, 10 by default")
    seed = random.SystemRandom().randrange(1, 2**32)
    parser.add_argument("--seed", type=int, default=seed, help="repeats what another run did")
    arguments = parser.parse_args()
    if arguments.minutes <= 0:
        parser.error("--minutes has to be more than 0")
    print(f"seed {arguments.seed}, {arguments.minutes:g} minutes", flush=True)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        disk = directory
        try:
            disk = stack.enter_context(mounted("tmpfs", directory, DISK_MEGABYTES))
        except CannotMountError as err:
            print(f"the disk will not run full: {err}")
        server = stack.enter_context(servers.start("influxdb2", directory / "influxdb2"))
        is_well = asyncio.run(soak(arguments.minutes, arguments.seed, directory, disk, server))
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
