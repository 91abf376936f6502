"""Whether VictoriaMetrics stores a repeated point once: as it says itself, or not at all."""

from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from custom_components.ha_ingestor.clients.influx import Destination
from custom_components.ha_ingestor.clients.victoriametrics import deduplicates
from custom_components.ha_ingestor.pipeline.outcome import Dialect
from tests.emulator import V2_7, VM_NEW, VM_OLD, Answer, Emulator, Profile
from tests.shell import NOWHERE

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Lend a session, as Home Assistant would."""
    async with aiohttp.ClientSession() as session:
        yield session


def at(url: str, token: str = "") -> Destination:
    return Destination(url=url, dialect=Dialect.VICTORIAMETRICS, token=token)


@pytest.mark.parametrize("profile", [VM_OLD, VM_NEW], ids=lambda profile: profile.version)
@pytest.mark.parametrize(
    ("value", "expected"),
    [("0s", False), ("0", False), ("0ms", False), ("1ms", True), ("10s", True), ("1m30s", True)],
)
async def test_the_flag_says_it(
    session: aiohttp.ClientSession, profile: Profile, value: str, expected: object
) -> None:
    assert '"0s"' in profile.metrics
    started = replace(profile, metrics=profile.metrics.replace('"0s"', f'"{value}"'))
    async with Emulator(profile=started, prefix="/sub") as server:
        assert await deduplicates(session, at(server.url)) is expected


async def test_a_busy_server_says_it_at_the_end_of_a_long_page(
    session: aiohttp.ClientSession,
) -> None:
    long = "vm_requests_total 1\n" * 50_000 + VM_NEW.metrics
    async with Emulator(profile=replace(VM_NEW, metrics=long)) as server:
        assert await deduplicates(session, at(server.url)) is False


async def test_credentials_are_shown(session: aiohttp.ClientSession) -> None:
    async with Emulator(profile=VM_NEW) as server:
        server.allowed = {"Bearer good"}
        assert await deduplicates(session, at(server.url)) is None
        assert await deduplicates(session, at(server.url, "good")) is False


async def test_a_server_that_does_not_tell_is_not_blamed(session: aiohttp.ClientSession) -> None:
    async with Emulator(profile=replace(VM_NEW, metrics="vmauth_user_requests_total 1\n")) as proxy:
        assert await deduplicates(session, at(proxy.url)) is None
        proxy.impostor = Answer(status=200, body="<html>", headers={"Content-Type": "text/html"})
        assert await deduplicates(session, at(proxy.url)) is None
    async with Emulator(profile=V2_7) as other:
        assert await deduplicates(session, at(other.url)) is None
    assert await deduplicates(session, at(NOWHERE)) is None
