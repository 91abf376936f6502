"""A real VictoriaMetrics is written to below a path, as vminsert and proxies want it."""

import asyncio
import time
from dataclasses import replace

import aiohttp
import pytest

from custom_components.ha_ingestor.clients.influx.client import InfluxClient
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.probe import probe
from custom_components.ha_ingestor.pipeline.export.result import Kind, Problem
from scripts.rig.servers import DATABASE, Server

from .access import destination_of

pytest_plugins = ["tests.e2e.one_server"]


@pytest.fixture(autouse=True)
def _has_paths(server: Server) -> None:
    if server.dialect != "victoriametrics":
        pytest.skip("it has one path only")


async def test_points_are_written_below_its_path(server: Server, socket_enabled: None) -> None:
    below = replace(destination_of(server, DATABASE), url=f"{server.url}/influx")
    async with aiohttp.ClientSession() as session:
        found = await probe(session, below.url)
        client = InfluxClient(session, below)
        checked = await client.check()
        result = await client.write(f"below,t=a v=1 {int(time.time()) * 10**9}".encode())

    assert found.dialect is Dialect.VICTORIAMETRICS
    assert (checked.kind, result.kind) == (Kind.ACCEPTED, Kind.ACCEPTED)
    async with asyncio.timeout(20):
        while not server.query_points("below"):
            await asyncio.sleep(0.2)


async def test_a_path_that_the_server_does_not_know_is_not_a_database(
    server: Server, socket_enabled: None
) -> None:
    # A server alone has no tenants.
    below = replace(destination_of(server, DATABASE), url=f"{server.url}/insert/0/influx")
    async with aiohttp.ClientSession() as session:
        result = await InfluxClient(session, below).write(b"m v=1")

    assert (result.kind, result.problem) == (Kind.BLOCKED, Problem.NOT_A_DATABASE)
