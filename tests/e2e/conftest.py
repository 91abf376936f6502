"""One Home Assistant for all the tests of a worker, and every server that can be had."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import pytest
import pytest_socket

from scripts.rig.databases import DATABASES, Unavailable, binary
from scripts.rig.home_assistant import HomeAssistant
from scripts.rig.servers import Server

from . import summary

pytest.register_assert_rewrite("tests.e2e.house")

from .house import Destination, House  # noqa: E402  its assertions are worth reading


def pytest_configure(config: pytest.Config) -> None:
    """Print the last line also when this directory alone is run."""
    if not config.pluginmanager.is_registered(summary):
        config.pluginmanager.register(summary)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this directory; with xdist, what shares a scenario stays on one worker."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            if item.get_closest_marker("xdist_group") is None:
                item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    """Keep Home Assistant's test harness from forbidding sockets before each of these tests."""
    pytest_socket.enable_socket()
    with patch.object(pytest_socket, "disable_socket"):
        return (yield)


@pytest.fixture
def enable_custom_integrations() -> None:
    """Home Assistant is a process here, and no fixture."""


@pytest.fixture
def verify_cleanup() -> None:
    """Threads and tasks of this process are not what is tested."""


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Start Home Assistant and every server, and connect them."""
    with ExitStack() as stack:
        home = HomeAssistant(directory=tmp_path_factory.mktemp("home_assistant"))
        stack.callback(home.stop)
        home.start()
        house = House(home=home)
        for name in DATABASES:
            if isinstance(binary(name), Unavailable):
                continue
            server = Server(name=name, directory=tmp_path_factory.mktemp(name), auth=True)
            stack.enter_context(server).start()
            house.destinations[name] = house.connect(server, server.database)
        yield house


@pytest.fixture(params=DATABASES)
def destination(house: House, request: pytest.FixtureRequest) -> Destination:
    """One database after the other; those that are not there are skipped, and named at the end."""
    name = request.param
    noted = request.node.user_properties
    if (found := house.destinations.get(name)) is None:
        missing = binary(name)
        reason = missing.reason if isinstance(missing, Unavailable) else "made during this run"
        noted.append((summary.MISSING, (name, reason)))
        pytest.skip(f"{name}: {reason}")
    noted.append((summary.EXERCISED, (name, found.server.version or DATABASES[name].version)))
    return found
