"""The administration client."""

from collections.abc import AsyncIterator
from urllib.parse import quote

import aiohttp
import pytest

from custom_components.ha_ingestor.clients.exchange import DETAIL_MAX
from custom_components.ha_ingestor.clients.influx.administrator import administrator_of
from custom_components.ha_ingestor.clients.influx.destination import Destination
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.pipeline.export.result import Kind
from tests.emulator import Answer, Emulator

pytestmark = pytest.mark.usefixtures("socket_enabled")

SECRETS = {
    Dialect.V1: {"username": "u", "password": "s3cr3t/pass word"},
    Dialect.V2: {"token": "s3cr3t-token"},
}


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Provide a session, as Home Assistant does."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.mark.parametrize("dialect", SECRETS)
@pytest.mark.parametrize(
    "body",
    [
        '{"error":"you sent SECRET QUOTED XXX"}',
        '{"code":"x","message":"SECRET XXX"}',
        '{"results":[{"error":"SECRET XXX"}],"orgs":[{"id":"1"}]}',
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401])
async def test_what_the_server_says_is_cut_and_holds_no_secret(
    session: aiohttp.ClientSession, dialect: Dialect, body: str, status: int
) -> None:
    async with Emulator(dialect=dialect) as server:
        secret = list(SECRETS[dialect].values())[-1]
        body = body.replace("SECRET", secret).replace("QUOTED", quote(secret, safe=""))
        server.impostor = Answer(status=status, body=body.replace("XXX", "x" * 2000))
        place = Destination(url=server.url, dialect=dialect, org="o", **SECRETS[dialect])
        verdict = await administrator_of(session, place).create_missing()

    assert verdict.kind is not Kind.ACCEPTED
    assert "s3cr3t" not in verdict.detail
    assert len(verdict.detail) <= DETAIL_MAX


@pytest.mark.parametrize("dialect", SECRETS)
@pytest.mark.parametrize(
    "body", ["", "[]", "<html>", '{"results":5}', '{"results":["x"]}', '{"orgs":[1]}', '{"orgs":3}']
)
async def test_an_answer_that_is_not_the_databases_is_no_accepted_creation(
    session: aiohttp.ClientSession, dialect: Dialect, body: str
) -> None:
    async with Emulator(dialect=dialect) as server:
        server.impostor = Answer(status=200, body=body)
        place = Destination(url=server.url, dialect=dialect, org="o", **SECRETS[dialect])
        verdict = await administrator_of(session, place).create_missing()

    assert verdict.kind is not Kind.ACCEPTED
