"""The API over HTTP: who may ask, how often, what it answers, and what can be made to go wrong."""

import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Literal, Self

from aiohttp import web

from .era import Era
from .limits import RateLimit
from .tables import RefusedError, Row, Tables

API_KEY_REQUIRED: Final = {"WWW-Authenticate": "Bearer"}
_UNLIMITED: Final = frozenset({"/health", "/api/health", "/api/v1/health"})
# Devices are answered from a cache that writing does not empty.
_CACHE_SECONDS: Final = 300.0
_BODY_MAX: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to one request instead; with `apply` it does what it asks for all the same."""

    kind: Literal["answer", "reset", "hang", "truncate"] = "answer"
    status: int = 500
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    apply: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str
    time: float

    @property
    def rows(self) -> list[Row]:
        """The rows that it carried."""
        content: list[Row] = json.loads(self.body)
        return content


class DataApi:
    """One server of an era; enter it to serve.

    With `api_key` nobody else may ask. `faults` happen to the next upserts, one each; `impostor`
    answers everything, and `refusal` whatever has a row that is refused. Leaving it and entering it
    again restarts it with the same rows and port.
    """

    def __init__(
        self,
        *,
        api_key: str = "",
        port: int = 0,
        era: Era = Era.TODAY,
        has_services: bool | None = None,
        is_limited: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare."""
        self.era = era
        self.tables = Tables(is_strict=era.is_strict)
        self.api_key = api_key
        self.has_services = era.has_services if has_services is None else has_services
        self.body_max = _BODY_MAX
        self.faults: deque[Fault] = deque()
        self.impostor: Fault | None = None
        self.refusal: Fault | None = None
        self.seen: list[Seen] = []
        self.statuses: Counter[int] = Counter()
        self.url = ""
        self._port = port
        self._clock = clock
        self._limit = RateLimit(clock=clock) if is_limited else None
        self._cache: dict[str, tuple[float, str]] = {}

    async def __aenter__(self) -> Self:
        """Serve on loopback."""
        app = web.Application(client_max_size=_BODY_MAX)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop serving."""
        await self._runner.cleanup()

    @property
    def upserts(self) -> list[Seen]:
        """The requests that carried rows."""
        return [seen for seen in self.seen if seen.path.startswith("/internal/")]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = (await request.read()).decode(errors="replace")
        self.seen.append(
            Seen(
                method=request.method,
                path=request.path,
                headers=dict(request.headers),
                body=body,
                time=self._clock(),
            )
        )
        response = await self._answer(request, body)
        self.statuses[response.status] += 1
        return response

    async def _answer(self, request: web.Request, body: str) -> web.StreamResponse:
        if self.impostor:
            return await self._fail(self.impostor, request, body)
        if self._limit and request.path not in _UNLIMITED:
            seconds = self._limit.refuse(request.remote or "")
            if seconds is not None:
                return _json(_limited(), 429, {"Retry-After": str(seconds)})
        if self.faults and request.path.startswith("/internal/"):
            return await self._fail(self.faults.popleft(), request, body)
        return self._route(request, body)

    async def _fail(self, fault: Fault, request: web.Request, body: str) -> web.StreamResponse:
        if fault.apply:
            self._route(request, body)
        await asyncio.sleep(fault.delay)
        if fault.kind == "hang":
            await asyncio.Event().wait()
        response: web.StreamResponse = web.Response(
            status=fault.status, body=fault.body.encode(), headers=dict(fault.headers)
        )
        if fault.kind == "truncate":
            short = web.StreamResponse(status=fault.status, headers=dict(fault.headers))
            short.content_length = len(fault.body) + 10
            await short.prepare(request)
            await short.write(fault.body.encode())
            response = short
        if fault.kind in {"reset", "truncate"} and request.transport:
            request.transport.abort()
        return response

    def _route(self, request: web.Request, body: str) -> web.Response:
        if request.path in _UNLIMITED:
            return _json({"status": "healthy", "service": "data-api"})
        if len(body) > self.body_max:
            return web.Response(status=413, text="Request Entity Too Large")
        if denied := self._denied(request.headers.get("Authorization", "")):
            return _json(self.era.error(401, denied), 401, API_KEY_REQUIRED)
        if upsert := self._upserts.get(f"{request.method} {request.path}"):
            # Anything else is not even parsed.
            is_json = request.content_type == "application/json"
            return upsert(body) if is_json else self._invalid("model_attributes_type")
        if read := self._reads.get(f"{request.method} {request.path}"):
            return read(request)
        return _json({"detail": "Not Found"}, 404)

    @property
    def _upserts(self) -> dict[str, Callable[[str], web.Response]]:
        tables = self.tables
        found = {
            "devices": partial(self._upsert, "devices", tables.upsert_devices, _is_rows),
            "entities": partial(self._upsert, "entities", tables.upsert_entities, _is_rows),
        }
        if self.has_services:
            found["services"] = partial(
                self._upsert, "services", tables.upsert_services, _is_object
            )
        return {f"POST /internal/{table}/bulk_upsert": upsert for table, upsert in found.items()}

    @property
    def _reads(self) -> dict[str, Callable[[web.Request], web.Response]]:
        return {
            "GET /api/devices": self._devices,
            "GET /api/entities": self._entities,
            "DELETE /internal/devices/clear": self._clear,
        }

    def _clear(self, _request: web.Request) -> web.Response:
        devices, entities = self.tables.clear()
        return _json(_done(devices_deleted=devices, entities_deleted=entities))

    def _denied(self, authorization: str) -> str:
        if not self.api_key or authorization == f"Bearer {self.api_key}":
            return ""
        is_anonymous = not authorization.startswith("Bearer ")
        return "Authentication required" if is_anonymous else "Invalid or expired credentials"

    def _devices(self, request: web.Request) -> web.Response:
        limit = _limit(request, 100, 1000)
        if limit is None:
            return self._invalid("limit")
        cached = self._cache.get(request.query_string)
        if cached is None or self._clock() - cached[0] >= _CACHE_SECONDS:
            devices = list(self.tables.devices.values())[:limit]
            content = {"devices": devices, "count": len(devices), "limit": limit}
            cached = self._clock(), json.dumps(content)
            self._cache[request.query_string] = cached
        return web.Response(text=cached[1], content_type="application/json")

    def _entities(self, request: web.Request) -> web.Response:
        limit = _limit(request, 100, 10_000)
        if limit is None:
            return self._invalid("limit")
        entities = list(self.tables.entities.values())[:limit]
        if any(not isinstance(alias, str) for row in entities for alias in row["aliases"]):
            return _json(self.era.error(500, "Failed to retrieve entities"), 500)
        return _json({"entities": entities, "count": len(entities), "limit": limit})

    def _upsert(
        self, table: str, store: Callable[[Any], int], is_right: Callable[[Any], bool], body: str
    ) -> web.Response:
        try:
            content = json.loads(body)
        except ValueError:
            return self._invalid("json_invalid")
        if not is_right(content):
            return self._invalid("type")
        try:
            count = store(content)
        except RefusedError as err:
            if self.refusal:
                return web.Response(status=self.refusal.status, text=self.refusal.body)
            return _json(self.era.error(500, f"Failed to bulk upsert {table}: {err}"), 500)
        return _json(_done(upserted=count))

    def _invalid(self, kind: str) -> web.Response:
        return _json(self.era.invalid(kind), 422)


def _is_rows(content: Any) -> bool:
    return isinstance(content, list) and all(isinstance(row, dict) for row in content)


def _is_object(content: Any) -> bool:
    return isinstance(content, dict)


def _limit(request: web.Request, default: int, most: int) -> int | None:
    text = request.query.get("limit", str(default))
    return int(text) if text.isascii() and text.isdigit() and 1 <= int(text) <= most else None


def _done(**counts: int) -> dict[str, Any]:
    return {"success": True, **counts, "timestamp": datetime.now(UTC).isoformat()}


def _limited() -> dict[str, Any]:
    message = "Rate limit exceeded. Please try again later."
    return {"success": False, "error": message, "error_code": "RATE_LIMIT_EXCEEDED"}


def _json(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    return web.json_response(content, status=status, headers=headers)
