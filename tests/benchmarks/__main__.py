"""Run the benchmark: `scripts/bench --help`."""

import asyncio
import logging
import signal
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.rig.configuration import CHECKOUT
from scripts.rig.databases import Unavailable, binary
from scripts.rig.servers import Server

from . import (
    blocks,
    calm,
    day,
    full_load,
    metadata,
    outage,
    panel,
    quarantine,
    registries,
    scrape,
    stages,
    write_amplification,
)
from .table import Row, machine, say, show

_SERVER: Final = "influxdb2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a part measures with."""

    arguments: Namespace
    directory: Path
    server: Server | None

    def need_server(self) -> Server:
        """Return the database; only for parts that are not run without one."""
        assert self.server
        return self.server


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the benchmark."""

    title: str
    measure: Callable[[Place], Iterable[Row]]
    needs_server: bool = False


_PARTS: Final = {
    "stages": Part(
        title="Stages, per point",
        measure=lambda at: asyncio.run(
            stages.measure(at.directory, min(at.arguments.events, 2000), at.server)
        ),
    ),
    "day": Part(
        title="A day of a busy home, simulated: tests/benchmarks/busy_home.py",
        measure=lambda at: day.measure(at.directory, at.arguments.hours),
    ),
    "metadata": Part(
        title="The metadata store, 5 000 entities",
        measure=lambda at: metadata.measure(at.directory, at.arguments.events),
    ),
    "registries": Part(
        title="The event loop while registries of 5 000 entities are read and told",
        measure=lambda at: asyncio.run(registries.measure(at.directory)),
    ),
    "scrape": Part(
        title="Metrics for Prometheus, without the HTTP around them",
        measure=lambda at: asyncio.run(
            scrape.measure(at.directory, min(at.arguments.events, 2000))
        ),
    ),
    "write_amplification": Part(
        title=f"Bytes on the device per byte of payload, {write_amplification.RATE} events/s",
        measure=lambda at: asyncio.run(
            write_amplification.measure(at.directory, at.arguments.seconds)
        ),
    ),
    "quarantine": Part(
        title="The thread of the spool during an action on a quarantine of 13 MB",
        measure=lambda at: asyncio.run(quarantine.measure(at.directory)),
    ),
    "load": Part(
        title="Home Assistant with no exporter, with its own for InfluxDB, with ours",
        measure=lambda at: full_load.measure(
            at.need_server(), at.directory, at.arguments.events, at.arguments.rounds
        ),
        needs_server=True,
    ),
    "calm": Part(
        title=f"The same homes at {calm.RATE:.0f} events/s, seen from outside",
        measure=lambda at: calm.measure(at.need_server(), at.directory, at.arguments.rounds),
        needs_server=True,
    ),
    "idle": Part(
        title="The same homes while nothing happens",
        measure=lambda at: calm.measure_idle(at.need_server(), at.directory, at.arguments.rounds),
        needs_server=True,
    ),
    "blocks": Part(
        title=f"The event loop of a home of {blocks.ENTITIES} entities",
        measure=lambda at: blocks.measure(at.need_server(), at.directory, at.arguments.rounds),
        needs_server=True,
    ),
    "panel": Part(
        title=f"Home Assistant with an open panel, {panel.SECONDS:.0f} s each",
        measure=lambda at: panel.measure(at.need_server(), at.directory, at.arguments.rounds),
        needs_server=True,
    ),
    "outage": Part(
        title="A long outage, default settings",
        measure=lambda at: outage.measure(at.need_server(), at.directory, at.arguments.pending),
        needs_server=True,
    ),
}


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(_PARTS)}; all when none is named")
    parser.add_argument("--events", type=int, default=50_000, help="changes of state in each run")
    parser.add_argument("--rounds", type=int, default=3, help="how often each run is repeated")
    parser.add_argument("--pending", type=int, default=1_000_000, help="points of the outage")
    parser.add_argument("--seconds", type=int, default=90, help="how long the disk is watched")
    parser.add_argument("--hours", type=float, default=24, help="how much of the day is simulated")
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
        for name, part in _PARTS.items():
            if name in parts and (server or not part.needs_server):
                at = Place(arguments=arguments, directory=home / name, server=server)
                show(part.title, part.measure(at))


def _server(directory: Path, stack: ExitStack) -> Server | None:
    if isinstance(found := binary(_SERVER), Unavailable):
        say(f"Without a database: {found.reason}")
        return None
    server = stack.enter_context(Server(name=_SERVER, directory=directory))
    server.start()
    return server


if __name__ == "__main__":
    main()
