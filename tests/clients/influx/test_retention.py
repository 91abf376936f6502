"""For how long a database keeps points: as it says, or unknown."""

import math
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from custom_components.ha_ingestor.clients.influx.client import InfluxClient
from custom_components.ha_ingestor.clients.influx.destination import Destination
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from tests.emulator import V1_13, V2_7, V3, VM_NEW, Answer, Emulator, Profile

pytestmark = pytest.mark.usefixtures("socket_enabled")

WEEK = 7 * 86_400


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Provide a session, as Home Assistant does."""
    async with aiohttp.ClientSession() as session:
        yield session


def place(server: Emulator, retention_policy: str = "") -> Destination:
    return Destination(
        url=server.url,
        dialect=server.profile.dialect,
        org="home",
        bucket="home_assistant",
        database="home_assistant",
        token="good token",
        retention_policy=retention_policy,
    )


@pytest.mark.parametrize(
    ("profile", "retention", "expected"),
    [
        (V1_13, WEEK, WEEK),
        (V1_13, 90_061, 90_061),
        (V1_13, None, math.inf),
        (V2_7, WEEK, WEEK),
        (V2_7, None, math.inf),
        (V3, WEEK, None),
        (VM_NEW, WEEK, None),
    ],
)
async def test_the_retention_is_what_the_server_says(
    session: aiohttp.ClientSession,
    profile: Profile,
    retention: int | None,
    expected: float | None,
) -> None:
    async with Emulator(profile=profile, retention=retention) as server:
        assert await InfluxClient(session, place(server)).retention() == expected


async def test_the_retention_is_that_of_the_named_policy(session: aiohttp.ClientSession) -> None:
    async with Emulator(profile=V1_13, retention=WEEK) as server:
        names = ("other", "autogen", "missing")
        found = [
            await InfluxClient(session, place(server, retention_policy=name)).retention()
            for name in names
        ]

    assert found == [3600, WEEK, None]


@pytest.mark.parametrize("profile", [V1_13, V2_7], ids=lambda known: known.version)
async def test_without_the_permission_to_see_it_the_retention_is_unknown(
    session: aiohttp.ClientSession, profile: Profile
) -> None:
    async with Emulator(profile=profile, retention=WEEK) as server:
        server.allowed = {"another"}
        assert await InfluxClient(session, place(server)).retention() is None
        server.allowed = set()
        server.names["bucket"] = set()
        if profile.dialect is Dialect.V2:
            assert await InfluxClient(session, place(server)).retention() is None


@pytest.mark.parametrize("profile", [V1_13, V2_7], ids=lambda known: known.version)
@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=200, body=""),
        Answer(status=200, body="[]"),
        Answer(status=200, body="null"),
        Answer(status=200, body="<html>"),
        Answer(status=200, body='{"buckets":[{"retentionRules":[{"everySeconds":"x"}]}]}'),
        Answer(status=200, body='{"buckets":[{"retentionRules":3}]}'),
        Answer(status=200, body='{"buckets":[{}],"results":[{}]}'),
        Answer(status=200, body='{"results":[{"series":[{"columns":["name"],"values":[[]]}]}]}'),
        Answer(status=200, body='{"results":[{"error":"no"}]}'),
        Answer(status=204),
        Answer(status=404, body="404 page not found"),
        Answer(status=500),
    ],
)
async def test_after_any_other_answer_the_retention_is_unknown(
    session: aiohttp.ClientSession, profile: Profile, answer: Answer
) -> None:
    async with Emulator(profile=profile) as server:
        server.impostor = answer
        assert await InfluxClient(session, place(server)).retention() is None


@pytest.mark.parametrize("profile", [V1_13, V2_7], ids=lambda known: known.version)
async def test_a_server_with_another_clock_is_not_judged_by_ours(
    session: aiohttp.ClientSession, profile: Profile
) -> None:
    wrong = {"Date": "Thu, 01 Jan 1970 00:00:00 GMT"}
    other = replace(profile, headers={**profile.headers, **wrong})
    async with Emulator(profile=other, retention=WEEK) as server:
        assert await InfluxClient(session, place(server)).retention() is None


async def test_without_a_server_the_retention_is_unknown(session: aiohttp.ClientSession) -> None:
    async with Emulator(profile=V2_7) as server:
        client = InfluxClient(session, place(server))
    assert await client.retention() is None
