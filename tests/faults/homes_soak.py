"""Two real Home Assistants, the way between them and a real database, which are interrupted.

States change in both all the while. In the end each state that a recorder holds is a point, once
and behind the one before, and the counts add up. Exits with 1 when that is not so.
"""

# ruff: noqa: T201

import argparse
import json
import random
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final

from scripts.rig import servers
from scripts.rig.api import ApiError
from scripts.rig.destination import address_of
from scripts.rig.home_assistant import HomeAssistant
from scripts.rig.integration import DOMAIN, connect, connect_remote

from ..e2e.installation import until
from ..e2e.relay import Relay
from .homes import AWAY_SECONDS, INTERRUPTIONS, NAME, Changes, Scene

# Others store no texts.
INFLUXDB: Final = ("influxdb2", "influxdb1", "influxdb1-debian")
# After an interruption: soon enough for one that is still being recovered from, or late.
CALM_SECONDS: Final = (0.2, 2.0, 5.0, 14.0)
# Until everything is recovered and delivered in the end.
SETTLE_SECONDS: Final = 240.0
# The first moment up to which the other home was captured is stored by then.
BEGIN_SECONDS: Final = 12.0
# Of all differences of a home.
SHOWN: Final = 400
# The integrations that are set up beside those of the rig.
MORE: Final = "input_boolean:\n  one:\n  two:\n"


def interrupt(scene: Scene, rng: random.Random, count: int) -> None:
    """Interrupt so often what the seed chooses."""
    kinds, weights = list(INTERRUPTIONS), list(INTERRUPTIONS.values())
    began = time.monotonic()
    for number, kind in enumerate(rng.choices(kinds, weights, k=count), 1):
        seconds, calm = rng.choice(AWAY_SECONDS), rng.choice(CALM_SECONDS)
        at = time.monotonic() - began
        print(f"{at:6.0f} s  {number:3} {kind.__name__} {seconds:g}, then {calm:g}", flush=True)
        kind(scene, seconds)
        time.sleep(calm)


def is_balanced(ledger: dict[str, Any]) -> bool:
    """Whether the counts add up, with nothing on its way."""
    settled = ledger["written"] + ledger["quarantined"] + ledger["evicted"]
    settled += sum(ledger["lost"].values())
    seen = sum(ledger["filtered"].values()) + ledger["deduplicated"] + ledger["captured"]
    return bool(
        ledger["received"] == seen + ledger["waiting"]
        and ledger["captured"] == settled + ledger["pending"]
    )


def finish(scene: Scene) -> bool:
    """Wait until everything is recovered and delivered; whether it is as it should be."""
    if not scene.server.is_alive:
        scene.server.start()

    def is_settled() -> bool:
        with suppress(ApiError):
            ledger = scene.ledger()
            scene.here.home.api.call_service(DOMAIN, "flush", config_entry=scene.entry_id)
            if ledger["recovery"] == "idle" and not ledger["pending"]:
                here, there, _ = scene.compare()
                return not (here.missing or there.missing)
        return False

    until(is_settled, seconds=SETTLE_SECONDS)
    (*both, stored), ledger = scene.compare(), scene.ledger()
    for name, each in zip(("here", "there"), both, strict=True):
        print(
            f"{name}: {each.same} rows are points, {each.restored} were set again by a start,"
            f" {each.unstored} points are not in the recorder, {each.forgotten} follow nothing"
            f" after a kill, {each.cut_short} follow what nobody stored,"
            f" {each.resumed} follow what was before a start;"
            f" {each.removed} removals are points;"
            f" {each.unheard} rows are of entities that nobody had heard of;"
            f" missing {len(each.missing)}, doubled {len(each.doubled)},"
            f" unknown {len(each.unknown)}, misled {len(each.misled)}"
        )
        print("\n".join(each.all[:SHOWN]))
    print(f"points {stored}, counts {json.dumps(ledger)}")
    again = ledger["written"] - stored
    print(f"written again after kills: {again}; balanced: {is_balanced(ledger)}")
    is_whole = not (ledger["evicted"] or ledger["quarantined"] or sum(ledger["lost"].values()))
    return is_balanced(ledger) and is_whole and again >= 0 and not any(each.all for each in both)


def soak(directory: Path, database: str, seed: int, count: int) -> bool:
    """Set everything up, interrupt it, and compare."""
    rng = random.Random(seed)
    with ExitStack() as stack:
        server = stack.enter_context(servers.start(database, directory / database))
        homes = []
        for name in ("here", "there"):
            (directory / name).mkdir()
            home = HomeAssistant(directory=directory / name, demo=True, more=MORE)
            stack.callback(home.stop)
            home.start()
            # A registry that was never stored has other devices after a kill.
            home.stop()
            home.start()
            homes.append(home)
        here, there = homes
        relay = stack.enter_context(Relay(there.port))
        entry = connect(here.api, address_of(server, server.database))["result"]
        connect_remote(here.api, entry["entry_id"], relay.url, there.api.token, NAME)
        time.sleep(BEGIN_SECONDS)
        scene = Scene(
            server=server,
            relay=relay,
            here=Changes(home=here, rng=random.Random(rng.random()), pause=0.2),
            there=Changes(home=there, rng=random.Random(rng.random()), pause=0.1),
            entry_id=entry["entry_id"],
            since=time.time_ns() // 1000,
        )
        with scene.here.running(), scene.there.running():
            interrupt(scene, rng, count)
            time.sleep(5)
        return finish(scene)


def main() -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="scripts/soak homes", description=__doc__)
    parser.add_argument("--interruptions", type=int, default=50, help="how many, 50 by default")
    parser.add_argument("--seed", type=int, help="chooses what another run chose")
    parser.add_argument("--database", choices=INFLUXDB, default=INFLUXDB[0])
    parser.add_argument("--keep", type=Path, help="an empty directory for all that is left")
    arguments = parser.parse_args()
    seed = arguments.seed or random.SystemRandom().randrange(1, 2**32)
    print(f"seed {seed}, {arguments.interruptions} interruptions", flush=True)
    with ExitStack() as stack:
        directory = arguments.keep
        if directory is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        directory.mkdir(parents=True, exist_ok=True)
        is_well = soak(directory, arguments.database, seed, arguments.interruptions)
    print("all is well" if is_well else f"WRONG with seed {seed}")
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
