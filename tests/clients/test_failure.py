"""What a user reads when there was no reply."""

import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from yarl import URL

from custom_components.ha_ingestor.clients.exchange import CHECK_TIMEOUT, Failure, exchange
from tests.emulator import V2_7, Emulator, Fault
from tests.tls import Authority

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Provide a session, as Home Assistant does."""
    async with aiohttp.ClientSession() as session:
        yield session


async def said(session: aiohttp.ClientSession, url: str) -> tuple[Failure | None, str]:
    reply = await exchange(session, "POST", URL(url), ssl=True, timeout=CHECK_TIMEOUT)
    return reply.failure, reply.detail


async def test_a_port_without_a_listener_is_unreachable(session: aiohttp.ClientSession) -> None:
    expected = Failure.UNREACHABLE, "127.0.0.1:1: Connection refused"
    assert await said(session, "http://127.0.0.1:1") == expected


async def test_a_host_with_several_addresses_gives_a_plain_error(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def several(*_: object, **__: object) -> list[dict[str, object]]:
        rows = ((socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1"))
        return [
            {"hostname": "db", "host": host, "port": 1, "family": family, "proto": 0, "flags": 0}
            for family, host in rows
        ]

    connector = session.connector
    assert isinstance(connector, aiohttp.TCPConnector)
    monkeypatch.setattr(connector, "_resolve_host", several)
    failure, detail = await said(session, "http://db:1")
    assert failure is Failure.UNREACHABLE
    assert detail.startswith("db:1: ")
    assert not {"Errno", "Multiple", "Error:"} & set(detail.split())
    assert "[" not in detail


async def test_a_host_name_that_cannot_be_resolved_is_unreachable(
    session: aiohttp.ClientSession,
) -> None:
    expected = Failure.UNREACHABLE, "nobody.invalid: Host name not found"
    assert await said(session, "http://nobody.invalid:8086") == expected


async def test_a_certificate_of_an_unknown_authority_is_a_tls_failure(
    session: aiohttp.ClientSession, authority: Authority
) -> None:
    async with Emulator(profile=V2_7, tls=authority.server_context) as server:
        failure, detail = await said(session, server.url)
    assert failure is Failure.TLS
    assert "certificate" in detail
    assert "_ssl.c" not in detail


async def test_http_where_https_is_wanted(session: aiohttp.ClientSession) -> None:
    async with Emulator(profile=V2_7) as server:
        failure, detail = await said(session, server.url.replace("http://", "https://"))
    assert failure is Failure.TLS
    assert detail.endswith("rong version number")


async def test_a_connection_that_is_cut_is_a_reset(session: aiohttp.ClientSession) -> None:
    async with Emulator(profile=V2_7) as server:
        server.faults.append(Fault(kind="reset"))
        failure, detail = await said(session, f"{server.url}/api/v2/write")
    assert failure is Failure.RESET
    assert detail in {"The server closed the connection", "Connection reset by peer"}
