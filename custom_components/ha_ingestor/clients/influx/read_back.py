"""Reads one point back, and asks the server who it is and what time it has there."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from ssl import SSLContext
from typing import Any, Final

import aiohttp
from yarl import URL

from ..address import normalize
from ..encoding import decode, decode_object
from ..exchange import CHECK_TIMEOUT, DETAIL_MAX, Reply, exchange, redact
from .bounded_pool import bound
from .destination import Destination, authorization, secrets_of
from .dialect import Dialect
from .library import load_library
from .probe import probe
from .quoting import flux_text
from .retention import ahead

_NO_PERMISSION: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_UNKNOWN_PATH: Final = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.OK}
)
_MS: Final = 1_000_000
_MS_PER_SECOND: Final = 1000
# The timeout of the library is one of each part of an answer.
QUERY_SECONDS: Final = 30.0
# A date in a header is cut to whole seconds.
_DATE_CUT: Final = 0.5


class Reading(StrEnum):
    """What came of reading the marker."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    NO_PERMISSION = "no_permission"
    NO_QUERIES = "no_queries"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadResult:
    """What one query found; `detail` is text of the server, without secrets."""

    reading: Reading
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """The point to read: one number, at a whole millisecond, which every server keeps."""

    measurement: str
    field: str
    value: float
    time_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """Version, and by how many seconds its clock is ahead of ours; empty and None if unknown."""

    version: str
    ahead: float | None


class ReadBack:
    """Reads with the credentials of the destination, on a shared session."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        destination: Destination,
        *,
        ssl: bool | SSLContext = True,
    ) -> None:
        """Prepare; raises AddressError."""
        self._session, self._destination, self._ssl = session, destination, ssl
        self._root = URL(normalize(destination.url))
        header = authorization(destination)
        self._headers = {"Authorization": header} if header else {}
        queries: Mapping[Dialect, Callable[[Marker], Awaitable[ReadResult]]] = {
            Dialect.V1: self._influxql,
            Dialect.V2: self._flux,
            Dialect.V3: self._sql,
            Dialect.VICTORIAMETRICS: self._export,
        }
        self._query = queries[destination.dialect]

    @property
    def dialect(self) -> Dialect:
        """The dialect of the destination."""
        return self._destination.dialect

    async def prepare(self) -> None:
        """Do what would make the first query a slow one: an import takes seconds."""
        if self.dialect is Dialect.V2:
            await asyncio.to_thread(load_library)

    async def read(self, marker: Marker) -> ReadResult:
        """Query once; network errors are not raised."""
        return await self._query(marker)

    async def facts(self) -> ServerFacts:
        """Ask the server about itself; network errors are not raised."""
        before = time.time()
        ping = await self._get("ping", {})
        now = (before + time.time()) / 2
        offset = ahead(ping, now)
        found = await probe(self._session, self._destination.url, ssl=self._ssl)
        return ServerFacts(
            version=found.version, ahead=None if offset is None else offset + _DATE_CUT
        )

    async def _influxql(self, marker: Marker) -> ReadResult:
        statement = (
            f'SELECT "{marker.field}" FROM "{marker.measurement}"'  # noqa: S608  both are ours
            f" WHERE time = {marker.time_ms * _MS}"
        )
        query = {"db": self._destination.database, "epoch": "ns", "q": statement}
        if policy := self._destination.retention_policy:
            query["rp"] = policy
        reply = await self._get("query", query)
        result = _first(decode_object(reply.body).get("results"))
        if "error" in result:
            return ReadResult(reading=Reading.FAILED, detail=str(result["error"])[:DETAIL_MAX])
        rows = _first(result.get("series")).get("values")
        values = [row[1] for row in rows] if isinstance(rows, list) else []
        return _judged(reply, values, marker)

    async def _sql(self, marker: Marker) -> ReadResult:
        moment = datetime.fromtimestamp(marker.time_ms / _MS_PER_SECOND, UTC)
        statement = (
            f'SELECT "{marker.field}" FROM "{marker.measurement}"'  # noqa: S608  both are ours
            f" WHERE time = '{moment:%Y-%m-%dT%H:%M:%S}.{marker.time_ms % _MS_PER_SECOND:03}Z'"
        )
        query = {"db": self._destination.database, "q": statement, "format": "json"}
        reply = await self._get("api/v3/query_sql", query)
        # It has the table only after its first point.
        if reply.status >= HTTPStatus.BAD_REQUEST and f"{marker.measurement}' not" in reply.body:
            return ReadResult(reading=Reading.NOT_FOUND)
        rows = decode(reply.body)
        found = rows if isinstance(rows, list) else []
        return _judged(
            reply, [row.get(marker.field) for row in found if isinstance(row, dict)], marker
        )

    async def _export(self, marker: Marker) -> ReadResult:
        """Read raw samples: unlike a query, this shows the newest ones."""
        labels = {"__name__": f"{marker.measurement}_{marker.field}"}
        if database := self._destination.database:
            labels["db"] = database
        wanted = ",".join(f"{name}={json.dumps(value)}" for name, value in labels.items())
        moment = f"{marker.time_ms / _MS_PER_SECOND:.3f}"
        query = {"match[]": f"{{{wanted}}}", "start": moment, "end": moment}
        reply = await self._get("api/v1/export", query)
        series = [decode_object(line).get("values") for line in reply.body.splitlines()]
        values = [value for each in series if isinstance(each, list) for value in each]
        return _judged(reply, values, marker)

    async def _flux(self, marker: Marker) -> ReadResult:
        start = marker.time_ms * _MS
        query = (
            f"from(bucket: {flux_text(self._destination.bucket)})"
            f" |> range(start: time(v: {start}), stop: time(v: {start + 1}))"
            f" |> filter(fn: (r) => r._measurement == {flux_text(marker.measurement)}"
            f" and r._field == {flux_text(marker.field)})"
        )
        try:
            async with asyncio.timeout(QUERY_SECONDS):
                return await asyncio.to_thread(self._ask_flux, query, marker)
        except TimeoutError:
            return ReadResult(reading=Reading.FAILED, detail=f"No answer in {QUERY_SECONDS:.0f} s")

    def _ask_flux(self, query: str, marker: Marker) -> ReadResult:
        library, destination = load_library(), self._destination
        try:
            with library.InfluxDBClient(
                url=str(self._root).removesuffix("/"),
                token=destination.token,
                org=destination.org,
                timeout=int((CHECK_TIMEOUT.total or 0) * 1000),
                verify_ssl=bool(self._ssl),
                ssl_context=self._ssl if isinstance(self._ssl, SSLContext) else None,
            ) as client:
                bound(client, QUERY_SECONDS)
                tables = client.query_api().query(query)
        except library.client.exceptions.InfluxDBError as err:
            status = getattr(err, "status", 0) or 0
            return _refused(status, self._redacted(str(err.message or "")))
        except Exception as err:  # noqa: BLE001  it has errors of its own for each of its parts
            return ReadResult(
                reading=Reading.FAILED, detail=self._redacted(f"{type(err).__name__}: {err}")
            )
        values = [record.get_value() for table in tables for record in table.records]
        return _found(values, marker)

    def _redacted(self, text: str) -> str:
        return redact(text, secrets_of(self._destination))[:DETAIL_MAX]

    async def _get(self, path: str, query: Mapping[str, str]) -> Reply:
        return await exchange(
            self._session,
            "GET",
            (self._root / path).with_query(query),
            ssl=self._ssl,
            timeout=CHECK_TIMEOUT,
            headers=self._headers,
            secrets=secrets_of(self._destination),
        )


def _judged(reply: Reply, values: list[Any], marker: Marker) -> ReadResult:
    if reply.status == HTTPStatus.OK and not reply.is_html:
        return _found(values, marker)
    if reply.failure:
        return ReadResult(reading=Reading.FAILED, detail=reply.detail)
    return _refused(reply.status, reply.body[:DETAIL_MAX])


def _refused(status: int, detail: str) -> ReadResult:
    """Judge a refusal of what was written a moment ago: a bucket that is hidden is there."""
    if status in _NO_PERMISSION or "could not find bucket" in detail:
        return ReadResult(reading=Reading.NO_PERMISSION, detail=detail)
    if status in _UNKNOWN_PATH or "unsupported path" in detail:
        return ReadResult(reading=Reading.NO_QUERIES, detail=detail)
    return ReadResult(reading=Reading.FAILED, detail=detail or str(status))


def _found(values: list[Any], marker: Marker) -> ReadResult:
    return ReadResult(reading=Reading.FOUND if marker.value in values else Reading.NOT_FOUND)


def _first(content: object) -> dict[str, Any]:
    is_list = isinstance(content, list) and content and isinstance(content[0], dict)
    return content[0] if is_list else {}  # type: ignore[index]
