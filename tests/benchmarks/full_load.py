"""Homes under a heavy load, one after the other: costs, lag and setup, database up and down."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, Final

from scripts.rig.machine import load
from scripts.rig.servers import Server

from .home import Exporter
from .homes import EXPORTERS, WARM_EVENTS, Homes, profile_rows
from .table import Row, at_least, at_most, say

RATE: Final = 2000.0

_RESTARTS: Final = 3
# A profile costs more than what it looks at.
_PROFILED_EVENTS: Final = 10_000

TIMES_BUILTIN: Final = 4.0
LAG_MS: Final = 10.0
SETUP_SECONDS: Final = 0.5

type Rounds = dict[Exporter, list[dict[str, Any]]]


def measure(server: Server, directory: Path, events: int, rounds: int) -> Iterator[Row]:
    """Measure costs, lag and setup with the database up and down."""
    homes = Homes(server=server)
    with ExitStack() as stack:
        homes.furnish(directory, stack)
        up = _rounds(homes, rounds, events, "database up")
        rows = _costs(f"{RATE:.0f} events/s, database up", up, TIMES_BUILTIN)
        yield from rows
        yield from _collections("database up", up)
        yield from _lags("database up", up)
        sent = WARM_EVENTS + rounds * events
        for exporter in EXPORTERS:
            share = homes.stored(exporter) / sent
            yield Row(what=f"stored of what was captured: {exporter}", measured=f"{share:.2%}")
        if any(row.met is False for row in rows):
            profiles = homes.profiles(lambda: _rounds(homes, 1, _PROFILED_EVENTS, "profile"))
            yield from profile_rows(Exporter.OURS, profiles, _PROFILED_EVENTS)
        for exporter in (Exporter.BUILTIN, Exporter.OURS):
            yield _setup(f"setup of {exporter}, nothing pending", homes, exporter)
        server.stop()
        down = _rounds(homes, rounds, events, "database down")
        yield from _costs(f"{RATE:.0f} events/s, database down", down, None)
        yield from _collections("database down", down)
        yield from _lags("database down", down)
        pending = homes.homes[Exporter.OURS].ledger()["pending"]
        yield _setup(f"setup of ours, {pending} points pending", homes, Exporter.OURS)
        server.start()


def _rounds(homes: Homes, number: int, events: int, title: str) -> Rounds:
    """Load one home after the other, several times over."""
    found: Rounds = {exporter: [] for exporter in Exporter}
    for turn in range(number):
        for exporter, home in homes.homes.items():
            say(f"  … {title}, round {turn + 1} of {number}, {load()}: {exporter}")
            found[exporter].append(home.run(events, RATE))
    return found


def _costs(title: str, found: Rounds, budget: float | None) -> list[Row]:
    """Compare the processor time of each exporter beyond that of a home without one.

    Full collections of garbage are not in it: they are told on their own.
    """
    spent = {
        exporter: [each["cpu"] * 1e6 / each["events"] for each in found[exporter]]
        for exporter in Exporter
    }
    bare = median(spent[Exporter.NONE])
    rows = [Row(what=f"{title}: Home Assistant alone, per event", measured=f"{bare:.1f} µs")]
    beyond = {}
    for exporter in EXPORTERS:
        # Rounds are paired, because the load of the machine changes.
        pairs = zip(spent[exporter], spent[Exporter.NONE], strict=True)
        cost = beyond[exporter] = median(with_it - without for with_it, without in pairs)
        told = f"{1e6 / cost:.0f} /CPU s, {cost:.1f} µs"
        rows.append(Row(what=f"{title}: {exporter}, beyond that", measured=told))
    for exporter in (Exporter.OURS, Exporter.CORE):
        ratio = beyond[Exporter.BUILTIN] / beyond[exporter]
        what = f"{title}: {exporter}, times the events per CPU second"
        if budget is None:
            rows.append(Row(what=what, measured=f"{ratio:.1f}x"))
        else:
            rows.append(at_least(what, ratio, budget, "{:.1f}x"))
    return rows


def _collections(title: str, found: Rounds) -> list[Row]:
    """Tell of the full collections of garbage, which every home has."""
    rows = []
    for exporter in Exporter:
        runs = found[exporter]
        events, count = (
            sum(each[name] for each in runs) for name in ("events", "full_collections")
        )
        cost = sum(each["full_collections_cpu"] for each in runs) * 1e6 / events
        what = f"full collections of garbage, {title}: {exporter}, in {events} events"
        rows.append(Row(what=what, measured=f"{count}, {cost:.1f} µs/event"))
    return rows


def _lags(title: str, found: Rounds) -> list[Row]:
    def middle(exporter: Exporter, name: str) -> float:
        return median(float(each[name]) * 1000 for each in found[exporter])

    rows = []
    for exporter in Exporter:
        half, most, own = (middle(exporter, name) for name in ("p50", "p99", "own_p99"))
        what = f"lag, {title}: {exporter}, p50 / p99 / p99 without waits for a CPU"
        told = f"{half:.1f} / {most:.1f} / {own:.1f} ms"
        if exporter is Exporter.OURS:
            rows.append(
                Row(what=what, measured=told, budget=f"p99 < {LAG_MS:.0f} ms", met=own < LAG_MS)
            )
        else:
            rows.append(Row(what=what, measured=told))
    return rows


def _setup(what: str, homes: Homes, exporter: Exporter) -> Row:
    seconds = median(homes.restart(exporter) for _ in range(_RESTARTS))
    return at_most(what, seconds, SETUP_SECONDS, "{:.2f} s")
