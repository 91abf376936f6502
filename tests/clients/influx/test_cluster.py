"""A cluster of VictoriaMetrics is written to below a path, also through vmauth.

The paths and answers are those of vminsert and vmauth 1.150.
"""

from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from custom_components.ha_ingestor.clients.influx.client import InfluxClient
from custom_components.ha_ingestor.clients.influx.destination import Destination
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.probe import probe
from custom_components.ha_ingestor.clients.influx.victoriametrics import ask_storage
from custom_components.ha_ingestor.pipeline.export.result import Kind, Problem
from tests.emulator import VM_AUTH, VM_CLUSTER, Emulator, Profile

pytestmark = pytest.mark.usefixtures("socket_enabled")

PREFIX = "/insert/0/influx"
LINE = b"home_assistant_events,entity_id=sensor.a value=1 1800000000000000000"
# As with `-http.header.disableServerHostname`, or behind a proxy that removes what it doesn't know.
UNMARKED = replace(VM_CLUSTER, headers={})


@pytest.fixture(name="session")
async def _session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def destination(url: str, token: str = "") -> Destination:
    return Destination(url=url, dialect=Dialect.VICTORIAMETRICS, token=token)


@pytest.mark.parametrize("profile", [VM_CLUSTER, UNMARKED], ids=["marked", "unmarked"])
async def test_a_cluster_is_recognized_below_its_path_and_takes_points_there(
    session: aiohttp.ClientSession, profile: Profile
) -> None:
    async with Emulator(profile=profile, prefix=PREFIX) as server:
        found = await probe(session, server.url)
        client = InfluxClient(session, destination(server.url))
        checked = await client.check()
        result = await client.write(LINE)

    assert (found.dialect, found.problem) == (Dialect.VICTORIAMETRICS, Problem.NONE)
    assert (checked.kind, result.kind) == (Kind.ACCEPTED, Kind.ACCEPTED)
    assert server.url.endswith(PREFIX)
    assert len(server.stored) == 1


@pytest.mark.parametrize("prefix", [PREFIX, "/metrics-store/team", ""])
async def test_behind_vmauth_it_is_recognized_and_the_credentials_decide(
    session: aiohttp.ClientSession, prefix: str
) -> None:
    async with Emulator(profile=VM_AUTH, prefix=prefix) as server:
        server.allowed = {"Bearer right"}
        found = await probe(session, server.url)
        wrong = await InfluxClient(session, destination(server.url, "wrong")).check()
        client = InfluxClient(session, destination(server.url, "right"))
        checked = await client.check()
        result = await client.write(LINE)

    assert (found.dialect, found.problem) == (Dialect.VICTORIAMETRICS, Problem.NONE)
    assert (wrong.kind, wrong.problem) == (Kind.BLOCKED, Problem.INVALID_AUTH)
    assert (checked.kind, result.kind) == (Kind.ACCEPTED, Kind.ACCEPTED)


@pytest.mark.parametrize("profile", [VM_CLUSTER, VM_AUTH], ids=["vminsert", "vmauth"])
@pytest.mark.parametrize("path", ["", "/insert/0", "/insert/1/influx", "/select/0/prometheus"])
async def test_another_path_is_no_database_and_no_fault_of_the_points(
    session: aiohttp.ClientSession, profile: Profile, path: str
) -> None:
    async with Emulator(profile=profile, prefix=PREFIX) as server:
        url = server.url.removesuffix(PREFIX) + path
        result = await InfluxClient(session, destination(url)).write(LINE)

    assert (result.kind, result.problem) == (Kind.BLOCKED, Problem.NOT_A_DATABASE)


async def test_of_a_cluster_it_is_not_known_whether_it_deduplicates(
    session: aiohttp.ClientSession,
) -> None:
    async with Emulator(profile=VM_CLUSTER, prefix=PREFIX) as server:
        storage = await ask_storage(session, destination(server.url))
    assert (storage.deduplicates, storage.ignored) == (None, None)
