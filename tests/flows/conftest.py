"""A database, and an entry that does nothing with it."""

from collections.abc import AsyncIterator, Iterator
from unittest.mock import AsyncMock, patch

import pytest

from custom_components import ha_ingestor
from tests.emulator import V2_7, Emulator


@pytest.fixture(name="setup_entry")
def _setup_entry() -> Iterator[AsyncMock]:
    """Keep the entry from doing anything."""
    with (
        patch.object(ha_ingestor, "async_setup_entry", return_value=True) as setup_entry,
        patch.object(ha_ingestor, "async_unload_entry", return_value=True),
    ):
        yield setup_entry


@pytest.fixture(name="server")
async def _server() -> AsyncIterator[Emulator]:
    """Serve an InfluxDB 2 that knows one token."""
    async with Emulator(profile=V2_7) as server:
        server.allowed = {"Token good"}
        yield server
