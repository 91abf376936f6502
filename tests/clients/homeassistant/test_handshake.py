"""What is made of the answers before and during the login."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formatdate

import aiohttp
import pytest
from aiohttp import web

from custom_components.ha_ingestor.clients.homeassistant.errors import HomeAssistantError, Problem
from custom_components.ha_ingestor.clients.homeassistant.handshake import VERSION_MAX, shake_hands

pytestmark = pytest.mark.usefixtures("socket_enabled")

TOKEN = "a-token-of-some-length"
GREETING = '{"type": "auth_required", "ha_version": "2026.11.0"}'
WELCOME = '{"type": "auth_ok", "ha_version": "2026.11.0"}'


@asynccontextmanager
async def server(*texts: str, date: str = "") -> AsyncIterator[tuple[str, list[str]]]:
    """Serve a WebSocket that sends the first text, and one more after each that it gets.

    Then it closes. Yields its address, and what it got.
    """
    heard: list[str] = []

    async def serve(request: web.Request) -> web.StreamResponse:
        if "Upgrade" not in request.headers:
            return web.Response(status=400, headers={"Date": date} if date else {})
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for text in texts:
            await socket.send_str(text)
            heard.append((await socket.receive()).data)
        await socket.close()
        return socket

    app = web.Application()
    app.router.add_get("/api/websocket", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", heard
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("texts", "problem", "presented"),
    [
        pytest.param((), Problem.LOST, 0, id="closed without a greeting"),
        pytest.param(("<html>",), Problem.NOT_HOME_ASSISTANT, 0, id="no JSON"),
        pytest.param(("[]",), Problem.NOT_HOME_ASSISTANT, 0, id="no object"),
        pytest.param((GREETING,), Problem.LOST, 1, id="closed without an answer"),
        pytest.param((GREETING, '{"type": "pong"}'), Problem.PROTOCOL, 1, id="another answer"),
        pytest.param((GREETING, "["), Problem.NOT_HOME_ASSISTANT, 1, id="an answer cut off"),
    ],
)
async def test_the_token_is_sent_only_after_the_greeting_of_home_assistant(
    session: aiohttp.ClientSession, texts: tuple[str, ...], problem: Problem, presented: int
) -> None:
    async with server(*texts) as (url, heard):
        with pytest.raises(HomeAssistantError) as raised:
            await shake_hands(session, url, TOKEN, ssl=True)
    assert raised.value.problem is problem
    assert TOKEN not in f"{raised.value} {raised.value.detail}"
    assert sum(TOKEN in str(text) for text in heard) == presented


async def test_a_version_that_repeats_the_token_shows_no_part_of_it(
    session: aiohttp.ClientSession,
) -> None:
    welcome = {"type": "auth_ok", "ha_version": f"{'x' * (VERSION_MAX - 9)} {TOKEN}"}
    async with server(GREETING, json.dumps(welcome)) as (url, _):
        found = await shake_hands(session, url, TOKEN, ssl=True)
        await found.socket.close()
    assert len(found.version) <= VERSION_MAX
    assert TOKEN[:4] not in found.version


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        pytest.param(3600, pytest.approx(3600, abs=5), id="an hour ahead"),
        pytest.param(-3600, pytest.approx(-3600, abs=5), id="an hour behind"),
        pytest.param(0, 0.0, id="the same, as far as a date in seconds can tell"),
        pytest.param(None, 0.0, id="a date that is none"),
    ],
)
async def test_the_other_clock_is_read_from_the_date_of_the_answer(
    session: aiohttp.ClientSession, ahead: int | None, expected: float
) -> None:
    date = "yesterday" if ahead is None else formatdate(time.time() + ahead, usegmt=True)
    async with server(GREETING, WELCOME, date=date) as (url, _):
        found = await shake_hands(session, url, TOKEN, ssl=True)
        await found.socket.close()
    assert found.clock_ahead == expected
