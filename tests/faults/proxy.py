"""A proxy in front of a database, which breaks what it is told to break."""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Self

import aiohttp
from aiohttp import web

PAGE: Final = "<html><h1>Bad Gateway</h1></html>"
HTML: Final = {"Content-Type": "text/html"}
# What a careful administrator removes, and with it every sign of whose reply it is.
MARKS: Final = ("x-influxdb-version", "x-influxdb-build", "x-server-hostname", "cluster-uuid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply of the proxy's own."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What happens to one request; with `applies` the database gets it all the same."""

    applies: bool = False
    answer: Answer | None = None
    delay: float = 0.0
    breaks: Literal["", "reset", "truncated", "slow", "hangs"] = ""


TOO_LARGE: Final = Answer(status=413, body=PAGE, headers=HTML)
BAD_GATEWAY: Final = Answer(status=502, body=PAGE, headers=HTML)


def any_trouble(rng: random.Random) -> Trouble:
    """One of everything that a network and a server do."""
    page = Answer(status=200, body=PAGE, headers=HTML)
    busy = Answer(status=429, headers={"Retry-After": "1", "X-Influxdb-Version": "v2.7.12"})
    return rng.choice(
        (
            Trouble(breaks="reset"),
            Trouble(breaks="reset", applies=True),
            Trouble(breaks="truncated", answer=page, applies=True),
            Trouble(applies=True, delay=rng.uniform(0, 0.2)),
            Trouble(applies=True, answer=Answer(status=500)),
            Trouble(answer=Answer(status=503)),
            Trouble(answer=Answer(status=413)),
            Trouble(answer=busy),
            Trouble(answer=page),
            Trouble(answer=Answer(status=400, body=PAGE, headers=HTML), applies=True),
            Trouble(answer=BAD_GATEWAY),
        )
    )


@dataclass(slots=True, kw_only=True)
class Proxy:
    """Enter it to serve; `trouble` is asked before each request."""

    upstream: str
    trouble: Callable[[], Trouble | None] = lambda: None
    removes: tuple[str, ...] = ()
    adds_query: Mapping[str, str] = field(default_factory=dict)
    body_max: int = 2**30
    requests: int = 0
    url: str = ""
    _runner: web.AppRunner = field(init=False)
    _session: aiohttp.ClientSession = field(init=False)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            auto_decompress=False,
            shutdown_timeout=0.1,
            handler_cancellation=True,
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._session = aiohttp.ClientSession(auto_decompress=False)
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        body = await request.read()
        if len(body) > self.body_max:
            return _response(TOO_LARGE)
        trouble = self.trouble()
        if trouble is None:
            return _response(await self._forward(request, body))
        answer = trouble.answer or Answer(status=204)
        if trouble.applies:
            reply = await self._forward(request, body)
            answer = trouble.answer or reply
        await asyncio.sleep(trouble.delay)
        match trouble.breaks:
            case "hangs":
                await asyncio.Event().wait()
            case "slow" | "truncated":
                return await _unfinished(request, answer, forever=trouble.breaks == "slow")
            case "reset":
                _abort(request)
        return _response(answer)

    async def _forward(self, request: web.Request, body: bytes) -> Answer:
        url = f"{self.upstream}{request.path}"
        headers = {key: value for key, value in request.headers.items() if key != "Host"}
        headers["Accept-Encoding"] = "identity"  # bodies of replies have to be text
        query = {**request.query, **self.adds_query}
        try:
            async with self._session.request(
                request.method, url, params=query, data=body, headers=headers
            ) as reply:
                kept = {
                    key: value
                    for key, value in reply.headers.items()
                    if key.lower() not in {"content-length", "transfer-encoding", *self.removes}
                }
                return Answer(status=reply.status, body=await reply.text(), headers=kept)
        except aiohttp.ClientError, OSError:
            return BAD_GATEWAY


async def _unfinished(request: web.Request, answer: Answer, *, forever: bool) -> web.StreamResponse:
    """Promise a body and send less, a byte at a time or all at once."""
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = 1_000_000
    await response.prepare(request)
    await response.write(answer.body.encode() or b"x")
    while forever:
        await asyncio.sleep(0.05)
        await response.write(b" ")
    _abort(request)
    return response


def _abort(request: web.Request) -> None:
    if request.transport:
        request.transport.abort()


def _response(answer: Answer) -> web.StreamResponse:
    return web.Response(status=answer.status, body=answer.body.encode(), headers=answer.headers)
