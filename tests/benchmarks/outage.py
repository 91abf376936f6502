"""A long outage: what waiting points cost in memory, and how fast they are gone afterwards."""

import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, Final

from scripts.rig.servers import Server

from .home import BenchHome, Exporter
from .table import Row, at_least, at_most, say

_FILL_RATE: Final = 4000.0
# A busy home: what goes on arriving while the backlog is delivered.
INPUT_RATE: Final = 100.0
_WARM_EVENTS: Final = 50_000
_LOOK_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 900.0

MEMORY_MB: Final = 50.0
DRAIN_TIMES: Final = 10.0


def measure(server: Server, directory: Path, points: int) -> list[Row]:
    """Fill the spool without a database, and bring the database back."""
    with ExitStack() as stack:
        home = BenchHome(directory=directory)
        stack.callback(home.stop)
        home.start()
        home.furnish(Exporter.OURS, server)
        home.run(min(_WARM_EVENTS, points), _FILL_RATE)
        start = home.report()["rss"]
        server.stop()
        say(f"  … {points} events at {_FILL_RATE:.0f} per second without a database")
        home.begin(points, _FILL_RATE)
        peak = start
        while not (report := home.report())["result"]:
            peak = max(peak, report["rss"])
            time.sleep(_LOOK_SECONDS)
        told = home.ledger()
        rows = [
            at_most(
                f"memory above a warm start, {told['pending'] + told['waiting']} points pending",
                (report["rss"] - start) / 1e6,
                MEMORY_MB,
                "{:.0f} MB",
            ),
            Row(
                what="  at most meanwhile",
                measured=f"{(max(peak, report['rss']) - start) / 1e6:.0f} MB",
            ),
            Row(
                what="  of the spool's 256 MiB",
                measured=f"{told['spool_bytes'] / 1e6:.0f} MB",
            ),
            Row(what="  evicted, lost", measured=f"{told['evicted']}, {told['lost']}"),
        ]
        home.begin(10_000_000, INPUT_RATE)
        say("  … the database is back")
        server.start()
        return rows + _drain(home)


def _drain(home: BenchHome) -> list[Row]:
    """Watch the backlog go."""
    looks: list[tuple[float, int, float, int]] = []
    first = home.ledger()["written"]
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        told: dict[str, Any] = home.ledger()
        report = home.report()
        if told["written"] > first:
            looks.append((time.monotonic(), told["written"], report["cpu"], report["rss"]))
        if told["pending"] < 2 * INPUT_RATE:
            break
        time.sleep(_LOOK_SECONDS)
    (began, before, cpu, _), (ended, after, cpu_after, _) = looks[0], looks[-1]
    seconds, delivered = ended - began, after - before
    steps = [(late[1] - early[1]) / (late[0] - early[0]) for early, late in pairwise(looks)]
    rate = delivered / seconds
    return [
        Row(what="drain", measured=f"{rate:.0f} points/s"),
        Row(what="  in its middle second", measured=f"{median(steps):.0f} points/s"),
        at_least(
            f"drain, times an input of {INPUT_RATE:.0f} events/s",
            rate / INPUT_RATE,
            DRAIN_TIMES,
            "{:.0f}x",
        ),
        Row(what="  times an input of 2000 events/s", measured=f"{rate / 2000:.1f}x"),
        Row(
            what="  processor time per point",
            measured=f"{(cpu_after - cpu) * 1e6 / delivered:.1f} µs",
        ),
        Row(
            what="  left when it ended",
            measured=f"{home.ledger()['pending']} points",
        ),
    ]
