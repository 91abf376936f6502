"""A database on loopback that behaves, and misbehaves, as the real ones do."""

import asyncio
import gzip
import ssl
import zlib
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final, Literal, Self

from aiohttp import web

from custom_components.ha_ingestor.clients.influx.dialect import Dialect

from .access import EMPTY_WRITE_V3, GATES, UNKNOWN_TO_VM, Request
from .administration import Administration
from .columns import Columns, contradiction, types_of
from .dialects import Answer, Batch, Profile, compact, v1_error
from .line_protocol import BadLine, Point, Series, Value
from .profiles import NEWEST

_SECOND: Final = 1_000_000_000
_TIME_TAG: Final = 'invalid tag key: input tag "time" on measurement "{}" is invalid'
_TIME_FIELD: Final = 'invalid field name: input field "time" on measurement "{}" is invalid'


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to one write instead; with `apply` its points are stored all the same.

    It waits for a write that holds `only`.
    """

    kind: Literal["answer", "reset", "hang", "truncate"] = "answer"
    answer: Answer = field(default_factory=Answer)
    delay: float = 0.0
    apply: bool = False
    only: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def plain(self) -> bytes:
        """The body, as it is where it cannot be unzipped."""
        if self.headers.get("Content-Encoding") == "gzip":
            with suppress(EOFError, OSError, zlib.error):
                return gzip.decompress(self.body)
        return self.body


class Emulator:
    """One server of a profile; enter it to serve.

    `allowed` and `read_only` are whole Authorization headers; without any, everybody may write.
    `columns` has for each database what it knows of its measurements. `points` maps (series,
    nanoseconds) to fields, `stored` has every point as often as it came.
    """

    def __init__(
        self,
        *,
        dialect: Dialect = Dialect.V2,
        profile: Profile | None = None,
        prefix: str = "",
        retention: int | None = None,
        now: int = 1_800_000_000,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.profile = profile or NEWEST[dialect]
        self.prefix, self.retention, self.now = prefix, retention, now
        self.allowed: set[str] = set()
        self.read_only: set[str] = set()
        self.names = {
            "db": {"home_assistant"},
            "rp": {"autogen"},
            "org": {"home"},
            "bucket": {"home_assistant"},
        }
        self.administration = Administration(names=self.names)
        self.points: dict[tuple[Series, int], dict[str, Value]] = {}
        self.stored: list[Point] = []
        # Of fields in every database: what a test wants them to have been before.
        self.types: dict[tuple[str, str], type] = {}
        self.columns: dict[str, Columns] = {}
        self.faults: deque[Fault] = deque()
        # Served for every path: a proxy, or a server that is no database at all.
        self.impostor: Answer | None = None
        self.slowness = 0.0
        self.ignored = {"small_timestamp": 0, "big_timestamp": 0}
        self.tells_retention = True
        self.seen: list[Seen] = []
        self.arrived = asyncio.Event()
        self.url = ""
        self._tls = tls

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(
            app, auto_decompress=False, shutdown_timeout=0.1, handler_cancellation=True
        )
        await self._runner.setup()
        if self._tls:
            # In debug mode asyncio reports a client that hangs up on our certificate as an error.
            asyncio.get_running_loop().set_debug(enabled=False)
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        scheme = "https" if self._tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._runner.addresses[0][1]}{self.prefix}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @property
    def writes(self) -> list[Seen]:
        """The requests that carried points, or none of them."""
        return [seen for seen in self.seen if seen.path in self.profile.writes]

    def found(self) -> list[tuple[Series, int, dict[str, Value]]]:
        """Read as a user does: InfluxDB has a point once, VictoriaMetrics as often as it came."""
        if self._is_influx:
            return [(series, time, fields) for (series, time), fields in self.points.items()]
        return [(point.series, point.time, point.fields) for point in self.stored]

    @property
    def _is_influx(self) -> bool:
        return self.profile.dialect is not Dialect.VICTORIAMETRICS

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix(self.prefix)
        seen = Seen(
            method=request.method,
            path=path,
            query=dict(request.query),
            headers=dict(request.headers),
            body=await request.read(),
        )
        self.seen.append(seen)
        self.arrived.set()
        await asyncio.sleep(self.slowness)
        if self.impostor or not request.path.startswith(self.prefix):
            return _response(self.impostor or self._elsewhere())
        if path not in self.profile.writes:
            return _response(self._page(path, seen), self.profile)
        if not (self.faults and self.faults[0].only in seen.plain):
            answer = self._write(seen)
            # A server that wants other credentials says nothing of itself.
            is_known = answer.status != HTTPStatus.UNAUTHORIZED
            headers = {**(self.profile.write_headers if is_known else {}), **answer.headers}
            return _response(replace(answer, headers=headers), self.profile)
        return await self._fail(self.faults.popleft(), request, seen)

    def _elsewhere(self) -> Answer:
        """Answer outside the prefix: a proxy does, or the same server for all its paths."""
        is_proxy = self.profile.has_metrics
        return Answer(status=404, body="not found") if is_proxy else self.profile.not_found

    async def _fail(self, fault: Fault, request: web.Request, seen: Seen) -> web.StreamResponse:
        if fault.apply:
            self._write(seen)
        await asyncio.sleep(fault.delay)
        if fault.kind == "hang":
            await asyncio.Event().wait()
        response: web.StreamResponse = _response(fault.answer)
        if fault.kind == "truncate":
            short = web.StreamResponse(status=response.status, headers=fault.answer.headers)
            short.content_length = len(fault.answer.body) + 10
            await short.prepare(request)
            await short.write(fault.answer.body.encode())
            response = short
        if fault.kind in {"reset", "truncate"} and request.transport:
            request.transport.abort()
        return response

    def _page(self, path: str, seen: Seen) -> Answer:
        if self.profile.locked and not self._request(seen).is_known:
            return self.profile.locked
        has_metrics = path == "/metrics" and self.profile.has_metrics
        if has_metrics and not self._request(seen).is_known:
            return UNKNOWN_TO_VM
        if administered := self._administer(path, seen):
            return administered
        if self.tells_retention and (answer := self._retention_page(path, seen)):
            return answer
        pages = {
            "/ping": self.profile.ping,
            "/health": self.profile.health,
        }
        if has_metrics:
            body = self.profile.metrics + self._ignored_metrics()
            pages["/metrics"] = Answer(status=200, body=body)
        return pages.get(path, self.profile.not_found)

    def _administer(self, path: str, seen: Seen) -> Answer | None:
        """Answer what an administrator asks; to others as to a write."""
        dialect = self.profile.dialect
        if dialect is Dialect.V2 and path == "/api/v2/setup":
            return Answer(status=200, body='{"allowed": false}')
        answer = self.administration.answer(dialect, path, seen.query, seen.body)
        return answer and (GATES[dialect][0](self._request(seen)) or answer)

    def _ignored_metrics(self) -> str:
        """Count what VictoriaMetrics acknowledged and did not store."""
        return "".join(
            f'vm_rows_ignored_total{{reason="{reason}"}} {count}\n'
            for reason, count in self.ignored.items()
        )

    def _retention_page(self, path: str, seen: Seen) -> Answer | None:
        """Tell the retention as InfluxDB 1 and 2 do."""
        if not self._request(seen).is_known:
            return None
        seconds = self.retention or 0
        is_show = seen.query.get("q", "").startswith("SHOW RETENTION POLICIES")
        if path == "/query" and is_show and self.profile.dialect is Dialect.V1:
            columns = ["name", "duration", "shardGroupDuration", "replicaN", "default"]
            hours, rest = divmod(seconds, 3600)
            duration = f"{hours}h{rest // 60}m{rest % 60}s" if seconds else "0s"
            values = [["other", "1h0m0s", "1h0m0s", 1, False]]
            values.append(["autogen", duration, "24h0m0s", 1, True])
            series = [{"columns": columns, "values": values}]
            return Answer(
                status=200, body=compact({"results": [{"statement_id": 0, "series": series}]})
            )
        if path == "/api/v2/buckets" and self.profile.dialect is Dialect.V2:
            rules = [{"type": "expire", "everySeconds": seconds}] if seconds else []
            bucket = {"id": "1", "name": seen.query.get("name", ""), "retentionRules": rules}
            is_there = seen.query.get("name") in self.names["bucket"]
            return Answer(status=200, body=compact({"buckets": [bucket] if is_there else []}))
        return None

    def _request(self, seen: Seen) -> Request:
        credentials = seen.headers.get("Authorization", "")
        is_open = not self.allowed
        return Request(
            query=seen.query,
            is_known=is_open or credentials in self.allowed | self.read_only,
            may_write=is_open or credentials in self.allowed,
            names=self.names,
        )

    def _refusal(self, seen: Seen) -> Answer | None:
        request = self._request(seen)
        answers = (gate(request) for gate in GATES[self.profile.dialect])
        return next(filter(None, answers), None)

    def _write(self, seen: Seen) -> Answer:
        dialect = self.profile.dialect
        if refusal := self._refusal(seen):
            return refusal
        unit = self.profile.units.get(seen.query.get("precision", ""))
        if unit is None and self.profile.bad_unit:
            return self.profile.bad_unit
        if self.profile.body_max is not None and len(seen.body) > self.profile.body_max:
            return v1_error("Request Entity Too Large", 413)
        body = seen.body
        if seen.headers.get("Content-Encoding") == "gzip":
            try:
                body = gzip.decompress(body or b"\0")
            except (EOFError, OSError, zlib.error) as err:
                is_whole = "CRC" in str(err)
                return (is_whole and self.profile.bad_checksum) or self.profile.bad_gzip
        if not body.strip() and dialect is Dialect.V3:
            return EMPTY_WRITE_V3
        name = seen.query.get("db") or seen.query.get("bucket", "")
        known = self.columns.setdefault(name, Columns())
        batch = self._sorted(body.decode(errors="replace"), unit, known)
        stored, answer = self.profile.writes[seen.path](batch)
        self._store(stored, known)
        return answer

    @property
    def ambiguous(self) -> set[tuple[str, str]]:
        """The measurements with a name that is a tag and a field, which InfluxDB 1 and 2 store."""
        return {key for known in self.columns.values() for key in known.tags & known.fields.keys()}

    def _sorted(self, text: str, unit: int | None, known: Columns) -> Batch:
        batch = Batch(good=[], bad=[], conflicting=[], stale=[], stripped=[])
        so_far = known.copy()
        so_far.fields = types_of(self.types) | so_far.fields
        oldest = (self.now - self.retention) * _SECOND if self.retention else None
        for line in self.profile.read(text, now=self.now * _SECOND, unit=unit):
            if isinstance(line, BadLine):
                batch.bad.append(line)
            elif reason := self._refused(line, so_far):
                batch.conflicting.append((line, reason))
            elif oldest is not None and line.time < oldest:
                batch.stale.append(line)
                self.ignored["small_timestamp"] += len(line.fields)
            else:
                if self._is_influx and line.fields.pop("time", None) is not None:
                    batch.stripped.append(_TIME_FIELD.format(line.series[0]))
                batch.good.append(line)
        return batch

    def _refused(self, point: Point, known: Columns) -> str:
        """Say why a line that is right is not stored."""
        if not self._is_influx:
            return ""
        if "time" in dict(point.series[1]):
            return _TIME_TAG.format(point.series[0])
        if list(point.fields) == ["time"]:
            return _TIME_FIELD.format(point.series[0])
        longest = self.profile.text_max
        for name, value in point.fields.items():
            if longest and isinstance(value, str) and len(value.encode()) > longest:
                return f'input field "{name}" on measurement "{point.series[0]}" is too long'
        reason = contradiction(point, known, self.profile.dialect)
        if not reason:
            known.learn(point)
        return reason

    def _store(self, points: list[Point], known: Columns) -> None:
        for point in points:
            known.learn(point)
            if not point.fields:
                continue
            self.points.setdefault((point.series, point.time), {}).update(point.fields)
            self.stored.append(point)


def _response(answer: Answer, profile: Profile | None = None) -> web.StreamResponse:
    headers = {**(profile.headers if profile else {}), **answer.headers}
    return web.Response(status=answer.status, body=answer.body.encode(), headers=headers)
