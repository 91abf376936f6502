"""What every test needs."""

import logging
from collections.abc import AsyncIterator, Iterator
from unittest.mock import patch

import pytest
from homeassistant.helpers.entity import Entity
from hypothesis import HealthCheck, settings
from pytest_homeassistant_custom_component.common import MockConfigEntry

# The test harness has a `custom_components` of its own; whichever is imported first is found.
import custom_components.ha_ingestor  # noqa: F401
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from tests.emulator import Emulator
from tests.shell import new_entry

from .tls import Authority, make_authority

# How long an example takes says something of the machine, and nothing of the code.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

# The test harness logs every statement of the recorder.
logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)


@pytest.fixture(autouse=True)
def _our_integration_is_found(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant, where a test wants one, load what is in this repository."""
    # The recorder has to be there before Home Assistant is.
    if "recorder_mock" in request.fixturenames:
        request.getfixturevalue("recorder_mock")
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")


@pytest.fixture(scope="session", name="authority")
def _authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Lend a home-made certificate authority."""
    return make_authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Write spools where they are forgotten."""
    return hass_tmp_config_dir


@pytest.fixture
async def database(socket_enabled: None) -> AsyncIterator[Emulator]:
    """An InfluxDB 1 that takes everything."""
    async with Emulator(dialect=Dialect.V1) as server:
        yield server


@pytest.fixture
def entry(database: Emulator) -> MockConfigEntry:
    """A destination, not set up yet."""
    return new_entry(database.url)


@pytest.fixture
def everything_shown() -> Iterator[None]:
    """Be a user who has enabled every entity."""
    with patch.object(Entity, "entity_registry_enabled_default", new=True):
        yield
