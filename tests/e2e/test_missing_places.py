"""What a destination lacks is created on the real servers, where the credentials allow it."""

from dataclasses import replace
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

from . import summary

CASES: dict[str, tuple[dict[str, Any], Problem | None]] = {
    "influxdb2": ({"bucket": "new bucket"}, Problem.BUCKET_NOT_FOUND),
    "influxdb1": ({"database": 'new "db"', "retention_policy": "for ever"}, None),
    "influxdb1-debian": ({"database": "new db"}, Problem.DATABASE_NOT_FOUND),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_missing_place_is_created_and_takes_points(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    missing = binary(name)
    noted = request.node.user_properties
    if isinstance(missing, Unavailable):
        noted.append((summary.MISSING, (name, missing.reason)))
        pytest.skip(f"{name}: {missing.reason}")
    place, problem = CASES[name]
    with servers.start(name, tmp_path, auth=True) as server:
        noted.append((summary.EXERCISED, (name, server.version or DATABASES[name].version)))
        destination = Destination(
            url=server.url,
            dialect=Dialect(server.dialect),
            org=server.org or "",
            token=server.token or "",
            username=server.user or "",
            password=server.password or "",
        )
        destination = replace(destination, **place)
        async with aiohttp.ClientSession() as session:
            client = InfluxClient(session, destination)
            administrator = administrator_of(session, destination)
            refused = await client.check()
            assert refused.kind is Kind.BLOCKED
            assert problem is None or refused.problem is problem

            assert (await administrator.create_missing()).kind is Kind.ACCEPTED

            assert (await client.check()).kind is Kind.ACCEPTED
            assert (await client.write(b"m v=1 1")).kind is Kind.ACCEPTED
            stranger = replace(destination, token="wrong", password="wrong", bucket="x")
            denied = await administrator_of(session, stranger).create_missing()
            assert denied.kind is not Kind.ACCEPTED
