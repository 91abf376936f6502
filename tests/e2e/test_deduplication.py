"""Real VictoriaMetrics, with and without deduplication: what they tell is what they do."""

import asyncio
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from custom_components.ha_ingestor.clients.influx.victoriametrics import ask_storage
from scripts.rig.databases import DATABASES, Unavailable, binary
from scripts.rig.servers import DATABASE, Server, start

from . import summary
from .access import destination_of
from .installation import until

LINE: Final = "repeated,entity_id=sensor.a value=1 1700000000123000000"
SERVERS: Final = ("victoriametrics-debian", "victoriametrics")


def _asked(server: Server) -> bool | None:
    async def ask() -> bool | None:
        async with aiohttp.ClientSession() as session:
            return (await ask_storage(session, destination_of(server, DATABASE))).deduplicates

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("flag", "stored"), [("", 2), ("-dedup.minScrapeInterval=1ms", 1)], ids=["without", "with"]
)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in SERVERS]
)
def test_a_victoriametrics_tells_whether_a_repeated_point_is_stored_once(
    *,
    request: pytest.FixtureRequest,
    name: str,
    flag: str,
    stored: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noted = request.node.user_properties
    executable = binary(name)
    if isinstance(executable, Unavailable):
        noted.append((summary.MISSING, (name, executable.reason)))
        pytest.skip(f"{name}: {executable.reason}")
    script = tmp_path / "started"
    script.write_text(f'#!/bin/sh\nexec "{executable}" "$@" {flag}\n')
    script.chmod(0o755)
    monkeypatch.setenv(DATABASES[name].variable, str(script))
    with start(name, tmp_path / "data") as server:
        noted.append((summary.EXERCISED, (name, DATABASES[name].version)))
        for _ in range(2):
            server.write(LINE)
            # Each in a part of its own, as when minutes lie between them.
            assert until(lambda: server.query_points("repeated"))
        assert _asked(server) is (stored == 1)
        assert until(lambda: len(server.query_points("repeated")) == stored)
