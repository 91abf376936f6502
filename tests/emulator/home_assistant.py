"""The WebSocket API of a Home Assistant, for what a real one does rarely."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
import orjson
from aiohttp import web

type Json = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Exception):  # noqa: N818  it is what the server says
    """What a command is answered with instead of a result."""

    code: str
    message: str = "No"


@dataclass(slots=True)
class Client:
    """One socket that is logged in."""

    socket: web.WebSocketResponse
    subscriptions: dict[int, str] = field(default_factory=dict)
    coalesces: bool = False

    async def send(self, *messages: Json) -> None:
        """Send messages as one frame, if they may come so."""
        if self.coalesces and len(messages) > 1:
            await self.socket.send_str(orjson.dumps(messages).decode())
            return
        for message in messages:
            await self.socket.send_str(orjson.dumps(message).decode())

    def events(self, kind: str, content: Json) -> list[Json]:
        """Address an event to every subscription of a kind."""
        return [
            {"id": number, "type": "event", "event": content}
            for number, subscribed in self.subscriptions.items()
            if subscribed == kind
        ]


class Home:
    """A Home Assistant whose states and registries a test sets; enter it to serve.

    `answers` replace what a command is answered with, `silent` commands are not answered at all.
    `logins` are the tokens that were presented, `commands` counts what was asked.
    """

    def __init__(self, *, port: int = 0) -> None:
        self.token = "good"
        self.state = "RUNNING"
        self.is_admin = True
        self.location = "Cabin"
        self.states: dict[str, dict[str, Json]] = {}
        self.entities: dict[str, dict[str, Json]] = {}
        self.devices: list[Json] = []
        self.areas: list[dict[str, Json]] = []
        self.floors: list[dict[str, Json]] = []
        self.labels: list[dict[str, Json]] = []
        self.entries: list[dict[str, Json]] = []
        self.answers: dict[str, Callable[[Json], Json | Awaitable[Json]]] = {}
        self.silent: set[str] = set()
        self.refuses: web.Response | None = None
        self.greeting: Json = {"type": "auth_required", "ha_version": "2026.11.0"}
        self.greets = True
        self.logins: list[str] = []
        self.commands: Counter[str] = Counter()
        self.clients: list[Client] = []
        self.looks = 0
        self._port = port
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listen, where it was before."""
        app = web.Application()
        app.router.add_get("/api/websocket", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Be gone."""
        runner, self._runner = self._runner, None
        if runner:
            await self.drop()
            await runner.cleanup()

    async def drop(self) -> None:
        """Cut every connection, without a word."""
        clients, self.clients = self.clients, []
        for client in clients:
            with suppress(Exception):
                transport = client.socket._req.transport  # type: ignore[union-attr]
                if transport:
                    transport.abort()
        await asyncio.sleep(0)

    def register(self, entity_id: str, **row: Json) -> None:
        """Put an entity into the registry, as it is listed."""
        known = self.entities.get(entity_id, {})
        self.entities[entity_id] = {
            "entity_id": entity_id,
            "id": f"id of {entity_id}",
            "unique_id": entity_id,
            "platform": "demo",
            "labels": [],
            **known,
            **row,
        }

    async def set_state(
        self, entity_id: str, state: str, at: float, /, *, context: str = "c", **attributes: Json
    ) -> None:
        """Change a state as Home Assistant would, and tell those who follow the states."""
        await self.send(self.changing(entity_id, state, at, context=context, **attributes))

    def changing(
        self, entity_id: str, state: str, at: float, /, *, context: str = "c", **attributes: Json
    ) -> Json:
        """Change a state and return the event, which nobody gets yet."""
        old = self.states.get(entity_id)
        if old is None:
            row = {"s": state, "a": attributes, "c": context, "lc": at}
            self.states[entity_id] = row
            return {"a": {entity_id: row}}
        more: dict[str, Json] = {"c": context}
        new = {"s": state, "a": attributes, "c": context, "lc": at}
        if old["s"] == state:
            more["lu"] = at
            new |= {"lc": old["lc"], "lu": at}
        else:
            more |= {"s": state, "lc": at}
        self.states[entity_id] = new
        changed = {key: each for key, each in attributes.items() if old["a"].get(key) != each}
        gone = [key for key in old["a"] if key not in attributes]
        difference: dict[str, Json] = {"+": more}
        if changed:
            more["a"] = changed
        if gone:
            difference["-"] = {"a": gone}
        return {"c": {entity_id: difference}}

    def removing(self, entity_id: str) -> Json:
        """Remove a state and return the event, which nobody gets yet."""
        del self.states[entity_id]
        return {"r": [entity_id]}

    async def send(self, *events: Json) -> None:
        """Send events to all who follow the states, those of one client together."""
        await self.fire("subscribe_entities", *events)

    async def fire(self, kind: str, *events: Json) -> None:
        """Send events to those who subscribed to a kind."""
        for client in list(self.clients):
            messages = [each for event in events for each in client.events(kind, event)]
            if messages:
                with suppress(ConnectionError, aiohttp.ClientError):
                    await client.send(*messages)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self.refuses is not None:
            return self.refuses
        if "Upgrade" not in request.headers:
            self.looks += 1
            return web.Response(status=400, text="No WebSocket UPGRADE hdr")
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        if self.greets:
            await socket.send_str(orjson.dumps(self.greeting).decode())
        async for message in socket:
            token = orjson.loads(message.data)["access_token"]
            break
        else:
            return socket
        self.logins.append(token)
        if token != self.token:
            await socket.send_str('{"type":"auth_invalid","message":"Invalid access token"}')
            await socket.close()
            return socket
        await socket.send_str('{"type":"auth_ok","ha_version":"2026.11.0"}')
        client = Client(socket)
        self.clients.append(client)
        try:
            async for message in socket:
                await self._answer(client, orjson.loads(message.data))
        finally:
            if client in self.clients:
                self.clients.remove(client)
        return socket

    async def _answer(self, client: Client, asked: Mapping[str, Json]) -> None:
        kind, number = asked["type"], asked["id"]
        self.commands[kind] += 1
        if kind in self.silent:
            return
        try:
            result = self.answers.get(kind, self._result)(asked)
            if isinstance(result, Awaitable):
                result = await result
        except Refusal as refusal:
            error = {"code": refusal.code, "message": refusal.message}
            await client.send({"id": number, "type": "result", "success": False, "error": error})
            return
        if kind == "ping":
            await client.send({"id": number, "type": "pong"})
            return
        done = {"id": number, "type": "result", "success": True, "result": result}
        if kind == "supported_features":
            client.coalesces = bool(asked["features"].get("coalesce_messages"))
        if kind == "subscribe_events":
            client.subscriptions[number] = asked["event_type"]
        if kind == "unsubscribe_events":
            client.subscriptions.pop(asked["subscription"], None)
        if kind == "subscribe_entities":
            client.subscriptions[number] = kind
            states = {"a": {name: dict(row) for name, row in self.states.items()}}
            await client.send(done, {"id": number, "type": "event", "event": states})
            return
        await client.send(done)

    def _result(self, asked: Mapping[str, Json]) -> Json:
        config = {"state": self.state, "location_name": self.location, "version": "2026.11.0"}
        results: dict[str, Json] = {
            "get_config": config,
            "auth/current_user": {"id": "u", "is_admin": self.is_admin},
            "config/entity_registry/list": [_partial(row) for row in self.entities.values()],
            "config/device_registry/list": self.devices,
            "config/area_registry/list": self.areas,
            "config/floor_registry/list": self.floors,
            "config/label_registry/list": self.labels,
            "config_entries/get": self.entries,
            "history/history_during_period": {},
        }
        if asked["type"] == "config/entity_registry/get_entries":
            return {name: self.entities.get(name) for name in asked["entity_ids"]}
        return results.get(asked["type"])


def _partial(row: Mapping[str, Json]) -> Json:
    missing: Iterable[str] = ("aliases", "capabilities", "device_class", "original_device_class")
    return {key: value for key, value in row.items() if key not in missing}
