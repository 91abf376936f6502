"""The client that writes points."""

import asyncio
import base64
import gzip
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from custom_components.ha_ingestor.clients.address import AddressError, is_same_machine, normalize
from custom_components.ha_ingestor.clients.exchange import Failure
from custom_components.ha_ingestor.clients.influx import client as influx
from custom_components.ha_ingestor.clients.influx.client import InfluxClient
from custom_components.ha_ingestor.clients.influx.destination import Destination
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.pipeline.export.result import Kind, Problem
from tests.emulator import Answer, Emulator, Fault

pytestmark = pytest.mark.usefixtures("socket_enabled")

LINE = b"m,entity_id=sensor.a value=1 1800000000000000000"
HTML = Answer(status=502, body="<html><h1>Bad Gateway</h1>", headers={"Content-Type": "text/html"})

NAMES = {
    Dialect.V1: {"database": "home_assistant", "retention_policy": "autogen"},
    Dialect.V2: {"org": "home", "bucket": "home_assistant", "token": "good"},
    Dialect.V3: {"database": "home_assistant", "token": "good"},
    Dialect.VICTORIAMETRICS: {},
}
QUERIES = {
    Dialect.V1: ("/write", {"db": "home_assistant", "rp": "autogen", "precision": "ns"}),
    Dialect.V2: (
        "/api/v2/write",
        {"org": "home", "bucket": "home_assistant", "precision": "ns"},
    ),
    Dialect.V3: (
        "/api/v3/write_lp",
        {"db": "home_assistant", "precision": "nanosecond", "accept_partial": "true"},
    ),
    Dialect.VICTORIAMETRICS: ("/write", {"precision": "ns"}),
}


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Provide a session, as Home Assistant does."""
    async with aiohttp.ClientSession() as session:
        yield session


def client_of(session: aiohttp.ClientSession, server: Emulator, **more: str) -> InfluxClient:
    """Build a client that fits the server."""
    names = {"url": server.url, **NAMES[server.profile.dialect], **more}
    return InfluxClient(session, Destination(dialect=server.profile.dialect, **names))


@pytest.mark.parametrize("dialect", Dialect)
async def test_a_write_arrives_as_each_dialect_wants_it(
    session: aiohttp.ClientSession, dialect: Dialect
) -> None:
    async with Emulator(dialect=dialect) as server:
        outcome = await client_of(session, server).post(LINE)

    (seen,) = server.writes
    assert (outcome.status, outcome.failure) == (204, None)
    assert (seen.path, seen.query) == QUERIES[dialect]
    assert seen.method == "POST"
    assert seen.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert list(server.points.values()) == [{"value": 1.0}]


@pytest.mark.parametrize("dialect", Dialect)
async def test_a_compressed_body_is_marked_and_sent_as_it_is(
    session: aiohttp.ClientSession, dialect: Dialect
) -> None:
    body = gzip.compress(LINE)
    async with Emulator(dialect=dialect) as server:
        await client_of(session, server).write(body, gzipped=True)

    assert server.writes[0].body == body
    assert len(server.points) == 1


@pytest.mark.parametrize(
    ("dialect", "given", "header"),
    [
        (Dialect.V1, {}, None),
        (Dialect.V1, {"username": "u", "password": "p"}, "Basic " + "dTpw"),
        (Dialect.V1, {"token": "jwt"}, "Bearer jwt"),
        (Dialect.V2, {"token": "t=="}, "Token t=="),
        (Dialect.V3, {"token": "apiv3_x"}, "Bearer apiv3_x"),
        (Dialect.V3, {"token": ""}, None),
        (Dialect.VICTORIAMETRICS, {}, None),
        (Dialect.VICTORIAMETRICS, {"username": "u", "password": "p"}, "Basic dTpw"),
        (Dialect.VICTORIAMETRICS, {"token": "t"}, "Bearer t"),
    ],
)
async def test_credentials_go_in_the_header_that_the_dialect_knows(
    session: aiohttp.ClientSession, dialect: Dialect, given: dict[str, str], header: str | None
) -> None:
    async with Emulator(dialect=dialect) as server:
        await client_of(session, server, **given).post(LINE)

    assert server.writes[0].headers.get("Authorization") == header


@pytest.mark.parametrize("password", ["", ":", "a:b", "pässwörd ✓", "50% \"x\" 'y' & z+", "\\"])
async def test_unusual_passwords_arrive_unchanged(
    session: aiohttp.ClientSession, password: str
) -> None:
    async with Emulator(dialect=Dialect.V1) as server:
        await client_of(session, server, username="jürgen", password=password).post(LINE)

    sent = server.writes[0].headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent).decode() == f"jürgen:{password}"


@pytest.mark.parametrize("name", ["a b", "a+b", "a&b=c", "a;b", "50%", "ärger/1", 'q"', "#x"])
async def test_unusual_bucket_names_arrive_unchanged(
    session: aiohttp.ClientSession, name: str
) -> None:
    async with Emulator(dialect=Dialect.V2) as server:
        await client_of(session, server, bucket=name).post(LINE)

    assert server.writes[0].query["bucket"] == name


@pytest.mark.parametrize("slash", ["", "/"])
async def test_a_server_below_a_path_is_reached(session: aiohttp.ClientSession, slash: str) -> None:
    async with Emulator(dialect=Dialect.V2, prefix="/db/influx") as server:
        outcome = await client_of(session, server, url=server.url + slash).post(LINE)

    assert outcome.status == 204
    assert server.seen[0].path == "/api/v2/write"


async def test_a_database_is_named_to_victoriametrics_only_if_there_is_one(
    session: aiohttp.ClientSession,
) -> None:
    async with Emulator(dialect=Dialect.VICTORIAMETRICS) as server:
        await client_of(session, server, database="ha").post(LINE)

    assert server.writes[0].query == {"db": "ha", "precision": "ns"}


@pytest.mark.parametrize("dialect", Dialect)
async def test_a_refusal_of_the_database_is_marked_as_its_own(
    session: aiohttp.ClientSession, dialect: Dialect
) -> None:
    async with Emulator(dialect=dialect) as server:
        outcome = await client_of(session, server).post(b"broken\nm value=1 1")

    assert outcome.status == 400
    assert outcome.from_database
    assert "broken" in outcome.body


@pytest.mark.parametrize(
    ("answer", "is_database"),
    [
        (HTML, False),
        (replace(HTML, headers={"X-Influxdb-Version": "v2.7.12"}), False),
        (Answer(status=404, body="404 page not found\n"), False),
        (Answer(status=400, body='{"message":"no Route matched"}'), False),
        (Answer(status=400, body="x", headers={"x-influxdb-build": "OSS"}), True),
        (Answer(status=400, body='{"error":"partial write'), True),
        (Answer(status=400, body='{"code": "invalid", "message": "…"}'), True),
        (Answer(status=400, body="x", headers={"X-Server-Hostname": "lb-7"}), False),
        (Answer(status=400, body='remoteAddr: "1.2.3.4:5"; requestURI: /write; cannot'), True),
    ],
)
async def test_a_proxy_is_not_taken_for_the_database(
    session: aiohttp.ClientSession, answer: Answer, *, is_database: bool
) -> None:
    async with Emulator() as server:
        server.impostor = answer
        outcome = await client_of(session, server).post(LINE)

    assert outcome.from_database is is_database


async def test_a_redirect_is_reported_and_not_followed(session: aiohttp.ClientSession) -> None:
    async with Emulator() as server:
        server.impostor = Answer(status=301, headers={"Location": "https://elsewhere/"})
        outcome = await client_of(session, server).post(LINE)

    assert (outcome.status, outcome.detail) == (301, "https://elsewhere/")
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://a.b/login?token=s3cr3t-query#s3cr3t-part", "https://a.b/login"),
        ("https://user:s3cr3t-pass@a.b:8443/x", "https://a.b:8443/x"),
        ("/login?next=/write&t=s3cr3t-query", "/login"),
        ("http://[::1?s3cr3t", ""),
        ("//user:s3cr3t-pass@a.b/x?y", "//a.b/x"),
        ("http:user:s3cr3t-pass@a.b", ""),
        ("https://a.b/s3cr3t-token/", "https://a.b/**REDACTED**/"),
    ],
)
async def test_where_a_redirect_leads_is_told_without_what_may_be_secret(
    session: aiohttp.ClientSession, location: str, shown: str
) -> None:
    async with Emulator() as server:
        server.impostor = Answer(status=302, headers={"Location": location})
        client = client_of(session, server, token="s3cr3t-token")
        outcome, verdict = await client.post(LINE), await client.check()

    assert outcome.detail == shown
    assert verdict.detail == shown or not shown


async def test_retry_after_is_passed_on(session: aiohttp.ClientSession) -> None:
    async with Emulator() as server:
        server.impostor = Answer(status=429, headers={"Retry-After": "17"})
        outcome = await client_of(session, server).post(LINE)

    assert outcome.retry_after == "17"


async def test_an_endless_reply_is_cut(session: aiohttp.ClientSession) -> None:
    async with Emulator() as server:
        server.impostor = Answer(status=400, body='{"code":"' + "x" * 5_000_000)
        outcome = await client_of(session, server).post(LINE)

    assert outcome.status == 400
    assert len(outcome.body) == 65536
    assert outcome.from_database


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        (Fault(kind="reset"), Failure.RESET),
        (Fault(kind="reset", apply=True), Failure.RESET),
        (Fault(kind="truncate", answer=Answer(status=200, body="o")), Failure.RESET),
        (Fault(kind="hang"), Failure.TIMEOUT),
        (Fault(delay=5), Failure.TIMEOUT),
    ],
)
async def test_a_broken_exchange_gives_an_outcome_without_a_status(
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    failure: Failure,
) -> None:
    monkeypatch.setattr(influx, "WRITE_TIMEOUT", aiohttp.ClientTimeout(total=0.3))
    async with Emulator() as server:
        server.faults.append(fault)
        outcome = await client_of(session, server).post(LINE)

    assert outcome.failure is failure
    assert outcome.status == 0
    assert len(server.points) == fault.apply


async def test_a_write_without_a_server_gives_the_outcome_unreachable(
    session: aiohttp.ClientSession,
) -> None:
    async with Emulator() as server:
        client = client_of(session, server)
    outcome = await client.post(LINE)

    assert outcome.failure is Failure.UNREACHABLE
    assert "127.0.0.1" in outcome.detail


async def test_a_server_that_speaks_no_http_gives_an_outcome(
    session: aiohttp.ClientSession,
) -> None:
    async def ssh(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        writer.close()

    server = await asyncio.start_server(ssh, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    client = InfluxClient(session, Destination(url=f"http://127.0.0.1:{port}", dialect=Dialect.V2))
    outcome = await client.post(LINE)
    server.close()

    assert outcome.failure is Failure.RESET


async def test_a_write_with_a_closed_session_gives_an_outcome(
    session: aiohttp.ClientSession,
) -> None:
    async with Emulator() as server:
        client = client_of(session, server)
        await session.close()
        outcome = await client.post(LINE)

    assert outcome.failure is Failure.RESET


async def test_a_token_that_no_header_can_hold_is_not_sent(
    session: aiohttp.ClientSession,
) -> None:
    async with Emulator() as server:
        outcome = await client_of(session, server, token="to\r\nken").post(LINE)

    assert outcome.failure is Failure.RESET
    assert not server.seen


async def test_a_cancelled_write_raises_and_gives_no_outcome(
    session: aiohttp.ClientSession,
) -> None:
    async with Emulator() as server:
        server.faults.append(Fault(kind="hang"))
        task = asyncio.create_task(client_of(session, server).post(LINE))
        await server.arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_no_secret_shows_in_a_repr_or_in_an_outcome(session: aiohttp.ClientSession) -> None:
    secrets = {"token": "s3cr3t-token", "password": "s3cr3t-pass"}
    shown = repr(Destination(url="http://x", dialect=Dialect.V1, username="u", **secrets))
    async with Emulator() as server:
        server.impostor = Answer(status=400, body="you sent Authorization: Token s3cr3t-token")
        outcome = await client_of(session, server, token="s3cr3t-token").post(LINE)

    assert "s3cr3t" not in shown + repr(outcome)
    assert "**REDACTED**" in outcome.body


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("http://influx.lan:8086", "http://influx.lan:8086"),
        ("influx.lan:8086", "http://influx.lan:8086"),
        ("  HTTP://Influx.LAN:80/ ", "http://influx.lan"),
        ("https://host:443/influx//", "https://host/influx"),
        ("http://[::1]:8086/", "http://[::1]:8086"),
        ("http://[fe80::1%25eth0]", "http://[fe80::1%25eth0]"),
        ("http://ärger.lan/ü", "http://xn--rger-koa.lan/%C3%BC"),
        ("http://a0d7b954_influxdb:8086", "http://a0d7b954_influxdb:8086"),
    ],
)
def test_an_address_has_one_spelling(written: str, normal: str) -> None:
    assert normalize(written) == normal
    assert normalize(normal) == normal


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "invalid_url"),
        ("ftp://host", "unsupported_scheme"),
        ("http://", "invalid_url"),
        ("http://ho st", "invalid_url"),
        ("http://host:port", "invalid_url"),
        ("http://host:99999", "invalid_url"),
        ("http://[::1", "invalid_url"),
        ("http://host/write?db=x", "invalid_url"),
        ("http://host/#x", "invalid_url"),
        ("http://me:s3cr3t@host", "url_credentials"),
        ("http://me@host", "url_credentials"),
        ("http://me:s3cr3t@host:port", "invalid_url"),
    ],
)
def test_an_unusable_address_is_refused_without_showing_it(written: str, why: str) -> None:
    with pytest.raises(AddressError) as caught:
        normalize(written)
    assert str(caught.value) == why
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


GRANTED = {
    Dialect.V1: ({"username": "u", "password": "p"}, "Basic dTpw"),
    Dialect.V2: ({"token": "good"}, "Token good"),
    Dialect.V3: ({"token": "good"}, "Bearer good"),
    Dialect.VICTORIAMETRICS: ({"token": "good"}, "Bearer good"),
}


@pytest.mark.parametrize("dialect", Dialect)
async def test_a_check_of_what_is_right_succeeds_and_changes_nothing(
    session: aiohttp.ClientSession, dialect: Dialect
) -> None:
    given, header = GRANTED[dialect]
    async with Emulator(dialect=dialect) as server:
        server.allowed = {header}
        verdict = await client_of(session, server, **given).check()

    assert (verdict.kind, verdict.problem) == (Kind.ACCEPTED, Problem.NONE)
    assert server.writes[0].body == b""
    assert not server.points


@pytest.mark.parametrize("dialect", Dialect)
async def test_a_check_tells_wrong_credentials_from_missing_permission(
    session: aiohttp.ClientSession, dialect: Dialect
) -> None:
    given, header = GRANTED[dialect]
    async with Emulator(dialect=dialect) as server:
        server.allowed = {"Token another"}
        wrong = await client_of(session, server, **given).check()
        server.read_only = {header}
        powerless = await client_of(session, server, **given).check()

    assert wrong.problem is Problem.INVALID_AUTH
    assert powerless.problem is Problem.FORBIDDEN


@pytest.mark.parametrize(
    ("dialect", "wrong", "problem"),
    [
        (Dialect.V1, {"database": "nope"}, Problem.DATABASE_NOT_FOUND),
        (Dialect.V1, {"retention_policy": "nope"}, Problem.RETENTION_POLICY_NOT_FOUND),
        (Dialect.V2, {"org": "nope"}, Problem.ORG_NOT_FOUND),
        (Dialect.V2, {"bucket": "nope"}, Problem.BUCKET_NOT_FOUND),
        (Dialect.V2, {"bucket": "organization"}, Problem.BUCKET_NOT_FOUND),
        (Dialect.V2, {"org": "bucket"}, Problem.ORG_NOT_FOUND),
        (Dialect.V3, {"database": "_nope"}, Problem.REJECTED),
    ],
)
async def test_a_check_names_what_does_not_exist(
    session: aiohttp.ClientSession, dialect: Dialect, wrong: dict[str, str], problem: Problem
) -> None:
    async with Emulator(dialect=dialect) as server:
        verdict = await client_of(session, server, **wrong).check()

    assert verdict.problem is problem


@pytest.mark.parametrize("dialect", Dialect)
async def test_a_check_does_not_fall_for_a_page_that_says_200(
    session: aiohttp.ClientSession, dialect: Dialect
) -> None:
    async with Emulator(dialect=dialect) as server:
        client = client_of(session, server)
        server.impostor = replace(HTML, status=200)
        login = await client.check()
        server.impostor = Answer(status=200, body='{"status": "ok"}')
        stranger = await client.check()

    assert login.problem is Problem.PROXY
    assert stranger.problem is Problem.PROXY


@pytest.mark.parametrize(
    ("url", "is_same"),
    [
        ("http://localhost:8086", True),
        ("http://127.8.9.1:8086", True),
        ("http://[::1]:8086", True),
        ("http://a0d7b954-influxdb:8086", True),
        ("http://192.168.1.20:8086", False),
        ("http://[fe80::1]:8086", False),
        ("http://influxdb.local:8086", False),
        ("https://eu-central-1-1.aws.cloud2.influxdata.com", False),
    ],
)
def test_an_address_tells_whether_the_server_is_on_this_machine(url: str, *, is_same: bool) -> None:
    assert is_same_machine(url) is is_same
