"""The one door through which points leave: line protocol over HTTP, in four dialects."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ssl import SSLContext
from typing import Final

import aiohttp
from yarl import URL

from ..pipeline.outcome import Dialect, Outcome
from ..pipeline.verdict import Kind, Problem, Verdict, classify
from .address import normalize
from .exchange import Reply, exchange

# A server that has not connected in ten seconds will not in sixty. The whole must outlast the
# ten seconds that InfluxDB itself gives a write, and the upload of 1 MiB over a poor uplink.
WRITE_TIMEOUT: Final = aiohttp.ClientTimeout(total=60, sock_connect=10)

# Somebody sits in front of the form and waits.
CHECK_TIMEOUT: Final = aiohttp.ClientTimeout(total=15, sock_connect=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One place where points go; which of the names count depends on the dialect."""

    url: str
    dialect: Dialect
    org: str = ""
    bucket: str = ""
    database: str = ""
    retention_policy: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How one dialect takes a write: `names` maps query parameters to fields of Destination."""

    path: str
    fixed: Mapping[str, str]
    names: Mapping[str, str]
    scheme: str = "Bearer"


# Only nanoseconds, spelled like this, mean the same on every server of a dialect.
_NS: Final = {"precision": "ns"}

ROUTES: Final[Mapping[Dialect, Route]] = {
    Dialect.V1: Route(path="write", fixed=_NS, names={"db": "database", "rp": "retention_policy"}),
    Dialect.V2: Route(
        path="api/v2/write",
        fixed=_NS,
        names={"org": "org", "bucket": "bucket"},
        scheme="Token",
    ),
    Dialect.V3: Route(
        path="api/v3/write_lp",
        # Spelled out although it is the default: with false one bad line refuses the whole batch.
        fixed={"precision": "nanosecond", "accept_partial": "true"},
        names={"db": "database"},
    ),
    Dialect.VICTORIAMETRICS: Route(path="write", fixed=_NS, names={"db": "database"}),
}

# Sent by the databases themselves and by nothing else that may stand in between.
_MARKS: Final = ("X-Influxdb-Version", "X-Influxdb-Build", "X-Server-Hostname", "Cluster-Uuid")

# The bodies of databases whose headers a proxy removed, and of v3, which sends none. Matched at
# the beginning only: a long list of bad lines is cut, and a cut JSON does not parse.
_OWN_WORDS: Final = re.compile(
    r'\s*\{\s*"(code|error)"\s*:|incoming write was empty|remoteAddr: '
    r"|cannot process influx line protocol data: "
)

# Anything shorter is no secret, but may well be part of a word that the reply is judged by.
SECRET_MIN: Final = 8

# What InfluxDB 3 says to a write of nothing, after everything else about it was right.
_EMPTY_WRITE: Final = "incoming write was empty"


class InfluxClient:
    """Writes line protocol to one destination on a session it does not own."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        destination: Destination,
        *,
        ssl: bool | SSLContext = True,
    ) -> None:
        """Prepare everything that is the same for every write; raises AddressError."""
        self._session = session
        self._ssl = ssl
        self._dialect = destination.dialect
        self._url = _write_url(destination)
        self._headers = {"Content-Type": "text/plain; charset=utf-8"}
        self._secret = ""
        if header := authorization(destination):
            self._headers["Authorization"] = header
            self._secret = header.partition(" ")[2]

    @property
    def dialect(self) -> Dialect:
        """The dialect that outcomes of this client have to be judged by."""
        return self._dialect

    async def write(self, body: bytes, *, gzipped: bool = False) -> Outcome:
        """Send lines with nanosecond timestamps once; network trouble is an outcome, not raised."""
        return await self._post(body, WRITE_TIMEOUT, gzipped=gzipped)

    async def check(self) -> Verdict:
        """Write nothing: address, credentials and names are all judged, no data is touched."""
        outcome = await self._post(b"", CHECK_TIMEOUT)
        if self._dialect is Dialect.V3 and outcome.body.startswith(_EMPTY_WRITE):
            return Verdict(kind=Kind.ACCEPTED, problem=Problem.NONE)
        return classify(outcome, self._dialect)

    async def _post(
        self,
        body: bytes,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109
        *,
        gzipped: bool = False,
    ) -> Outcome:
        reply = await exchange(
            self._session,
            "POST",
            self._url,
            ssl=self._ssl,
            timeout=timeout,
            headers=self._headers | ({"Content-Encoding": "gzip"} if gzipped else {}),
            data=body,
        )
        if len(self._secret) >= SECRET_MIN and self._secret in reply.body:
            # Nothing known echoes it, but the beginning of the body is shown to people.
            reply = replace(reply, body=reply.body.replace(self._secret, "**REDACTED**"))
        return Outcome(
            status=reply.status,
            body=reply.body,
            retry_after=reply.headers.get("Retry-After", ""),
            from_database=speaks_as_database(reply),
            failure=reply.failure,
            detail=reply.detail,
        )


def speaks_as_database(reply: Reply) -> bool:
    """Whether a reply is a database's own, rather than of a proxy in front of it."""
    return not reply.is_html and (
        any(mark in reply.headers for mark in _MARKS) or _OWN_WORDS.match(reply.body) is not None
    )


def _write_url(destination: Destination) -> URL:
    route = ROUTES[destination.dialect]
    named = {key: str(getattr(destination, name)) for key, name in route.names.items()}
    query = {**route.fixed, **{key: value for key, value in named.items() if value}}
    return (URL(normalize(destination.url)) / route.path).with_query(query)


def authorization(destination: Destination) -> str:
    """Build the header that a destination's credentials make; empty without any."""
    if destination.token:
        return f"{ROUTES[destination.dialect].scheme} {destination.token}"
    if destination.username:
        pair = f"{destination.username}:{destination.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"
    return ""
