"""One connection, from the login to its end, against a server that misbehaves."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from custom_components.ha_ingestor.clients.homeassistant import connection as client
from custom_components.ha_ingestor.clients.homeassistant import handshake
from custom_components.ha_ingestor.clients.homeassistant.connection import Connection
from custom_components.ha_ingestor.clients.homeassistant.errors import (
    UNAUTHORIZED,
    CommandError,
    HomeAssistantError,
    Problem,
)
from tests.emulator.home_assistant import Home, Refusal
from tests.shell import NOWHERE

pytestmark = pytest.mark.usefixtures("socket_enabled")


@asynccontextmanager
async def connected(session: aiohttp.ClientSession, home: Home) -> AsyncIterator[Connection]:
    connection = await Connection.open(session, home.url, home.token)
    try:
        yield connection
    finally:
        await connection.close()


async def failure(session: aiohttp.ClientSession, url: str, presented: str = "any") -> Any:
    with pytest.raises(HomeAssistantError) as raised:
        await Connection.open(session, url, presented)
    return raised.value


async def test_a_command_is_answered_with_its_result(
    session: aiohttp.ClientSession, home: Home
) -> None:
    async with connected(session, home) as connection:
        assert connection.version == "2026.11.0"
        assert (await connection.command("get_config"))["location_name"] == "Cabin"


async def test_answers_find_their_commands_whatever_their_order(
    session: aiohttp.ClientSession, home: Home
) -> None:
    async with connected(session, home) as connection:
        home.silent.add("slow")
        slow = asyncio.create_task(connection.command("slow"))
        await asyncio.sleep(0.05)
        assert (await connection.command("get_config"))["state"] == "RUNNING"
        late = {"id": 2, "type": "result", "success": True, "result": "late"}
        await home.clients[0].send(late)
        assert await slow == "late"


async def test_a_refused_command_keeps_the_word_of_the_other_side(
    session: aiohttp.ClientSession, home: Home
) -> None:
    def refuse(_asked: Any) -> Any:
        raise Refusal(code=UNAUTHORIZED, message="Unauthorized")

    home.answers["subscribe_events"] = refuse
    async with connected(session, home) as connection:
        with pytest.raises(CommandError) as raised:
            await connection.subscribe("subscribe_events", event_type="call_service")
        assert (raised.value.code, raised.value.command) == (UNAUTHORIZED, "subscribe_events")
        # The connection goes on.
        assert await connection.command("get_config")


async def test_a_wrong_token_is_presented_once_and_appears_nowhere(
    session: aiohttp.ClientSession, home: Home
) -> None:
    home.token = "another"
    err = await failure(session, home.url, "wrong-token-of-mine")
    assert err.problem is Problem.INVALID_AUTH
    assert home.logins == ["wrong-token-of-mine"]
    assert "wrong-token-of-mine" not in repr(err) + str(err) + err.detail


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda: web.Response(status=404), Problem.NOT_HOME_ASSISTANT),
        (lambda: web.Response(status=200, text="<html>"), Problem.NOT_HOME_ASSISTANT),
        (lambda: web.Response(status=403), Problem.BANNED),
        (lambda: web.Response(status=502), Problem.UNREACHABLE),
        (lambda: web.Response(status=302, headers={"Location": NOWHERE}), Problem.REDIRECT),
    ],
)
async def test_a_server_that_is_no_home_assistant_never_gets_the_token(
    session: aiohttp.ClientSession,
    home: Home,
    answer: Callable[[], web.Response],
    problem: Problem,
) -> None:
    home.refuses = answer()
    assert (await failure(session, home.url)).problem is problem
    assert not home.logins


async def test_another_websocket_server_never_gets_the_token(
    session: aiohttp.ClientSession, home: Home
) -> None:
    home.greeting = {"type": "hello"}
    assert (await failure(session, home.url)).problem is Problem.NOT_HOME_ASSISTANT
    assert not home.logins


async def test_an_address_without_a_server_is_unreachable(session: aiohttp.ClientSession) -> None:
    assert (await failure(session, NOWHERE)).problem is Problem.UNREACHABLE


async def test_a_server_that_never_greets_times_out(
    session: aiohttp.ClientSession, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "HANDSHAKE_SECONDS", 0.2)
    home.greets = False
    assert (await failure(session, home.url)).problem is Problem.TIMEOUT


async def test_messages_that_come_as_one_array_are_each_taken(
    session: aiohttp.ClientSession, home: Home
) -> None:
    async with connected(session, home) as connection:
        number = await connection.subscribe("subscribe_entities")
        await home.send(*(home.changing("sensor.a", str(each), 1e9 + each) for each in range(100)))
        taken = [await connection.take() for _ in range(101)]
    assert {event.subscription for event in taken} == {number}
    assert [event.number for event in taken] == list(range(1, 102))
    assert taken[0].content == {"a": {}}
    assert taken[100].content["c"]["sensor.a"]["+"]["s"] == "99"


async def test_what_came_before_the_connection_was_lost_is_still_taken(
    session: aiohttp.ClientSession, home: Home
) -> None:
    async with connected(session, home) as connection:
        await connection.subscribe("subscribe_entities")
        await home.send(*(home.changing("sensor.a", str(each), 1e9 + each) for each in range(10)))
        while connection.received < 11:
            await asyncio.sleep(0.01)
        await home.stop()
        while connection.error is None:
            await asyncio.sleep(0.01)
        taken = [await connection.take() for _ in range(11)]
        assert taken[-1].content["c"]["sensor.a"]["+"]["s"] == "9"
        with pytest.raises(HomeAssistantError) as raised:
            await connection.take()
        assert raised.value.problem is Problem.LOST
        with pytest.raises(HomeAssistantError):
            await connection.command("get_config")


async def test_a_command_that_waits_fails_with_the_connection(
    session: aiohttp.ClientSession, home: Home
) -> None:
    home.silent.add("get_config")
    async with connected(session, home) as connection:
        asked = asyncio.create_task(connection.command("get_config"))
        while not home.commands["get_config"]:
            await asyncio.sleep(0.01)
        await home.drop()
        with pytest.raises(HomeAssistantError) as raised:
            await asked
        assert raised.value.problem is Problem.LOST


async def test_a_command_without_an_answer_times_out_and_the_next_one_is_asked(
    session: aiohttp.ClientSession, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.silent.add("get_config")
    async with connected(session, home) as connection:
        monkeypatch.setattr(client, "COMMAND_SECONDS", 0.1)
        with pytest.raises(HomeAssistantError) as raised:
            await connection.command("get_config")
        assert raised.value.problem is Problem.TIMEOUT
        monkeypatch.undo()
        assert await connection.command("config/area_registry/list") == []


async def test_a_peer_that_answers_no_ping_is_given_up(
    session: aiohttp.ClientSession, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PING_SECONDS", 0.1)
    monkeypatch.setattr(client, "PONG_SECONDS", 0.2)
    home.silent.add("ping")
    async with connected(session, home) as connection:
        with pytest.raises(HomeAssistantError) as raised:
            await asyncio.wait_for(connection.take(), 5)
        assert raised.value.problem is Problem.TIMEOUT


async def test_a_peer_that_answers_late_but_sends_events_is_alive(
    session: aiohttp.ClientSession, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PING_SECONDS", 0.05)
    monkeypatch.setattr(client, "PONG_SECONDS", 0.2)
    home.silent.add("ping")
    async with connected(session, home) as connection:
        await connection.subscribe("subscribe_entities")
        for each in range(20):
            await home.set_state("sensor.a", str(each), 1e9 + each)
            await asyncio.sleep(0.05)
        assert connection.error is None
        assert home.commands["ping"] > 1


async def test_a_registry_of_many_megabytes_is_one_message(
    session: aiohttp.ClientSession, home: Home
) -> None:
    rows = [{"area_id": str(number), "name": "x" * 1000} for number in range(20_000)]
    home.answers["config/area_registry/list"] = lambda _asked: rows
    async with connected(session, home) as connection:
        assert len(await connection.command("config/area_registry/list")) == 20_000


async def test_a_message_beyond_all_bounds_ends_the_connection_with_a_reason(
    session: aiohttp.ClientSession, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "MESSAGE_MAX", 100_000)
    home.answers["get_config"] = lambda _asked: "x" * 200_000
    async with connected(session, home) as connection:
        with pytest.raises(HomeAssistantError) as raised:
            await connection.command("get_config")
    assert raised.value.problem is Problem.TOO_LARGE


async def test_a_burst_never_holds_the_event_loop_for_long(
    session: aiohttp.ClientSession, home: Home
) -> None:
    async with connected(session, home) as connection:
        await connection.subscribe("subscribe_entities")
        await connection.take()
        client_ = home.clients[0]
        client_.coalesces = False
        frame = '{"id":2,"type":"event","event":{"c":{"sensor.a":{"+":{"s":"1","lc":1e9}}}}}'
        for _ in range(300):
            await client_.socket.send_str(f"[{','.join([frame] * 100)}]")
        longest = 0.0
        began = time.perf_counter()
        while connection.received < 30_001:
            await asyncio.sleep(0)
            now = time.perf_counter()
            longest, began = max(longest, now - began), now
        # A share of all the work, whatever the machine.
        assert connection.waiting == 30_000
    assert longest < 0.5


async def test_with_too_many_waiting_the_socket_is_not_read(
    session: aiohttp.ClientSession, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "WAITING_MAX", 50)
    async with connected(session, home) as connection:
        await connection.subscribe("subscribe_entities")
        home.clients[0].coalesces = False
        await home.send(*(home.changing("sensor.a", str(each), 1e9 + each) for each in range(200)))
        await asyncio.sleep(0.2)
        assert connection.waiting == 50
        taken = [await connection.take() for _ in range(201)]
        assert taken[-1].content["c"]["sensor.a"]["+"]["s"] == "199"


async def test_garbage_ends_the_connection(session: aiohttp.ClientSession, home: Home) -> None:
    async with connected(session, home) as connection:
        await home.clients[0].socket.send_str('[{"id": 1}, "x", 7, {"type": "event"}]')
        assert await connection.command("get_config")
        await home.clients[0].socket.send_str("{")
        with pytest.raises(HomeAssistantError) as raised:
            await connection.take()
        assert raised.value.problem is Problem.PROTOCOL


async def test_the_token_never_follows_a_redirect_to_another_place(
    session: aiohttp.ClientSession, home: Home
) -> None:
    async def redirect(request: web.Request) -> web.Response:
        if "Upgrade" not in request.headers:
            return web.Response(status=400)
        raise web.HTTPFound(f"{home.url}/api/websocket")

    app = web.Application()
    app.router.add_get("/api/websocket", redirect)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    error = await failure(session, f"http://127.0.0.1:{runner.addresses[0][1]}", home.token)
    await runner.cleanup()
    assert error.problem is Problem.REDIRECT
    assert home.logins == []


async def test_a_server_that_repeats_the_token_is_not_quoted(
    session: aiohttp.ClientSession, home: Home
) -> None:
    home.token = "a-token-of-some-length"

    def refuse(_: Any) -> Any:
        raise Refusal(code=home.token, message=f"Not with {home.token}")

    home.answers["get_config"] = refuse
    async with connected(session, home) as connection:
        with pytest.raises(CommandError) as raised:
            await connection.command("get_config")
    assert home.token not in f"{raised.value} {raised.value.code} {raised.value.detail}"
    assert "Not with" in raised.value.detail


async def test_a_large_array_of_messages_waits_within_the_bound(
    session: aiohttp.ClientSession, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "WAITING_MAX", 10)
    async with connected(session, home) as connection:
        await connection.subscribe("subscribe_events", event_type="x")
        await home.fire("x", *range(2000))
        await asyncio.sleep(0.2)
        assert 0 < connection.waiting < 1000
        assert [(await connection.take()).content for _ in range(2000)] == list(range(2000))
