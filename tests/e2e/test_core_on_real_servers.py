"""What the built-in integration's own clients send and what we send is one and the same when read.

Elsewhere lines are read by rules; here the servers that users have read them.
"""

import asyncio
import random
from typing import Final

import aiohttp
import pytest

from custom_components.ha_ingestor.clients.influx.client import InfluxClient
from scripts.rig.servers import Server
from tests.pipeline.encode.profiles.built_in import (
    Ours,
    Stored,
    converter,
    documented,
    line_v1,
    line_v2,
    overwrites,
    plain,
    refused_or_changed_by_v1,
)
from tests.pipeline.encode.profiles.built_in_changes import random_changes, random_config

from .access import destination_of
from .test_line_protocol_on_real_servers import Influx

pytest_plugins = ["tests.e2e.one_server"]

CONFIGS: Final = 20
CHANGES: Final = 100
LINES: Final = {"v1": line_v1, "v2": line_v2}


async def deliver(server: Server, database: str, lines: list[str]) -> None:
    async with aiohttp.ClientSession() as session:
        client = InfluxClient(session, destination_of(server, database))
        outcome = await client.post("\n".join(lines).encode())
    assert (outcome.status, outcome.body) == (204, "")


def found_in(reader: Influx) -> dict[int, Stored]:
    return {
        time: (each.measurement, each.tags, each.fields, time) for time, each in reader.found(0)
    }


def pairs(chance: random.Random, dialect: str) -> list[tuple[str, str]]:
    """Make lines of the built-in integration and ours, but for documented differences."""
    lines: dict[int, tuple[str, str]] = {}
    kinds: dict[tuple[str, str], str] = {}
    for _ in range(CONFIGS):
        config = random_config(chance)
        convert, ours = converter(config), Ours(config)
        for change in random_changes(chance, CHANGES):
            event = change.event()
            point = convert(event)
            if point is None or overwrites(change.attributes):
                continue
            expected = documented(point, config, change.state)
            if expected is None:
                continue
            if expected != plain(point) or (dialect == "v1" and refused_or_changed_by_v1(point)):
                continue
            measurement, _, fields, time = expected
            # A field that is text here and a number there is a mistake that both make.
            if all(
                kinds.setdefault((measurement, name), text.split()[0]) == text.split()[0]
                for name, text in fields.items()
            ):
                lines[time] = LINES[dialect](point), ours.line(event) or ""
    return list(lines.values())


def test_servers_store_what_the_built_in_integration_would_have_them_store(server: Server) -> None:
    if server.dialect not in LINES:
        pytest.skip("the built-in integration has no such mode")
    both = pairs(random.Random(3), server.dialect)
    theirs, ours = Influx(server, "theirs"), Influx(server, "ours")

    asyncio.run(deliver(server, "theirs", [line for line, _ in both]))
    asyncio.run(deliver(server, "ours", [line for _, line in both]))

    expected = found_in(theirs)
    assert len(expected) == len(both) > CONFIGS * CHANGES / 4
    assert found_in(ours) == expected
