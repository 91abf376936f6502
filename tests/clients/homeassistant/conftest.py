"""A session, and a Home Assistant that does what a test wants."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.emulator.home_assistant import Home


@pytest.fixture(name="session")
async def _session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture(name="home")
async def _home() -> AsyncIterator[Home]:
    async with Home() as home:
        yield home
