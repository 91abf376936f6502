"""One Home Assistant for all the tests of a worker, and every server that can be had."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from unittest.mock import patch

import pytest
import pytest_socket

from scripts.rig.databases import DATABASES, Unavailable, binary
from scripts.rig.home_assistant import HomeAssistant
from scripts.rig.servers import Server

from . import influxdb3, summary

# Groups that take more than about half a minute, the longest first: begun last, one of them would
# keep a worker busy alone. Those with a browser are not all at the beginning.
LONG: Final = (
    *("test_remote", "test_panel_in_a_large_home", "test_data_api", "test_gaps", "test_panel"),
    *("test_compare", "test_dashboards", "test_outages", "test_repairs_in_browser"),
    *("test_registry_history", "test_options", "test_walk_in_browser", "test_metadata"),
    *("test_self_test", "test_soak", "test_core_is_the_built_in_integration", "test_mqtt"),
    *("test_options_in_browser", "test_health_api", "test_set_up", "test_browser"),
)

pytest.register_assert_rewrite("tests.e2e.installation")

from .installation import Destination, Installation  # noqa: E402  its assertions are worth reading


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
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    return LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG)


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
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Start Home Assistant and every server, and connect them."""
    with ExitStack() as stack:
        home = HomeAssistant(directory=tmp_path_factory.mktemp("home_assistant"))
        stack.callback(home.stop)
        home.start()
        installation = Installation(home=home)
        for name in DATABASES:
            if isinstance(binary(name), Unavailable):
                continue
            server = Server(name=name, directory=tmp_path_factory.mktemp(name), auth=True)
            stack.enter_context(server).start()
            installation.destinations[name] = installation.connect(server, server.database)
        if named := influxdb3.from_environment(f"home_assistant_{secrets.token_hex(4)}"):
            installation.destinations[influxdb3.NAME] = installation.connect(named, named.database)
        yield installation


@pytest.fixture(params=[*DATABASES, influxdb3.NAME])
def destination(installation: Installation, request: pytest.FixtureRequest) -> Destination:
    """One database after the other; those that are not there are skipped, and named at the end."""
    name = request.param
    noted = request.node.user_properties
    if found := installation.destinations.get(name):
        version = found.server.version or DATABASES[name].version
        noted.append((summary.EXERCISED, (name, version)))
        return found
    reason = _why_missing(name)
    noted.append((summary.MISSING, (name, reason)))
    pytest.skip(f"{name}: {reason}")


@pytest.fixture
def spare(installation: Installation) -> Iterator[Destination]:
    """Make a database and an entry for it, on InfluxDB 2 or whichever server there is."""
    with installation.spare() as destination:
        yield destination


def _why_missing(name: str) -> str:
    if name == influxdb3.NAME:
        return influxdb3.MISSING
    missing = binary(name)
    return missing.reason if isinstance(missing, Unavailable) else "it came during this run"
