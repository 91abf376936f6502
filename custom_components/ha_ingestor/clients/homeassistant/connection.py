"""One authenticated connection to the WebSocket API: commands and their answers, and events."""

import asyncio
import ssl as tls
import time
from collections import deque
from collections.abc import Container, Mapping
from contextlib import suppress
from itertools import batched
from typing import Any, Final, NamedTuple, Self

import aiohttp
import orjson

from ..exchange import DETAIL_MAX, redact
from .errors import CommandError, HomeAssistantError, Problem
from .handshake import MESSAGE_MAX, Handshake, shake_hands

SUBSCRIBE_EVENTS: Final = "subscribe_events"
# To list a large registry on a slow machine takes seconds.
COMMAND_SECONDS: Final = 60.0
PING_SECONDS: Final = 30.0
PONG_SECONDS: Final = 10.0
# Events that wait to be taken. With more the socket is not read, and the server drops us in time.
WAITING_MAX: Final = 50_000
# Longer messages are parsed in a thread.
_LONG: Final = 128 * 1024
# How many messages of one array are sorted before a look at the clock.
_AT_ONCE: Final = 256
# The longest that is parsed without a look at what else the event loop has to do.
_SLICE_SECONDS: Final = 0.004

_TOO_BIG: Final = aiohttp.WSCloseCode.MESSAGE_TOO_BIG


class Event(NamedTuple):
    """What came for a subscription; `number` counts all that came before and this one.

    `heard` is when it came, in seconds since 1970.
    """

    subscription: int
    content: Any
    number: int
    heard: float


class Connection:
    """Commands are sent at any time; events are taken one by one in the order they came.

    When the connection is lost, the events that came before are still taken, and then the error is
    raised. It is not restored: the caller opens another one.
    """

    def __init__(self, handshake: Handshake, token: str) -> None:
        """Take over an authenticated socket; the token is left out of what the server says."""
        self.version = handshake.version
        self.clock_ahead = handshake.clock_ahead
        # How many events came so far.
        self.received = 0
        self._socket = handshake.socket
        self._secrets = (token,)
        self._id = 0
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._events: deque[Event] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._error: HomeAssistantError | None = None
        self._heard_at = time.monotonic()
        self._tasks = [
            asyncio.create_task(self._read(), name="ha_ingestor remote reader"),
            asyncio.create_task(self._keep_alive(), name="ha_ingestor remote ping"),
        ]

    @classmethod
    async def open(
        cls,
        session: aiohttp.ClientSession,
        url: str,
        token: str,
        *,
        ssl: bool | tls.SSLContext = True,
    ) -> Self:
        """Connect and authenticate; raises HomeAssistantError."""
        connection = cls(await shake_hands(session, url, token, ssl=ssl), token)
        try:
            # From now on several messages may come as one array.
            await connection.command("supported_features", features={"coalesce_messages": 1})
        except BaseException:
            await connection.close()
            raise
        return connection

    @property
    def waiting(self) -> int:
        """How many events wait to be taken."""
        return len(self._events)

    def waiting_for(self, subscriptions: Container[int]) -> list[Event]:
        """Return the events of some subscriptions that wait to be taken, which they still are."""
        return [event for event in self._events if event.subscription in subscriptions]

    @property
    def error(self) -> HomeAssistantError | None:
        """Why the connection ended, if it has."""
        return self._error

    async def command(self, kind: str, **content: Any) -> Any:
        """Send a command and return its result; raises CommandError or HomeAssistantError."""
        return (await self._send_command(kind, content))[1]

    async def mapping(self, kind: str) -> Mapping[str, Any]:
        """Send a command whose result is a mapping; raises HomeAssistantError for any other."""
        result = await self.command(kind)
        if not isinstance(result, dict):
            raise HomeAssistantError(Problem.PROTOCOL, "an unexpected answer")
        return result

    async def subscribe(self, kind: str, **content: Any) -> int:
        """Send a command that brings events; returns the number that these have."""
        return (await self._send_command(kind, content))[0]

    async def take(self) -> Event:
        """Return the next event; raises HomeAssistantError when there will be none."""
        while not self._events:
            if self._error:
                raise self._error
            self._arrived.clear()
            await self._arrived.wait()
        self._room.set()
        return self._events.popleft()

    async def close(self) -> None:
        """End it; events that came before are still taken. Safe to call again."""
        self._end(HomeAssistantError(Problem.LOST, "closed"))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(Exception):
            async with asyncio.timeout(PONG_SECONDS):
                await self._socket.close()

    async def _send_command(self, kind: str, content: Mapping[str, Any]) -> tuple[int, Any]:
        if self._error:
            raise self._error
        # The server wants the numbers in order: nothing waits between taking one and sending it.
        self._id = number = self._id + 1
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                await self._socket.send_str(
                    orjson.dumps({"id": number, "type": kind, **content}).decode()
                )
                reply = await answer
        except TimeoutError:
            raise HomeAssistantError(Problem.TIMEOUT, f"{kind}: no answer") from None
        except (aiohttp.ClientError, OSError, RuntimeError) as err:
            raise HomeAssistantError(Problem.LOST, f"{kind}: {type(err).__name__}") from None
        finally:
            self._answers.pop(number, None)
            answer.cancel()
        if reply.get("type") == "result" and not reply.get("success"):
            said = reply.get("error")
            said = said if isinstance(said, dict) else {}
            code, message = (self._shown(said.get(name, "")) for name in ("code", "message"))
            raise CommandError(kind, code, message)
        return number, reply.get("result")

    def _shown(self, said: Any) -> str:
        return redact(str(said)[:DETAIL_MAX], self._secrets)

    async def _read(self) -> None:
        """Read as fast as the server sends: it drops clients that lag behind."""
        began = time.perf_counter()
        while self._error is None:
            message = await self._socket.receive()
            self._heard_at = time.monotonic()
            if message.type is not aiohttp.WSMsgType.TEXT:
                self._end(self._farewell(message.type))
                return
            data = message.data
            try:
                content = (
                    await asyncio.to_thread(orjson.loads, data)
                    if len(data) > _LONG
                    else orjson.loads(data)
                )
            except ValueError:
                self._end(HomeAssistantError(Problem.PROTOCOL, "a message that is no JSON"))
                return
            messages = content if isinstance(content, list) else (content,)
            for some in batched(messages, _AT_ONCE, strict=False):
                for each in some:
                    self._sort(each)
                if len(self._events) >= WAITING_MAX:
                    self._room.clear()
                    await self._room.wait()
                # A socket that has more to read does not make anybody wait.
                if time.perf_counter() - began > _SLICE_SECONDS:
                    await asyncio.sleep(0)
                    began = time.perf_counter()

    def _sort(self, message: Any) -> None:
        if not isinstance(message, dict) or not isinstance(number := message.get("id"), int):
            return
        if message.get("type") == "event":
            self.received += 1
            self._events.append(Event(number, message.get("event"), self.received, time.time()))
            self._arrived.set()
        elif (answer := self._answers.get(number)) and not answer.done():
            answer.set_result(message)

    def _farewell(self, kind: aiohttp.WSMsgType) -> HomeAssistantError:
        if self._socket.close_code == _TOO_BIG:
            return HomeAssistantError(Problem.TOO_LARGE, f"more than {MESSAGE_MAX >> 20} MiB")
        return HomeAssistantError(Problem.LOST, f"{kind.name} {self._socket.close_code}")

    async def _keep_alive(self) -> None:
        """Find out when the other side is gone and has not closed the connection."""
        while self._error is None:
            await asyncio.sleep(PING_SECONDS)
            asked_at = time.monotonic()
            with suppress(HomeAssistantError, TimeoutError):
                async with asyncio.timeout(PONG_SECONDS):
                    await self.command("ping")
            is_reading = len(self._events) < WAITING_MAX
            # What comes before the answer is a sign of life as well.
            if is_reading and self._heard_at < asked_at:
                self._end(HomeAssistantError(Problem.TIMEOUT, f"no sign for {PONG_SECONDS:.0f} s"))

    def _end(self, error: HomeAssistantError) -> None:
        if self._error is not None:
            return
        self._error = error
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(error)
        self._arrived.set()
        self._room.set()
