"""One real server after the other, without Home Assistant; test modules name this as a plugin."""

from collections.abc import Iterator
from typing import Final

import pytest

from scripts.rig.databases import DATABASES, Unavailable, binary
from scripts.rig.servers import Server, start

from . import summary

# Tests of one server stay together when several processes share the work.
_EACH: Final = [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in DATABASES]


@pytest.fixture(scope="module", params=_EACH, name="found_server")
def _found_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Server | Unavailable]]:
    """A server that demands credentials where it knows any, or why there is none."""
    name = request.param
    if isinstance(missing := binary(name), Unavailable):
        yield name, missing
        return
    with start(name, tmp_path_factory.mktemp(name), auth=True) as server:
        yield name, server


@pytest.fixture(name="server")
def _server(
    request: pytest.FixtureRequest, found_server: tuple[str, Server | Unavailable]
) -> Server:
    """The server, named in the last line of the run; the test is skipped where there is none."""
    name, server = found_server
    noted = request.node.user_properties
    if isinstance(server, Unavailable):
        noted.append((summary.MISSING, (name, server.reason)))
        pytest.skip(f"{name}: {server.reason}")
    noted.append((summary.EXERCISED, (name, server.version or DATABASES[name].version)))
    return server
