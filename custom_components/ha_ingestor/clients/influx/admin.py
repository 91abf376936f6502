"""Creates what a destination lacks: the bucket, the database, the retention policy."""

import json
from http import HTTPStatus
from ssl import SSLContext
from typing import Any

import aiohttp
from yarl import URL

from ...pipeline.export.result import Kind, Problem, Result
from ..address import normalize
from ..encoding import decode_object
from ..exchange import CHECK_TIMEOUT, DETAIL_MAX, Reply, exchange
from .client import speaks_as_database
from .destination import Destination, authorization, secrets_of
from .dialect import Dialect
from .outcome import Outcome
from .verdict import classify


class InfluxAdministrator:
    """Asks for changes with the credentials of the destination."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        destination: Destination,
        *,
        ssl: bool | SSLContext = True,
    ) -> None:
        """Prepare; raises AddressError."""
        self._session = session
        self._destination = destination
        self._ssl = ssl
        self._root = URL(normalize(destination.url))
        self._headers = {"Content-Type": "application/json"}
        if value := authorization(destination):
            self._headers["Authorization"] = value

    async def create_missing(self) -> Result:
        """Create bucket or database and the retention policy that is named; they keep for ever."""
        match self._destination.dialect:
            case Dialect.V2:
                return await self._create_bucket()
            case Dialect.V1:
                return await self._create_database()
            case _:  # the others create what is missing by themselves
                return Result(kind=Kind.ACCEPTED, problem=Problem.NONE)

    async def _create_bucket(self) -> Result:
        destination = self._destination
        orgs: list[dict[str, Any]] = []
        for key in ("org", "orgID"):
            reply = await self._ask("GET", "api/v2/orgs", {key: destination.org})
            if reply.status == HTTPStatus.OK:
                orgs = _rows(_json(reply).get("orgs"))
                break
        if not orgs:
            return Result(kind=Kind.BLOCKED, problem=Problem.ORG_NOT_FOUND)
        wanted: dict[str, Any] = {
            "orgID": orgs[0].get("id"),
            "name": destination.bucket,
            "retentionRules": [],
        }
        reply = await self._ask("POST", "api/v2/buckets", {}, json.dumps(wanted).encode())
        return self._classify(reply, is_done="id" in _json(reply))

    async def _create_database(self) -> Result:
        destination = self._destination
        statement = f"CREATE DATABASE {_identifier(destination.database)}"
        if destination.retention_policy:
            statement += (
                f"; CREATE RETENTION POLICY {_identifier(destination.retention_policy)}"
                f" ON {_identifier(destination.database)} DURATION INF REPLICATION 1"
            )
        reply = await self._ask("POST", "query", {"q": statement})
        # InfluxDB 1 answers 200 to a statement that failed, with the reason inside.
        results = _rows(_json(reply).get("results"))
        failed = [result["error"] for result in results if "error" in result]
        if failed:
            detail = str(failed[0])[:DETAIL_MAX]
            return Result(kind=Kind.BLOCKED, problem=Problem.FORBIDDEN, detail=detail)
        return self._classify(reply, is_done=bool(results))

    def _classify(self, reply: Reply, *, is_done: bool) -> Result:
        """Classify the result; any other answer as for a write."""
        if is_done and HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
            return Result(kind=Kind.ACCEPTED, problem=Problem.NONE)
        outcome = Outcome(
            status=reply.status,
            body=reply.body,
            from_database=speaks_as_database(reply),
            failure=reply.failure,
            detail=reply.detail,
        )
        return classify(outcome, self._destination.dialect)

    async def _ask(
        self, method: str, path: str, query: dict[str, str], data: bytes | None = None
    ) -> Reply:
        return await exchange(
            self._session,
            method,
            (self._root / path).with_query(query),
            ssl=self._ssl,
            timeout=CHECK_TIMEOUT,
            headers=self._headers,
            data=data,
            secrets=secrets_of(self._destination),
        )


def _identifier(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _rows(content: object) -> list[dict[str, Any]]:
    return [row for row in content if isinstance(row, dict)] if isinstance(content, list) else []


def _json(reply: Reply) -> dict[str, Any]:
    return decode_object(reply.body)
