"""Only the real database acknowledges, and what it keeps no more does not stop the rest."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import aiohttp
import pytest

from custom_components.ha_ingestor.clients.influx.client import InfluxClient
from custom_components.ha_ingestor.clients.influx.destination import Destination
from custom_components.ha_ingestor.clients.influx.victoriametrics import ask_storage
from custom_components.ha_ingestor.pipeline.export.result import Kind, Problem
from scripts.rig.endpoint import Account
from scripts.rig.servers import DATABASE, Server
from tests.faults.proxy import MARKS, Answer, Proxy, Trouble
from tests.faults.rig import Clocks, Rig, quarantined
from tests.pipeline.memory_files import MemoryFiles

from .access import destination_of, endpoint_of

pytest_plugins = ["tests.e2e.one_server"]

WEEK: Final = 7 * 24 * 3600
COUNT: Final = 10_000


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    """Provide a session, as Home Assistant does."""
    async with aiohttp.ClientSession() as session:
        yield session


@asynccontextmanager
async def _hidden(
    session: aiohttp.ClientSession, server: Server
) -> AsyncIterator[tuple[InfluxClient, Proxy]]:
    async with Proxy(upstream=server.url, removes=MARKS) as proxy:
        destination = replace(destination_of(server, DATABASE), url=proxy.url)
        yield InfluxClient(session, destination), proxy


def _lines(measurement: str, count: int, age: float) -> list[str]:
    since = int((time.time() - age) * 1000)
    return [f"{measurement},n={i % 7} v={i} {(since + i) * 10**6}" for i in range(count)]


async def test_a_database_behind_a_proxy_without_its_marks_acknowledges(
    server: Server, session: aiohttp.ClientSession
) -> None:
    async with _hidden(session, server) as (client, proxy):
        assert (await client.check()).kind is Kind.ACCEPTED
        asked = proxy.requests
        result = await client.write(_lines("hidden", 1, 60)[0].encode())

        assert result.code == 204
        assert result.kind is Kind.ACCEPTED
        assert proxy.requests == asked + 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=204),
        Answer(status=200, body='{"code":401,"message":"login required"}'),
        Answer(status=200, body="<html>", headers={"Content-Type": "text/html"}),
    ],
)
async def test_a_captive_portal_acknowledges_nothing(
    server: Server, session: aiohttp.ClientSession, answer: Answer
) -> None:
    async with _hidden(session, server) as (client, proxy):
        assert (await client.check()).kind is Kind.ACCEPTED
        proxy.trouble = lambda: Trouble(breaks="reset")
        await client.write(b"m v=1 1")
        proxy.trouble = lambda: Trouble(answer=answer)
        result = await client.write(b"m v=1 1")

        assert result.problem is Problem.PROXY


def _keeps_a_week(server: Server, name: str, *, may_read: bool) -> Destination:
    """Make a database that keeps a week, with credentials that may see that or not."""
    endpoint = endpoint_of(server)
    if server.dialect == "v1":
        commands = [f"CREATE DATABASE {name} WITH DURATION 7d NAME week"]
        if not may_read:
            commands += [
                f"CREATE USER {name} WITH PASSWORD 'writes only'",
                f"GRANT WRITE ON {name} TO {name}",
            ]
        for query in commands:
            endpoint.request("/query", {"q": query}, body=b"")
        owner = destination_of(server, name)
        return owner if may_read else replace(owner, username=name, password="writes only")
    (org,) = json.loads(endpoint.request("/api/v2/orgs", {"org": server.org}))["orgs"]

    def post(path: str, content: object) -> dict[str, str]:
        body = json.dumps(content).encode()
        made: dict[str, str] = json.loads(endpoint.request(f"/api/v2/{path}", body=body))
        return made

    rule = {"type": "expire", "everySeconds": WEEK}
    post("buckets", {"orgID": org["id"], "name": name, "retentionRules": [rule]})
    owner = destination_of(server, name)
    if may_read:
        return owner
    writes = {"action": "write", "resource": {"type": "buckets", "orgID": org["id"]}}
    account = Account(
        token=post("authorizations", {"orgID": org["id"], "permissions": [writes]})["token"]
    )
    return replace(owner, token=account.token)


@pytest.mark.parametrize("may_read", [True, False], ids=["may read", "may write only"])
async def test_ten_thousand_expired_points_do_not_stop_the_fresh_ones(
    server: Server, session: aiohttp.ClientSession, *, may_read: bool
) -> None:
    if server.dialect == "victoriametrics":
        pytest.skip("it says nothing of points that it drops")
    name = "week_read" if may_read else "week_write"
    client = InfluxClient(session, _keeps_a_week(server, name, may_read=may_read))
    assert await client.retention() == (WEEK if may_read else None)
    clocks = Clocks(wall=time.time())
    rig = Rig(MemoryFiles(), client, clocks=clocks)
    old, fresh = _lines("expiry", COUNT, 30 * 86_400), _lines("expiry", COUNT, 3600)
    # The last of them is still stored by a database that does not look at its clock at each write.
    edge = _lines("edge", 200, WEEK + 100)
    rig.commit([*old, *edge, *fresh])
    began = time.monotonic()
    assert await rig.deliver() == []

    assert time.monotonic() - began < 60
    assert rig.ledger.written == COUNT
    assert sorted(quarantined(rig)) == sorted([*old, *edge])
    assert len(server.query_points("expiry", name)) == COUNT


async def test_what_victoriametrics_takes_and_does_not_store_can_be_seen(
    server: Server, session: aiohttp.ClientSession
) -> None:
    if server.dialect != "victoriametrics":
        pytest.skip("it refuses what it does not store")
    destination = destination_of(server, DATABASE)
    before = (await ask_storage(session, destination)).ignored
    client = InfluxClient(session, destination)
    lines = [*_lines("ignored", 30, -5 * 86_400), *_lines("ignored", 3, 60)]
    result = await client.write("\n".join(lines).encode())
    assert result.kind is Kind.ACCEPTED
    assert before is not None
    expected = before["big_timestamp"] + 30

    async def counted() -> int:
        ignored = (await ask_storage(session, destination)).ignored or {}
        return ignored["big_timestamp"]

    async with asyncio.timeout(30):
        # Its own numbers are a second old at most.
        while await counted() < expected:
            await asyncio.sleep(0.2)
    assert await counted() == expected
