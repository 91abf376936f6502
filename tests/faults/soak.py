"""The steps of the state machine on real processes and a real InfluxDB 2, for minutes.

One run after the other begins with an empty disk and database, and takes steps that the seed
chooses. In the end of each the database holds what was offered, or the ledger names the difference.
Exits with 1 when it does not. The steps are written to a file, which repeats them, and behind each
what was offered and counted by then.
"""

# ruff: noqa: T201

import argparse
import json
import logging
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Final, TextIO

from scripts.rig import servers
from scripts.rig.servers import Server

from .driver import KilledError
from .mounts import CannotMountError, mounted
from .process_driver import ProcessDriver, WatchedProxy, served
from .steps import (
    Begin,
    Break,
    Commit,
    Deliver,
    Fill,
    Heal,
    Kill,
    Offer,
    PassTime,
    Purge,
    Reload,
    Repeat,
    Replay,
    Restart,
    SetClock,
    Step,
    chosen,
    from_json,
    to_json,
)
from .steps import Server as ServerStep
from .world import World

DISK_MEGABYTES: Final = 24
STEPS: Final = 100
STEPS_FILE: Final = Path(".dev/soak/steps.jsonl")

# How often each step is chosen. The power cannot be cut from here.
WEIGHTS: Final[Mapping[type[Step], int]] = {
    Offer: 12,
    Repeat: 2,
    Commit: 5,
    Deliver: 5,
    PassTime: 4,
    SetClock: 2,
    ServerStep: 6,
    Break: 2,
    Fill: 1,
    Heal: 6,
    Reload: 2,
    Restart: 1,
    Replay: 2,
    Purge: 1,
    Kill: 4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the runs take place."""

    server: Server
    disk: Path
    is_mounted: bool
    log: Path


def steps_of(seed: int) -> Iterator[Step]:
    """Choose steps for ever; each run begins with `Begin`."""
    rng = random.Random(seed)
    kinds, weights = list(WEIGHTS), list(WEIGHTS.values())
    while True:
        yield chosen(Begin, rng.choice)
        for kind in rng.choices(kinds, weights, k=STEPS):
            yield chosen(kind, rng.choice)


def steps_in(path: Path) -> Iterator[Step]:
    """Read what another soak did."""
    with path.open(encoding="utf-8") as file:
        yield from filter(None, map(from_json, file))


def runs_of(steps: Iterator[Step]) -> Iterator[list[Step]]:
    """Part the steps at each `Begin`."""
    run: list[Step] = []
    for step in steps:
        if isinstance(step, Begin) and run:
            yield run
            run = []
        run.append(step)
    yield run


def take(run: list[Step], name: str, place: Place, steps_file: TextIO, end: float) -> None:
    """Take the steps of a run, as long as there is time; raises AssertionError."""
    begin, *steps = run
    assert isinstance(begin, Begin), "a run begins with its disk"
    proxy = WatchedProxy(upstream=place.server.url)
    with served(proxy), ExitStack() as stack:
        driver = ProcessDriver(
            place.server, proxy, place.disk, name, is_mounted=place.is_mounted, log=place.log
        )
        stack.callback(driver.close)
        print(to_json(begin), file=steps_file, flush=True)
        world = World(driver, begin)
        for step in steps:
            print(to_json(step), file=steps_file, flush=True)
            world.do(step)
            ledger = world.assert_sound().ledger
            known = world.known
            told = {"offered": len(known.offered), "uncommitted": len(known.uncommitted), **ledger}
            print(json.dumps(told), file=steps_file, flush=True)
            if time.monotonic() > end:
                break
        found = world.finish()
    ledger = found.ledger
    print(
        f"{name}: offered {len(world.known.offered)}, written {ledger['written']},"
        f" quarantined {ledger['quarantined']}, replayed {ledger['replayed']},"
        f" evicted {ledger['evicted']}, lost {ledger['lost'] or 0}, {proxy.requests} requests",
        flush=True,
    )


def soak(runs: Iterator[list[Step]], place: Place, steps_path: Path, minutes: float) -> bool:
    """Take runs as long as there is time; whether all went well."""
    end = time.monotonic() + minutes * 60
    with steps_path.open("w", encoding="utf-8") as file:
        for number, run in enumerate(runs, 1):
            name = f"run{number}"
            try:
                take(run, name, place, file, end)
            except Exception, KilledError:  # noqa: BLE001  whatever it is
                traceback.print_exc()
                print(f"WRONG in {name}, whose steps end {steps_path}; log: {place.log}")
                return False
            if time.monotonic() > end:
                break
    print("all is well")
    return True


def main() -> int:
    """Read the arguments and run."""
    logging.getLogger("aiohttp").setLevel(logging.WARNING)
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long, 10 by default")
    parser.add_argument("--seed", type=int, help="chooses what another soak chose")
    parser.add_argument("--steps", type=Path, help="takes the steps in a file, and ends with them")
    parser.add_argument("--log", type=Path, default=STEPS_FILE, help="where to write the steps")
    arguments = parser.parse_args()
    if arguments.minutes <= 0:
        parser.error("--minutes has to be more than 0")
    minutes = arguments.minutes
    if arguments.steps:
        runs = iter(list(runs_of(steps_in(arguments.steps))))
        minutes = inf
        print(f"steps of {arguments.steps}", flush=True)
    else:
        seed = arguments.seed or random.SystemRandom().randrange(1, 2**32)
        runs = runs_of(steps_of(seed))
        print(f"seed {seed}, {minutes:g} minutes, steps in {arguments.log}", flush=True)
    arguments.log.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        disk = directory
        try:
            disk = stack.enter_context(mounted("tmpfs", directory, DISK_MEGABYTES))
        except CannotMountError as err:
            print(f"a full disk is only played: {err}")
        server = stack.enter_context(servers.start("influxdb2", directory / "influxdb2"))
        log = arguments.log.with_suffix(".log")
        log.unlink(missing_ok=True)
        place = Place(server=server, disk=disk, is_mounted=disk != directory, log=log)
        is_well = soak(runs, place, arguments.log, minutes)
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
