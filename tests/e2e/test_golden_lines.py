"""Every line that a profile makes of the golden home is taken by the real servers, and is there."""

import asyncio

from scripts.rig.servers import Server
from tests.golden.lines import PROFILES, stored

from .test_line_protocol_on_real_servers import READERS, deliver

pytest_plugins = ["tests.e2e.one_server"]


def test_every_golden_line_is_one_point(server: Server) -> None:
    numbers = {"victoriametrics"}
    is_numeric = server.dialect in numbers
    for name in numbers if is_numeric else PROFILES.keys() - numbers:
        lines = stored(name).read_bytes().splitlines()
        database = f"golden_{name}"
        reader = READERS[server.dialect](server, database)

        asyncio.run(deliver(server, database, lines))

        assert len(reader.found(len(lines))) == len(lines), name
