"""From an address and a token to an authenticated socket."""

import asyncio
import ssl as tls
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple

import aiohttp
import orjson
from yarl import URL

from ..exchange import CHECK_TIMEOUT, exchange, redact
from .address import websocket_url
from .errors import HomeAssistantError, Problem, problem_of

# All states, or a whole registry, come as one message.
MESSAGE_MAX: Final = 64 * 1024 * 1024
# The server waits as long for the token.
HANDSHAKE_SECONDS: Final = 10.0
# Enough for any version.
VERSION_MAX: Final = 64
# The date of an answer has whole seconds.
_CLOCK_SECONDS: Final = 2.0

type Socket = aiohttp.ClientWebSocketResponse[bool]


class Handshake(NamedTuple):
    """An authenticated socket; `clock_ahead` is by how many seconds the other clock is ahead."""

    socket: Socket
    version: str
    clock_ahead: float


async def shake_hands(
    session: aiohttp.ClientSession, url: str, token: str, *, ssl: bool | tls.SSLContext
) -> Handshake:
    """Connect and authenticate; raises HomeAssistantError."""
    clock_ahead = await _check_address(session, url, ssl=ssl)
    try:
        async with asyncio.timeout(HANDSHAKE_SECONDS):
            socket = await session.ws_connect(
                websocket_url(url), ssl=ssl, max_msg_size=MESSAGE_MAX, decode_text=False
            )
            try:
                _refuse_redirect(socket)
                version = await _authenticate(socket, token)
            except BaseException:
                with suppress(Exception):
                    await socket.close()
                raise
    except TimeoutError:
        raise HomeAssistantError(Problem.TIMEOUT, "no answer to the token") from None
    # ValueError: a header that aiohttp refuses. RuntimeError: the session is closed already.
    except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as err:
        detail = redact(f"{type(err).__name__}: {err}", (token,))
        raise HomeAssistantError(Problem.LOST, detail) from None
    return Handshake(socket, version, clock_ahead)


async def _check_address(
    session: aiohttp.ClientSession, url: str, *, ssl: bool | tls.SSLContext
) -> float:
    """Check that this is the place; a redirect is not followed, with or without a token."""
    reply = await exchange(
        session, "GET", URL(url) / "api" / "websocket", ssl=ssl, timeout=CHECK_TIMEOUT
    )
    problem = problem_of(reply)
    if problem is not Problem.NONE:
        raise HomeAssistantError(problem, reply.detail or f"HTTP {reply.status}")
    try:
        ahead = parsedate_to_datetime(reply.headers.get("Date", "")).timestamp() - time.time()
    except ValueError:
        return 0.0
    return ahead if abs(ahead) > _CLOCK_SECONDS else 0.0


def _refuse_redirect(socket: Socket) -> None:
    """Raise where another place answers: aiohttp follows redirects, and cannot be told not to."""
    if history := socket._response.history:  # noqa: SLF001
        raise HomeAssistantError(Problem.REDIRECT, f"HTTP {history[0].status}")


async def _authenticate(socket: Socket, token: str) -> str:
    """Present the token; returns the version of the other side."""
    if (await _read(socket)).get("type") != "auth_required":
        raise HomeAssistantError(Problem.NOT_HOME_ASSISTANT)
    await socket.send_str(orjson.dumps({"type": "auth", "access_token": token}).decode())
    answer = await _read(socket)
    match answer.get("type"):
        case "auth_ok":
            return redact(str(answer.get("ha_version", "")), (token,))[:VERSION_MAX]
        case "auth_invalid":
            detail = redact(str(answer.get("message", "")), (token,))
            raise HomeAssistantError(Problem.INVALID_AUTH, detail)
        case _:
            raise HomeAssistantError(Problem.PROTOCOL, "no answer to the token")


async def _read(socket: Socket) -> dict[str, Any]:
    message = await socket.receive()
    if message.type is not aiohttp.WSMsgType.TEXT:
        raise HomeAssistantError(Problem.LOST, "closed before the login")
    try:
        content = orjson.loads(message.data)
    except ValueError:
        raise HomeAssistantError(Problem.NOT_HOME_ASSISTANT) from None
    return content if isinstance(content, dict) else {}
