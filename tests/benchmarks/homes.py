"""Home Assistants that differ in their exporter alone, under the same load.

In each of them somebody else listens to states, as in every home: Home Assistant makes the event
for the first who does.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scripts.rig.endpoint import Endpoint
from scripts.rig.integration import DOMAIN
from scripts.rig.servers import Server

from .home import BenchHome, Exporter
from .table import Row

# Those whose costs are told, beyond the costs of the home that has none.
EXPORTERS: Final = (Exporter.BUILTIN, Exporter.OURS, Exporter.CORE)
WARM_EVENTS: Final = 4000
WARM_RATE: Final = 2000.0

_FLUSH_SECONDS: Final = 2.0
_FUNCTIONS: Final = 25

# By thread and function: microseconds of its own, those with what it calls, calls.
type Profile = Mapping[str, Mapping[str, list[float]]]
type Profiles = dict[Exporter, Profile]


@dataclass(slots=True, kw_only=True)
class Homes:
    """The homes by their exporter, and the database that they write to."""

    server: Server
    homes: dict[Exporter, BenchHome] = field(default_factory=dict)

    def furnish(self, directory: Path, stack: ExitStack) -> None:
        """Start every home and warm it up."""
        for exporter in Exporter:
            home = BenchHome(directory=directory / exporter.name.lower())
            stack.callback(home.stop)
            home.start()
            home.furnish(exporter, self.server)
            home.run(WARM_EVENTS, WARM_RATE)
            self.homes[exporter] = home

    def profiles(self, act: Callable[[], object]) -> Profiles:
        """Profile every home meanwhile."""
        for home in self.homes.values():
            home.observe("profile")
        act()
        return {each: home.observed()["threads"] for each, home in self.homes.items()}

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


def profile_rows(exporter: Exporter, profiles: Profiles, events: int) -> list[Row]:
    """Tell the functions that cost most, beyond what they cost in the home with no exporter."""
    bare = profiles[Exporter.NONE]
    alone: list[tuple[float, str]] = []
    with_calls: list[tuple[float, str]] = []
    for thread, functions in profiles[exporter].items():
        for function, numbers in functions.items():
            without = bare.get(thread, {}).get(function, (0.0, 0.0, 0.0))
            own, whole, calls = ((a - b) / events for a, b in zip(numbers, without, strict=True))
            what = f"{thread}: {function}, {calls:.3f} times"
            alone.append((own, what))
            if function.startswith(DOMAIN):
                with_calls.append((whole, what))
    rows = []
    for title, found in (("alone", alone), ("of ours, with all that they call", with_calls)):
        rows.append(Row(what=f"functions {title}; {exporter}, per event, beyond Home Assistant"))
        rows += [
            Row(what=f"  {what}", measured=f"{us:.1f} µs")
            for us, what in sorted(found, reverse=True)[:_FUNCTIONS]
        ]
    return rows
