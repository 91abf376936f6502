"""The client library of InfluxDB 2, imported by two threads at once in a process of its own."""

import asyncio
import sys
from pathlib import Path

_SCRIPT = """
import custom_components.ha_ingestor.clients.influx.admin_v2 as admin
import custom_components.ha_ingestor.clients.influx.read_back as read_back
from custom_components.ha_ingestor.clients.influx.destination import Destination
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
import asyncio

def destination():
    return Destination(dialect=Dialect.V2, url="http://127.0.0.1:9", token="t", org="o", bucket="b")

async def run():
    reader = read_back.ReadBack(None, destination())
    admins = admin.InfluxDB2Administrator(destination())
    return await asyncio.gather(admins.list_databases(), reader.prepare(), return_exceptions=True)

listing, prepared = asyncio.run(run())
import influxdb_client
print(listing.result.problem, prepared, hasattr(influxdb_client, "rest"))
"""


async def test_the_library_can_be_imported_by_two_threads_at_once() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _SCRIPT,
        cwd=Path(__file__).parents[3],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert out.split() == [b"unreachable", b"None", b"True"], err.decode()
