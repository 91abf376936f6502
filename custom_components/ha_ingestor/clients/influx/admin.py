"""Administers the databases that have an HTTP interface for it: lists, and creates what lacks."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from ssl import SSLContext
from typing import Any, Final

import aiohttp
from yarl import URL

from ...pipeline.export.result import Kind, Problem, Result
from ..address import normalize
from ..encoding import decode, decode_object
from ..exchange import CHECK_TIMEOUT, DETAIL_MAX, Reply, exchange
from .client import speaks_as_database
from .destination import Destination, authorization, secrets_of
from .dialect import Dialect
from .listing import DONE, Listing, sorted_names
from .outcome import Outcome
from .quoting import influxql_name
from .verdict import classify

# What InfluxDB 1 keeps of itself.
_INTERNAL: Final = "_internal"
# So that one request is enough, and its address is not too long.
_DATABASES_MAX: Final = 20


class HttpAdministrator:
    """Asks InfluxDB 1 and 3 on the shared session; VictoriaMetrics has nothing to administer."""

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

    async def list_orgs(self) -> Listing:
        """Return none: only InfluxDB 2 has organizations."""
        return Listing()

    async def list_databases(self) -> Listing:
        """List the databases."""
        match self._destination.dialect:
            case Dialect.V1:
                return await self._show("SHOW DATABASES")
            case Dialect.V3:
                return await self._configured()
            case _:
                return Listing()

    async def list_policies(self, databases: Sequence[str]) -> Listing:
        """List the retention policies of the first of these databases."""
        if self._destination.dialect is not Dialect.V1 or not databases:
            return Listing()
        return await self._show(
            "; ".join(
                f"SHOW RETENTION POLICIES ON {influxql_name(name)}"
                for name in databases[:_DATABASES_MAX]
            )
        )

    async def create_missing(self, retention_days: int = 0) -> Result:
        """Create the database, and the retention policy that is named."""
        match self._destination.dialect:
            case Dialect.V1:
                return await self._create_database(retention_days)
            case Dialect.V3:
                return await self._configure(retention_days)
            case _:  # what is missing is created with the first write
                return DONE

    async def create_summary(self, time_zone: str) -> Result:  # noqa: ARG002
        """Do nothing: only InfluxDB 2 has tasks of this kind."""
        return DONE

    async def _show(self, statements: str) -> Listing:
        """Read the first column of what InfluxDB 1 answers to each statement."""
        reply = await self._request("GET", "query", {"q": statements})
        results = _rows(decode_object(reply.body).get("results"))
        series = [each for result in results for each in _rows(result.get("series"))]
        if reply.status != HTTPStatus.OK or not results or "error" in results[0]:
            return Listing(result=self._classify(reply, is_done=False))
        values = [value for each in series if isinstance(value := each.get("values"), list)]
        firsts = [row[0] for rows in values for row in rows if isinstance(row, list) and row]
        return Listing(names=sorted_names([str(name) for name in firsts if name != _INTERNAL]))

    async def _configured(self) -> Listing:
        """Read what InfluxDB 3 answers."""
        reply = await self._request("GET", "api/v3/configure/database", {"format": "json"})
        rows = _rows(decode(reply.body))
        names = [name for row in rows if isinstance(name := row.get("iox::database"), str)]
        if reply.status != HTTPStatus.OK:
            return Listing(result=self._classify(reply, is_done=False))
        return Listing(names=sorted_names([name for name in names if name != _INTERNAL]))

    async def _create_database(self, days: int) -> Result:
        destination = self._destination
        duration = f"DURATION {days}d" if days else "DURATION INF"
        database = influxql_name(destination.database)
        statement = f"CREATE DATABASE {database} WITH {duration}"
        if destination.retention_policy:
            policy = influxql_name(destination.retention_policy)
            statement = (
                f"CREATE DATABASE {database}; "
                f"CREATE RETENTION POLICY {policy} ON {database} {duration} REPLICATION 1"
            )
        reply = await self._request("POST", "query", {"q": statement})
        # InfluxDB 1 answers 200 to a statement that failed, with the reason inside.
        results = _rows(decode_object(reply.body).get("results"))
        failed = [result["error"] for result in results if "error" in result]
        if failed:
            detail = str(failed[0])[:DETAIL_MAX]
            return Result(kind=Kind.BLOCKED, problem=Problem.FORBIDDEN, detail=detail)
        return self._classify(reply, is_done=bool(results))

    async def _configure(self, days: int) -> Result:
        wanted = {"db": self._destination.database}
        if days:
            wanted["retention_period"] = f"{days}d"
        reply = await self._request(
            "POST", "api/v3/configure/database", {}, json.dumps(wanted).encode()
        )
        if reply.status == HTTPStatus.CONFLICT:  # it exists
            return DONE
        return self._classify(reply, is_done=not reply.is_html)

    def _classify(self, reply: Reply, *, is_done: bool) -> Result:
        """Classify the result; any other answer as for a write."""
        if is_done and HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
            return DONE
        outcome = Outcome(
            status=reply.status,
            body=reply.body,
            from_database=speaks_as_database(reply),
            failure=reply.failure,
            detail=reply.detail,
        )
        return classify(outcome, self._destination.dialect)

    async def _request(
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


def _rows(content: object) -> list[dict[str, Any]]:
    return [row for row in content if isinstance(row, dict)] if isinstance(content, list) else []
