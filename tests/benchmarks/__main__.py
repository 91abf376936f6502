"""Run the benchmark: `scripts/bench --help`."""

import asyncio
import logging
import signal
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from scripts.rig.configuration import CHECKOUT
from scripts.rig.databases import Unavailable, binary
from scripts.rig.servers import Server

from . import day, house, metadata, outage, registries, stages, wear
from .table import machine, say, show

_SERVER: Final = "influxdb2"
_PARTS: Final = ("stages", "day", "metadata", "registries", "wear", "house", "outage")


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(_PARTS)}; all when none is named")
    parser.add_argument("--events", type=int, default=50_000, help="changes of state in each run")
    parser.add_argument("--rounds", type=int, default=3, help="how often each run is repeated")
    parser.add_argument("--pending", type=int, default=1_000_000, help="points of the outage")
    parser.add_argument("--seconds", type=int, default=90, help="how long the disk is watched")
    parser.add_argument("--hours", type=float, default=24, help="how much of the day is lived")
    parser.add_argument("--no-server", action="store_true", help="leave out what needs a database")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(_PARTS):
        parser.error(f"no part is called {', '.join(sorted(unknown))}: {', '.join(_PARTS)}")
    for name in ("events", "rounds", "pending", "seconds", "hours"):
        if getattr(arguments, name) <= 0:
            parser.error(f"--{name} has to be more than 0")
    return arguments


def main() -> None:
    """Measure what was asked for."""
    arguments = _arguments()
    parts = arguments.parts or list(_PARTS)
    logging.basicConfig(level=logging.ERROR)
    # Beside the checkout's other files: a temporary directory may be in memory.
    place = CHECKOUT / ".dev" / "bench"
    place.mkdir(parents=True, exist_ok=True)
    # So that a benchmark that is told to end takes its databases and homes with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    say(machine())
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=place)))
        server = None if arguments.no_server else _server(home / "database", stack)
        if "stages" in parts:
            events = min(arguments.events, 2000)
            show("Stages, per point", asyncio.run(stages.measure(home / "s", events, server)))
        if "day" in parts:
            title = "A day of a busy home, simulated: tests/benchmarks/busy_home.py"
            show(title, day.measure(home / "d", arguments.hours))
        if "metadata" in parts:
            show("The metadata store, 5 000 entities", metadata.measure(home / "m"))
        if "registries" in parts:
            title = "The event loop while registries of 5 000 entities are read and told"
            show(title, asyncio.run(registries.measure(home / "r")))
        if "wear" in parts:
            rows = asyncio.run(wear.measure(home / "w", arguments.seconds))
            show(f"Bytes on the device per byte of payload, {wear.RATE} events/s", rows)
        if server and "house" in parts:
            title = "Home Assistant with no exporter, with its own for InfluxDB, with ours"
            show(title, house.measure(server, home / "h", arguments.events, arguments.rounds))
        if server and "outage" in parts:
            rows = outage.measure(server, home / "o", arguments.pending)
            show("A long outage, default settings", rows)


def _server(directory: Path, stack: ExitStack) -> Server | None:
    if isinstance(found := binary(_SERVER), Unavailable):
        say(f"Without a database: {found.reason}")
        return None
    server = stack.enter_context(Server(name=_SERVER, directory=directory))
    server.start()
    return server


if __name__ == "__main__":
    main()
