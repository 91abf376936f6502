"""How long the event loop is held up in a home of 5 000 entities, in a process of its own.

Set-up, reload, changed options, a change of the registries, unload. Home Assistant's own share in
them is in it: its dialogues, its registries, the entities of the entry.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, Final

from scripts.rig.destination import address_of
from scripts.rig.integration import DOMAIN, connect
from scripts.rig.machine import load
from scripts.rig.servers import Server

from .home import LOAD, BenchHome
from .table import Row, at_most, say

BLOCK_MS: Final = 20.0

ENTITIES: Final = 5000
# Until all has happened that follows: a registry is read again some seconds after a change.
_AFTER_SECONDS: Final = 8.0

type Turns = list[dict[str, Any]]


def measure(server: Server, directory: Path, rounds: int) -> Iterator[Row]:
    """Do to the integration what a user does, and look at the event loop meanwhile."""
    with ExitStack() as stack:
        home = BenchHome(directory=directory)
        stack.callback(home.stop)
        home.start()
        api = home.api
        api.flow(LOAD)
        api.call_service(LOAD, "add_entities", entities=ENTITIES)
        time.sleep(_AFTER_SECONDS)
        say(f"  {load()}")
        yield from _watch(home, "nothing at all", lambda _: None, 1)
        server.create_database("blocks")
        address = address_of(server, "blocks")
        yield from _watch(home, "set-up, a new destination", lambda _: connect(api, address), 1)
        (entry,) = api.entries(DOMAIN)
        entry_id = entry["entry_id"]

        def change_options(count: int) -> None:
            api.set_options(entry_id, "noise", rules=[], window=count % 2)

        def change_registry(count: int) -> None:
            command = "config/entity_registry/update"
            api.ws(command, entity_id="sensor.added_0", name=f"Name {count} {time.monotonic_ns()}")

        yield from _watch(home, "reload", lambda _: api.reload(entry_id), rounds)
        yield from _watch(home, "options changed", change_options, rounds)
        yield from _watch(home, "a registry changed", change_registry, rounds)
        yield from _watch(home, "unload", lambda _: api.disable(entry_id), 1)
        yield from _watch(home, "set-up", lambda _: api.disable(entry_id, disabled=False), 1)


def _watch(home: BenchHome, what: str, act: Callable[[int], object], rounds: int) -> list[Row]:
    turns: list[Turns] = []
    for count in range(rounds):
        home.observe("blocks")
        act(count)
        time.sleep(_AFTER_SECONDS)
        turns.append(home.observed()["turns"])
    return rows_of(what, turns)


def rows_of(what: str, rounds: Sequence[Turns]) -> list[Row]:
    """Judge the longest turn of the event loop in each round, and say where the time went."""
    longest = [max((turn["ms"] for turn in turns), default=0.0) for turns in rounds]
    told = f"{what}; longest block, worst of {len(rounds)} {max(longest):.1f}"
    rows = [at_most(told, median(longest), BLOCK_MS, "{:.1f} ms")]
    for turns in rounds:
        for turn in turns:
            if turn["ms"] > BLOCK_MS:
                rows += _places(turn)
    return rows


def _places(turn: dict[str, Any]) -> list[Row]:
    """Tell the functions that were seen in a block, each with the share of the looks."""
    garbage = f", {turn['garbage_ms']:.0f} ms collecting garbage" if turn["garbage_ms"] else ""
    samples = sum(count for _, count in turn["places"])
    return [Row(what=f"  {turn['ms']:.0f} ms{garbage}")] + [
        Row(what=f"    {count} of {samples} looks: {place}") for place, count in turn["places"]
    ]
