"""What a calm home costs: ten events a second, as most homes have, or none at all.

Measured from outside, in all homes at once, because the machine's speed differs from minute to
minute by more than the exporters do.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Final

from scripts.rig.machine import load
from scripts.rig.servers import Server

from .home import Exporter
from .homes import EXPORTERS, Homes, profile_rows
from .processes import MAIN, Threads, beyond, since, threads, whole
from .table import Row, at_most, say

RATE: Final = 10.0
SECONDS: Final = 60.0
OF_BUILTIN: Final = 0.5

# Our sensors are told more often in the two minutes after a start, which a home seldom has.
_REST_SECONDS: Final = 130.0
# Threads that cost less than this in a minute are not listed.
_LISTED_SECONDS: Final = 0.0005
_LISTED_CAUSES: Final = 20
_KINDS: Final = {"woken": "what woke the event loop", "jobs": "jobs given to executors"}

type Round = Mapping[Exporter, Threads]


def measure(server: Server, directory: Path, rounds: int) -> Iterator[Row]:
    """Measure a home with ten events a second."""
    events = int(SECONDS * RATE)
    with ExitStack() as stack:
        homes = _furnished(server, directory, stack)
        found = [_round(homes, events) for _ in range(rounds)]
        yield from _costs(found, events, "event")
        ratios = []
        spent = _spent(found)
        for exporter in (Exporter.OURS, Exporter.CORE):
            ratio = median(
                ours / built_in
                for ours, built_in in zip(spent[exporter], spent[Exporter.BUILTIN], strict=True)
            )
            yield at_most(f"{exporter}, of built-in's cost", ratio, OF_BUILTIN, "{:.2f}")
            ratios.append(ratio)
        if max(ratios) > OF_BUILTIN:
            profiles = homes.profiles(lambda: _round(homes, events))
            yield from profile_rows(Exporter.OURS, profiles, events)


def measure_idle(server: Server, directory: Path, rounds: int) -> Iterator[Row]:
    """Measure a home where nothing happens, and find what wakes it up nevertheless."""
    with ExitStack() as stack:
        homes = _furnished(server, directory, stack)
        yield from _costs([_round(homes, 0) for _ in range(rounds)], SECONDS, "s")
        for home in homes.homes.values():
            home.observe("wake_ups")
        time.sleep(SECONDS)
        seen = {exporter: home.observed() for exporter, home in homes.homes.items()}
        for exporter in EXPORTERS:
            for kind, title in _KINDS.items():
                here, bare = seen[exporter][kind], seen[Exporter.NONE][kind]
                yield from _causes(f"{exporter}: {title}", here, bare)


def _furnished(server: Server, directory: Path, stack: ExitStack) -> Homes:
    homes = Homes(server=server)
    homes.furnish(directory, stack)
    time.sleep(_REST_SECONDS)
    return homes


def _round(homes: Homes, events: int) -> Round:
    say(f"  … {events} events in {SECONDS:.0f} s, {load()}")
    before = {exporter: threads(home.pid) for exporter, home in homes.homes.items()}
    if events:
        for home in homes.homes.values():
            home.begin(events, RATE, watch=False)
    time.sleep(SECONDS)
    return {
        exporter: since(before[exporter], threads(home.pid))
        for exporter, home in homes.homes.items()
    }


def _spent(found: Sequence[Round]) -> dict[Exporter, list[float]]:
    """Return the seconds that each exporter cost in each round, beyond the home with none."""
    return {
        exporter: [
            whole(each[exporter]).seconds - whole(each[Exporter.NONE]).seconds for each in found
        ]
        for exporter in EXPORTERS
    }


def _costs(found: Sequence[Round], number: float, unit: str) -> list[Row]:
    """Tell the processor time and the wake-ups, thread by thread."""
    bare = [whole(each[Exporter.NONE]) for each in found]
    rows = [
        Row(
            what=f"Home Assistant alone, {_rate([each.wake_ups for each in bare])}",
            measured=_cost([each.seconds for each in bare], number, unit),
        )
    ]
    for exporter in EXPORTERS:
        more = [beyond(each[exporter], each[Exporter.NONE]) for each in found]
        sums = [whole(each) for each in more]
        each_round = " / ".join(f"{each.seconds / number * 1e6:.0f}" for each in sums)
        what = f"{exporter}, beyond that ({each_round}), {_rate([each.wake_ups for each in sums])}"
        rows.append(Row(what=what, measured=_cost([s.seconds for s in sums], number, unit)))
        names = {name: None for each in more for name in each}
        for name in sorted(names, key=lambda name: name != MAIN):
            used = [each[name] for each in more if name in each]
            if median(abs(each.seconds) for each in used) > _LISTED_SECONDS:
                what = f"  {name}, {_rate([each.wake_ups for each in used])}"
                cost = _cost([each.seconds for each in used], number, unit)
                rows.append(Row(what=what, measured=cost))
    return rows


def _cost(seconds: Sequence[float], number: float, unit: str) -> str:
    return f"{median(seconds) / number * 1e6:.1f} µs/{unit}"


def _rate(wake_ups: Sequence[int]) -> str:
    return f"{median(wake_ups) / SECONDS:.2f} wake-ups/s"


def _causes(what: str, counts: Mapping[str, int], bare: Mapping[str, int]) -> list[Row]:
    """List what happened more often than in the home with no exporter."""
    more = {name: count - bare.get(name, 0) for name, count in counts.items()}
    listed = sorted(more.items(), key=lambda each: -each[1])[:_LISTED_CAUSES]
    rows = [
        Row(
            what=f"{what} in {SECONDS:.0f} s, beyond Home Assistant's",
            measured=f"{sum(more.values())}",
        )
    ]
    return rows + [
        Row(what=f"  {name}", measured=f"{count}") for name, count in listed if count > 0
    ]
