"""Three Home Assistants under the same load: with no exporter, with the built-in one, with ours."""

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

from scripts.rig.endpoint import Endpoint
from scripts.rig.integration import DOMAIN
from scripts.rig.servers import Server

from .home import BenchHome, Exporter
from .table import Row, at_least, at_most, say

RATE: Final = 2000.0
# What an ordinary home has, where costs of each second weigh more than those of each event.
CALM_RATE: Final = 10.0
CALM_EVENTS: Final = 600

_WARM_EVENTS: Final = 4000
_RESTARTS: Final = 3
_EXPORTERS: Final = (Exporter.BUILTIN, Exporter.OURS, Exporter.CORE)
_FLUSH_SECONDS: Final = 2.0

TIMES_BUILTIN: Final = 4.0
LAG_MS: Final = 10.0
SETUP_SECONDS: Final = 0.5

type Rounds = dict[Exporter, list[dict[str, Any]]]


@dataclass(slots=True, kw_only=True)
class House:
    """The homes, and the database that two of them write to."""

    server: Server
    homes: dict[Exporter, BenchHome] = field(default_factory=dict)
    changes: int = 0

    def furnish(self, directory: Path, stack: ExitStack) -> None:
        """Start every home and warm it up."""
        for exporter in Exporter:
            home = BenchHome(directory=directory / exporter.name.lower())
            stack.callback(home.stop)
            home.start()
            home.furnish(exporter, self.server)
            home.run(_WARM_EVENTS, RATE)
            self.homes[exporter] = home

    def rounds(self, number: int, events: int, rate: float, title: str) -> Rounds:
        """Load one home after the other, several times over."""
        found: Rounds = {exporter: [] for exporter in Exporter}
        for turn in range(number):
            for exporter, home in self.homes.items():
                say(f"  … {title}, round {turn + 1} of {number}: {exporter}")
                found[exporter].append(home.run(events, rate))
        return found

    def calm(self) -> Rounds:
        """Load all homes at once, so lightly that none is in another's way."""
        seconds = CALM_EVENTS / CALM_RATE
        say(f"  … {seconds:.0f} s of an ordinary home")
        for home in self.homes.values():
            home.begin(CALM_EVENTS, CALM_RATE, watch=False)
        time.sleep(seconds)
        return {exporter: [home.await_result()] for exporter, home in self.homes.items()}

    def stored(self, exporter: Exporter) -> int:
        """Count the points of the load's numbers that the database has."""
        server = self.server
        if exporter is not Exporter.BUILTIN:  # the last few are still being gathered
            self.homes[exporter].api.call_service(DOMAIN, "flush")
            time.sleep(_FLUSH_SECONDS)
        endpoint = Endpoint(
            port=server.port,
            headers={
                "Authorization": f"Token {server.token}",
                "Content-Type": "application/vnd.flux",
                "Accept": "application/csv",
            },
        )
        flux = (
            f'from(bucket: "{exporter.bucket}") |> range(start: -6h)'
            ' |> filter(fn: (r) => r._field == "value" and r.domain == "sensor")'
            " |> count() |> group() |> sum()"
        )
        query = {"org": server.org}
        answer = endpoint.request("/api/v2/query", query, body=flux.encode(), seconds=120)
        cells = [line.split(",") for line in answer.decode().split() if line]
        return int(cells[-1][-1]) if len(cells) > 1 else 0

    def restart(self, exporter: Exporter) -> float:
        """Start a home again; returns the seconds that its exporter's setup took."""
        home = self.homes[exporter]
        home.stop()
        home.start()
        return home.setup_seconds(DOMAIN if exporter is Exporter.OURS else "influxdb")


def measure(server: Server, directory: Path, events: int, rounds: int) -> list[Row]:
    """Measure costs, lag and setup with the database up and down."""
    house = House(server=server)
    rows: list[Row] = []
    with ExitStack() as stack:
        house.furnish(directory, stack)
        up = house.rounds(rounds, events, RATE, "database up")
        rows += _costs(f"{RATE:.0f} events/s, database up", up, TIMES_BUILTIN)
        rows += _lags("database up", up)
        sent = _WARM_EVENTS + rounds * events
        for exporter in _EXPORTERS:
            share = house.stored(exporter) / sent
            rows.append(
                Row(what=f"stored of what was captured: {exporter}", measured=f"{share:.2%}")
            )
        rows += _costs(f"{CALM_RATE:.0f} events/s, database up", house.calm(), None)
        rows += [
            _setup(f"setup of {exporter}, nothing pending", house, exporter)
            for exporter in (Exporter.BUILTIN, Exporter.OURS)
        ]
        server.stop()
        down = house.rounds(rounds, events, RATE, "database down")
        rows += _costs(f"{RATE:.0f} events/s, database down", down, None)
        rows += _lags("database down", down)
        pending = house.homes[Exporter.OURS].ledger()["pending"]
        rows.append(_setup(f"setup of ours, {pending} points pending", house, Exporter.OURS))
        server.start()
    return rows


def _costs(title: str, found: Rounds, budget: float | None) -> list[Row]:
    """Compare the processor time of each exporter beyond that of a home without one."""
    spent = {
        exporter: [each["cpu"] * 1e6 / each["events"] for each in found[exporter]]
        for exporter in Exporter
    }
    bare = median(spent[Exporter.NONE])
    rows = [Row(what=f"{title}: Home Assistant alone, per event", measured=f"{bare:.1f} µs")]
    beyond = {}
    for exporter in _EXPORTERS:
        # Rounds are paired: the machine's mood changes between them.
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


def _setup(what: str, house: House, exporter: Exporter) -> Row:
    seconds = median(house.restart(exporter) for _ in range(_RESTARTS))
    return at_most(what, seconds, SETUP_SECONDS, "{:.2f} s")
