"""Which database answers: told from what servers do, not from what they claim."""

import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from custom_components.ha_ingestor.clients.address import AddressError
from custom_components.ha_ingestor.clients.influx import probe as probe_module
from custom_components.ha_ingestor.clients.influx.client import InfluxClient
from custom_components.ha_ingestor.clients.influx.destination import Destination
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.probe import probe
from custom_components.ha_ingestor.pipeline.export.result import Problem
from tests.emulator import V1_6, V1_13, V2_7, V3, VM_NEW, VM_OLD, Answer, Emulator, Profile
from tests.tls import Authority, make_authority

pytestmark = pytest.mark.usefixtures("socket_enabled")

PROFILES = (V1_6, V1_13, V2_7, V3, VM_OLD, VM_NEW)


@pytest.fixture(name="session")
async def _session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.version)
async def test_each_server_is_known_by_name_and_version(
    session: aiohttp.ClientSession, profile: Profile
) -> None:
    async with Emulator(profile=profile, prefix="/sub") as server:
        found = await probe(session, server.url + "/")

    assert (found.dialect, found.version) == (profile.dialect, profile.version)
    assert found.problem is Problem.NONE
    assert all("Authorization" not in seen.headers for seen in server.seen)


@pytest.mark.parametrize(
    ("header", "version"),
    [("v2.7.12 <img src=x> [a](b)", "2.7.12"), ("2." + "7" * 5000, "2." + "7" * 62), ("<b>2", "")],
)
async def test_a_version_is_nothing_but_a_version(
    session: aiohttp.ClientSession, header: str, version: str
) -> None:
    ping = replace(V2_7.ping, headers={**V2_7.ping.headers, "X-Influxdb-Version": header})
    async with Emulator(profile=replace(V2_7, ping=ping)) as server:
        found = await probe(session, server.url)

    assert (found.dialect, found.version) == (Dialect.V2, version)


@pytest.mark.parametrize("version", ["dev", "unknown", ""])
@pytest.mark.parametrize("profile", [V1_13, V2_7, V3], ids=lambda profile: profile.dialect)
async def test_a_self_built_server_is_known_although_it_names_no_version(
    session: aiohttp.ClientSession, profile: Profile, version: str
) -> None:
    marks = {"X-Influxdb-Version": version, "X-Influxdb-Build": "OSS"}
    ping = replace(profile.ping, headers={**profile.ping.headers, **marks})
    async with Emulator(profile=replace(profile, ping=ping)) as server:
        found = await probe(session, server.url)

    assert (found.dialect, found.version) == (profile.dialect, version)


@pytest.mark.parametrize(
    ("headers", "metrics", "dialect", "version"),
    [
        # Without its mark, as behind a proxy, only its own numbers give it away.
        ({}, VM_NEW.metrics, Dialect.VICTORIAMETRICS, "1.150.0"),
        ({"X-Server-Hostname": "vm"}, "", Dialect.VICTORIAMETRICS, ""),
        # What it claims in the reply to a write it may one day claim here.
        (
            {"X-Server-Hostname": "vm", "X-Influxdb-Version": "1.8.0"},
            VM_NEW.metrics,
            Dialect.VICTORIAMETRICS,
            "1.150.0",
        ),
        ({"X-Influxdb-Version": "1.8.0"}, "", Dialect.V1, "1.8.0"),
        # A proxy of the same family in front of a real one.
        ({"X-Server-Hostname": "vmauth", "X-Influxdb-Version": "2.7.1"}, "", Dialect.V2, "2.7.1"),
        ({"x-influxdb-version": "1.6.7~rc0"}, "", Dialect.V1, "1.6.7~rc0"),
        ({"Server": "questDB/1.0", "X-Influxdb-Version": "v2.7.4"}, "", None, "QuestDB"),
        ({}, "", None, ""),
    ],
)
async def test_the_product_in_the_headers_is_compared_with_how_the_server_behaves(
    session: aiohttp.ClientSession,
    headers: dict[str, str],
    metrics: str,
    dialect: Dialect | None,
    version: str,
) -> None:
    ping = Answer(status=204, headers=headers)
    profile = replace(VM_NEW, headers={}, ping=ping, metrics=metrics)
    async with Emulator(profile=profile) as server:
        found = await probe(session, server.url)

    assert (found.dialect, found.version) == (dialect, version)
    assert (found.problem is Problem.NONE) == (dialect is not None)


async def test_an_influxdb_3_that_asks_for_a_token_is_recognized(
    session: aiohttp.ClientSession,
) -> None:
    async with Emulator(profile=V3) as server:
        server.allowed = {"Bearer good"}
        found = await probe(session, server.url)

    assert (found.dialect, found.version) == (Dialect.V3, "")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer(status=200, body="<!doctype html><html>…"), Problem.PROXY),
        (Answer(status=200, body="x", headers={"Content-Type": "text/html"}), Problem.PROXY),
        (
            Answer(status=200, body="<html>", headers={"X-Influxdb-Version": "v2.7"}),
            Problem.PROXY,
        ),
        (Answer(status=200, body="pong"), Problem.PROXY),
        (Answer(status=204), Problem.NOT_A_DATABASE),
        (Answer(status=404, body="404: Not Found"), Problem.NOT_A_DATABASE),
        (Answer(status=404, headers={"X-Influxdb-Version": "v2.7"}), Problem.NOT_A_DATABASE),
        (Answer(status=308, headers={"Location": "https://x/ping"}), Problem.REDIRECT),
        (Answer(status=401, headers={"WWW-Authenticate": "Basic"}), Problem.INVALID_AUTH),
        (Answer(status=401, body="log in"), Problem.INVALID_AUTH),
        (Answer(status=403), Problem.FORBIDDEN),
        (Answer(status=502, body="<html>Bad Gateway"), Problem.SERVER_ERROR),
        (Answer(status=503), Problem.BUSY),
        (
            Answer(status=400, body="Client sent an HTTP request to an HTTPS server."),
            Problem.TLS,
        ),
    ],
)
async def test_the_probe_names_the_problem_of_an_answer_that_is_not_the_databases(
    session: aiohttp.ClientSession, answer: Answer, problem: Problem
) -> None:
    async with Emulator() as server:
        server.impostor = answer
        found = await probe(session, server.url)

    assert (found.dialect, found.problem) == (None, problem)


async def test_a_probe_without_a_server_reports_unreachable(session: aiohttp.ClientSession) -> None:
    async with Emulator() as server:
        url = server.url
    found = await probe(session, url)

    assert (found.dialect, found.problem) == (None, Problem.UNREACHABLE)
    assert "127.0.0.1" in found.detail


async def test_a_server_that_never_answers_is_given_up(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe_module, "CHECK_TIMEOUT", aiohttp.ClientTimeout(total=0.2))
    async with Emulator() as server:
        server.slowness = 30
        found = await probe(session, server.url)

    assert (found.dialect, found.problem) == (None, Problem.TIMEOUT)


async def test_an_unusable_address_is_raised(session: aiohttp.ClientSession) -> None:
    with pytest.raises(AddressError):
        await probe(session, "http://u:p@host")


async def test_a_server_with_an_unknown_certificate_is_not_reported_as_unreachable(
    session: aiohttp.ClientSession, authority: Authority
) -> None:
    trusting = ssl.create_default_context(cadata=authority.pem)
    trusting.verify_flags &= ~ssl.VERIFY_X509_STRICT
    async with Emulator(tls=authority.server_context) as server:
        stranger = await probe(session, server.url)
        friend = await probe(session, server.url, ssl=trusting)
        careless = await probe(session, server.url, ssl=False)
        destination = Destination(url=server.url, dialect=Dialect.V2)
        result = await InfluxClient(session, destination).write(b"m v=1 1")
        plain = await probe(session, server.url.replace("https", "http"))

    assert (stranger.problem, result.problem) == (Problem.TLS, Problem.TLS)
    assert friend.dialect is careless.dialect is Dialect.V2
    assert plain.dialect is None


async def test_a_name_that_is_not_in_the_certificate_is_a_tls_problem(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    authority = make_authority(tmp_path, address="127.0.0.2")
    trusting = ssl.create_default_context(cadata=authority.pem)
    trusting.verify_flags &= ~ssl.VERIFY_X509_STRICT
    async with Emulator(tls=authority.server_context) as server:
        found = await probe(session, server.url, ssl=trusting)

    assert found.problem is Problem.TLS


async def test_https_to_a_server_that_speaks_http_is_a_tls_problem(
    session: aiohttp.ClientSession,
) -> None:
    async with Emulator() as server:
        found = await probe(session, server.url.replace("http", "https"))

    assert found.problem is Problem.TLS
