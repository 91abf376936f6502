"""What real servers list and create, and what the task of the daily summary writes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from custom_components.ha_ingestor.clients.influx.administrator import administrator_of
from custom_components.ha_ingestor.clients.influx.client import InfluxClient
from custom_components.ha_ingestor.clients.influx.destination import Destination
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.pipeline.export.result import Kind, Problem
from scripts.rig import servers
from scripts.rig.databases import DATABASES, Unavailable, binary
from scripts.rig.servers import Server

from . import summary
from .installation import until

# It has no types.
LIBRARY: Any = import_module("influxdb_client")

DAY = 86_400
NAME = "new $home {x}"


@contextmanager
def running(name: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Start a server of its own, or skip where there is none."""
    missing = binary(name)
    noted = request.node.user_properties
    if isinstance(missing, Unavailable):
        noted.append((summary.MISSING, (name, missing.reason)))
        pytest.skip(f"{name}: {missing.reason}")
    with servers.start(name, folder, auth=True) as server:
        noted.append((summary.EXERCISED, (name, server.version or DATABASES[name].version)))
        yield server


def place(server: Server) -> Destination:
    return Destination(
        url=server.url,
        dialect=Dialect(server.dialect),
        org=server.org or "",
        token=server.token or "",
        username=server.user or "",
        password=server.password or "",
        bucket=NAME,
        database=NAME,
    )


@pytest.mark.parametrize("name", ["influxdb2", "influxdb1", "influxdb1-debian"])
async def test_names_are_listed_and_a_new_one_has_the_retention(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with running(name, tmp_path, request) as server:
        there = place(server)
        async with aiohttp.ClientSession() as session:
            administrator = administrator_of(session, there)
            assert (await administrator.list_databases()).names == (server.database,)
            for _ in range(2):  # the second time it is taken as it is
                assert (await administrator.create_missing(30)).kind is Kind.ACCEPTED
            assert NAME in (await administrator.list_databases()).names
            client = InfluxClient(session, there)
            assert (await client.check()).kind is Kind.ACCEPTED
            assert await client.retention() == 30 * DAY
            if there.dialect is Dialect.V1:
                policies = await administrator.list_policies([server.database, NAME])
                assert "autogen" in policies.names
            wrong = administrator_of(session, replace(there, token="", password="wrong"))
            assert (await wrong.list_databases()).result.problem is Problem.INVALID_AUTH


@pytest.mark.parametrize("name", ["victoriametrics", "victoriametrics-debian"])
async def test_victoriametrics_needs_nothing_to_be_created(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with running(name, tmp_path, request) as server:
        async with aiohttp.ClientSession() as session:
            administrator = administrator_of(session, place(server))
            assert (await administrator.list_databases()).names == ()
            assert (await administrator.create_missing(30)).kind is Kind.ACCEPTED


async def test_a_token_that_may_only_write_lists_nothing_and_may_not_create(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with running("influxdb2", tmp_path, request) as server:
        token = _write_only(server)
        async with aiohttp.ClientSession() as session:
            administrator = administrator_of(session, replace(place(server), token=token))
            for listing in (
                await administrator.list_orgs(),
                await administrator.list_databases(),
            ):
                assert (listing.names, listing.result.kind) == ((), Kind.ACCEPTED)
            assert (await administrator.create_missing(1)).problem is Problem.FORBIDDEN


def _write_only(server: Server) -> str:
    with LIBRARY.InfluxDBClient(server.url, token=server.token) as client:
        bucket = client.buckets_api().find_bucket_by_name(server.database)
        resource = LIBRARY.PermissionResource(type="buckets", id=bucket.id, org_id=bucket.org_id)
        made = client.authorizations_api().create_authorization(
            org_id=bucket.org_id,
            permissions=[LIBRARY.Permission(action="write", resource=resource)],
        )
        return str(made.token)


async def test_the_daily_summary_has_mean_min_max_and_last_of_numbers_only(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with running("influxdb2", tmp_path, request) as server:
        there = place(server)
        noon = int(time.time()) // DAY * DAY - DAY // 2
        lines = [
            f'm,entity_id=a value={value},state="x",whole={value}i,on=true {noon + value}000000000'
            for value in (1, 2, 6)
        ]
        async with aiohttp.ClientSession() as session:
            administrator = administrator_of(session, there)
            assert (await administrator.create_missing(30)).kind is Kind.ACCEPTED
            for _ in range(2):
                assert (await administrator.create_summary("UTC")).kind is Kind.ACCEPTED
            written = await InfluxClient(session, there).write("\n".join(lines).encode())
            assert written.kind is Kind.ACCEPTED
        rows = _summed_up(server)
    expected = {"mean": 3.0, "min": 1.0, "max": 6.0, "last": 6.0}
    assert rows == {
        (f"{field}_{kind}", noon // DAY * DAY): value
        for field in ("value", "whole")
        for kind, value in expected.items()
    }


def _status(tasks: Any, task_id: str, run_id: str) -> str:
    """Read how a run ended; the server does not know it for the first moment."""
    try:
        return str(tasks.get_run(task_id, run_id).status)
    except LIBRARY.rest.ApiException as err:
        if err.status == HTTPStatus.NOT_FOUND:
            return "unknown"
        raise


def _summed_up(server: Server) -> dict[tuple[str, int], Any]:
    """Run the task, and read what it wrote."""
    with LIBRARY.InfluxDBClient(server.url, token=server.token, org=server.org) as client:
        tasks = client.tasks_api()
        (task,) = tasks.find_tasks()
        run = tasks.run_manually(task.id)
        assert until(lambda: _status(tasks, task.id, run.id) in {"success", "failed"})
        bucket = client.buckets_api().find_bucket_by_name(f"{NAME}_daily")
        assert bucket.retention_rules[0].every_seconds == 1_826 * DAY
        found = client.query_api().query(f'from(bucketID: "{bucket.id}") |> range(start: -9d)')
        return {
            (row.get_field(), int(row.get_time().timestamp())): row.get_value()
            for table in found
            for row in table.records
        }
