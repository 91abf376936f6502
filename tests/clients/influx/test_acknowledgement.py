"""Only the database acknowledges: whatever else answers 2xx has stored nothing."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web

from custom_components.ha_ingestor.clients.influx.client import InfluxClient
from custom_components.ha_ingestor.clients.influx.destination import Destination
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.pipeline.export.result import Kind, Problem, Result
from tests.emulator import (
    CLOUD_SERVERLESS,
    CLOUD_TSM,
    V1_6,
    V1_13,
    V2_7,
    V3,
    VM_NEW,
    VM_OLD,
    Answer,
    Emulator,
    Profile,
)
from tests.faults.proxy import MARKS, Proxy, Trouble
from tests.faults.proxy import Answer as ProxyAnswer

pytestmark = pytest.mark.usefixtures("socket_enabled")

LINE = b"m,entity_id=sensor.a value=1 1800000000000000000"
HTML = {"Content-Type": "text/html"}
JSON = {"Content-Type": "application/json"}
MARK = {"X-Influxdb-Version": "v2.7.12"}
LOGIN = '{"code":401,"message":"login required"}'


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Provide a session, as Home Assistant does."""
    async with aiohttp.ClientSession() as session:
        yield session


def client_of(session: aiohttp.ClientSession, url: str, dialect: Dialect) -> InfluxClient:
    return InfluxClient(
        session,
        Destination(
            url=url,
            dialect=dialect,
            org="home",
            bucket="home_assistant",
            database="home_assistant",
            token="good token",
        ),
    )


async def written(client: InfluxClient) -> Result:
    return await client.write(LINE)


NOTHING_STORED = {
    "login as JSON": Answer(status=200, body=LOGIN, headers=JSON),
    "login as JSON, with a mark": Answer(status=200, body=LOGIN, headers=JSON | MARK),
    "error as JSON": Answer(status=200, body='{"error":"quota exceeded"}', headers=JSON),
    "error as JSON, with a mark": Answer(status=200, body='{"error":"x"}', headers=JSON | MARK),
    "error in a result, with a mark": Answer(
        status=200, body='{"results":[{"error":"no"}]}', headers=JSON | MARK
    ),
    "half a JSON": Answer(status=200, body='{"code":"', headers=JSON),
    "half a JSON, with a mark": Answer(status=200, body='{"co', headers=JSON | MARK),
    "an error as text, with a mark": Answer(status=200, body="unauthorized", headers=MARK),
    "words of VictoriaMetrics": Answer(status=200, body='remoteAddr: "1.2.3.4"; cannot'),
    "words of InfluxDB 3": Answer(status=200, body="incoming write was empty"),
    "accepted": Answer(status=202, body=LOGIN, headers=JSON),
    "a page": Answer(status=200, body="<html>Log in</html>", headers=HTML),
    "a page, with a mark": Answer(status=200, body="<html>Log in</html>", headers=HTML | MARK),
    "a page without its type": Answer(status=200, body=" <!DOCTYPE html><html>"),
    "nothing": Answer(status=200),
    "nothing, accepted": Answer(status=202),
    "ok": Answer(status=200, body="OK"),
    "no content": Answer(status=204),
    "no content, of a page": Answer(status=204, headers=HTML),
    "no content, of a load balancer": Answer(status=204, headers={"X-Server-Hostname": "lb-7"}),
    "nothing, of a load balancer": Answer(status=200, headers={"X-Server-Hostname": "lb-7"}),
    "an error in a header, with a mark": Answer(
        status=200, headers=MARK | {"X-Influxdb-Error": "partial write"}
    ),
    "no content and an error in a header, with a mark": Answer(
        status=204, headers=MARK | {"X-Platform-Error-Code": "invalid"}
    ),
    "64 KiB of blanks before an error, with a mark": Answer(
        status=200, body=" " * 65_536 + '{"error":"x"}', headers=JSON | MARK
    ),
}


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("answer", NOTHING_STORED.values(), ids=NOTHING_STORED)
async def test_a_success_that_is_not_the_databases_own_acknowledges_nothing(
    session: aiohttp.ClientSession, dialect: Dialect, answer: Answer
) -> None:
    async with Emulator(dialect=dialect) as server:
        server.impostor = answer
        client = client_of(session, server.url, dialect)
        verdict, checked = await written(client), await client.check()

    assert (verdict.kind, verdict.problem) == (Kind.KEPT, Problem.PROXY)
    assert checked.problem is Problem.PROXY


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("status", [200, 204])
@pytest.mark.parametrize("mark", ["X-Influxdb-Version", "x-influxdb-build", "cluster-uuid"])
async def test_a_silent_success_with_a_databases_mark_is_an_acknowledgement(
    session: aiohttp.ClientSession, dialect: Dialect, status: int, mark: str
) -> None:
    async with Emulator(dialect=dialect) as server:
        server.impostor = Answer(status=status, headers={mark: "x"})
        verdict = await written(client_of(session, server.url, dialect))
        asked = len(server.seen)

    assert verdict.kind is Kind.ACCEPTED
    assert asked == 1


async def test_a_success_whose_end_nobody_knows_may_be_cut_and_acknowledges_nothing(
    session: aiohttp.ClientSession,
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(len(LINE))
        writer.write(b"HTTP/1.1 200 OK\r\nX-Influxdb-Version: 1.8\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        verdict = await written(client_of(session, f"http://127.0.0.1:{port}", Dialect.V1))
    assert (verdict.kind, verdict.problem) == (Kind.KEPT, Problem.PROXY)


HIDDEN = [V1_6, V1_13, V2_7, V3, VM_OLD, VM_NEW, CLOUD_TSM, CLOUD_SERVERLESS]


@asynccontextmanager
async def hidden(profile: Profile) -> AsyncIterator[tuple[Emulator, Proxy]]:
    """A database behind a proxy that removes every mark from every reply."""
    async with (
        Emulator(profile=profile) as server,
        Proxy(upstream=server.url, removes=MARKS) as proxy,
    ):
        yield server, proxy


@pytest.mark.parametrize(
    "profile", HIDDEN, ids=lambda profile: f"{profile.dialect}-{profile.version}"
)
async def test_a_database_without_its_marks_is_believed_once_it_answered_as_one(
    session: aiohttp.ClientSession, profile: Profile
) -> None:
    async with hidden(profile) as (server, proxy):
        client = client_of(session, proxy.url, profile.dialect)
        verdicts = [await written(client) for _ in range(3)]
        first = proxy.requests
        await written(client)

        assert [verdict.kind for verdict in verdicts] == [Kind.ACCEPTED] * 3
        # What is known is not asked again.
        assert proxy.requests == first + 1
        assert len(server.points) == 1


GATEWAYS = {
    "no content": lambda: Trouble(answer=ProxyAnswer(status=204)),
    "a page": lambda: Trouble(answer=ProxyAnswer(status=200, body="<html>", headers=HTML)),
    "an error": lambda: Trouble(answer=ProxyAnswer(status=503, body="down")),
    "no connection": lambda: Trouble(breaks="reset"),
}


@pytest.mark.parametrize("gateway", list(GATEWAYS.values())[1:], ids=list(GATEWAYS)[1:])
async def test_after_somebody_else_answered_the_database_has_to_answer_as_one_again(
    session: aiohttp.ClientSession, gateway: Callable[[], Trouble]
) -> None:
    async with hidden(V2_7) as (_, proxy):
        client = client_of(session, proxy.url, Dialect.V2)
        assert (await written(client)).kind is Kind.ACCEPTED
        proxy.trouble = gateway
        assert (await written(client)).kind is Kind.KEPT

        proxy.trouble = GATEWAYS["no content"]
        assert (await written(client)).problem is Problem.PROXY

        proxy.trouble = lambda: None
        assert (await written(client)).kind is Kind.ACCEPTED


@pytest.mark.parametrize("later", [6, 60, 290, 3600])
@pytest.mark.parametrize("profile", [V1_13, V2_7, V3, VM_OLD], ids=lambda p: str(p.dialect))
async def test_what_was_known_of_a_server_is_asked_again_after_a_few_seconds(
    session: aiohttp.ClientSession, profile: Profile, later: float
) -> None:
    now = [1000.0]
    async with hidden(profile) as (_, proxy):
        destination = Destination(url=proxy.url, dialect=profile.dialect, org="home")
        client = InfluxClient(
            session,
            replace(destination, bucket="home_assistant", database="home_assistant"),
            clock=lambda: now[0],
        )
        for _ in range(3):
            assert (await written(client)).kind is Kind.ACCEPTED
            now[0] += later
        proxy.trouble = GATEWAYS["no content"]

        assert (await written(client)).problem is Problem.PROXY


async def test_a_database_whose_pings_alone_have_marks_is_believed(
    session: aiohttp.ClientSession,
) -> None:
    async def serve(request: web.Request) -> web.Response:
        return web.Response(status=204, headers=MARK if request.path == "/ping" else {})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    result = await client_of(session, url, Dialect.V2).write(gzip.compress(LINE), gzipped=True)
    await runner.cleanup()

    assert result.kind is Kind.ACCEPTED


async def served(
    session: aiohttp.ClientSession, reply: bytes, dialect: Dialect = Dialect.V2
) -> Result:
    """Write to a server that gives these bytes for an answer to each request."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        return await written(client_of(session, f"http://{host}:{port}", dialect))


ERROR = b'{"code":"invalid","message":"partial write: dropped 5"}'
CODINGS = {"gzip": gzip.compress(ERR := ERROR * 9), "deflate": zlib.compress(ERR)}


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("length", [0, 2, 10, 12, 20])
@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_compressed_answer_that_was_cut_acknowledges_nothing(
    session: aiohttp.ClientSession, coding: str, length: int, *, is_chunked: bool
) -> None:
    content = CODINGS[coding][:length]
    size = b"Content-Length: %d\r\n" % len(content)
    if is_chunked:
        size = b"Transfer-Encoding: chunked\r\n"
        content = b"%x\r\n%s\r\n" % (length, content) if length else b""
        content += b"0\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nX-Influxdb-Version: v2.7.12\r\nContent-Encoding: "
    reply = head + coding.encode() + b"\r\n" + size + b"\r\n" + content

    assert (await served(session, reply)).kind is Kind.KEPT


async def test_the_mark_of_a_load_balancer_is_none_where_a_database_was_before(
    session: aiohttp.ClientSession,
) -> None:
    mark = {"X-Server-Hostname": "lb-7"}
    async with Emulator(profile=VM_NEW) as server:
        client = client_of(session, server.url, Dialect.VICTORIAMETRICS)
        assert (await written(client)).kind is Kind.ACCEPTED
        server.impostor = Answer(status=204, headers=mark)
        assert (await written(client)).problem is Problem.PROXY
