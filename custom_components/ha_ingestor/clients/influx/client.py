"""The client that writes points: line protocol over HTTP, in four dialects."""

import math
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from ssl import SSLContext
from typing import Final

import aiohttp
from yarl import URL

from ...pipeline.export.result import Kind, Problem, Result
from ..address import normalize
from ..exchange import BODY_MAX, CHECK_TIMEOUT, Reply, exchange
from .destination import Destination, authorization, secrets_of, write_url
from .dialect import Dialect
from .outcome import Outcome
from .probe import MARKS, is_database
from .retention import ahead, read_retention, retention_request
from .verdict import classify

# A server that has not connected in ten seconds will not in sixty. The whole must outlast the
# ten seconds that InfluxDB itself gives a write, and the upload of 1 MiB over a poor uplink.
WRITE_TIMEOUT: Final = aiohttp.ClientTimeout(total=60, sock_connect=10)


# The refusals of databases whose headers a proxy removed. Matched at the beginning only: a long
# list of bad lines is cut, and a cut JSON does not parse.
_OWN_WORDS: Final = re.compile(
    r'\s*\{\s*"(code|error)"\s*:|incoming write was empty|remoteAddr: '
    r"|cannot process influx line protocol data: "
)

# Headers of refusals, which something in between may pass on with another status.
_OF_ERRORS: Final = ("X-Influxdb-Error", "X-Platform-Error-Code")

# Points wait meanwhile, and nothing depends on the answer.
RETENTION_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)

# A server that was identified as a database stays one for so long, unless another server answers
# meanwhile. A proxy that removes the marks, and acknowledges without its database, is not detected
# in this time.
PROOF_SECONDS: Final = 5.0
# No server stores a line without fields, and every database says so in words about lines.
_NO_LINE: Final = b"ha_ingestor_probe"
_ABOUT_LINES: Final = re.compile("unable to parse|partial write|line protocol|at line [0-9]")

# What InfluxDB 3 says to a write of nothing, after everything else about it was right.
_EMPTY_WRITE: Final = "incoming write was empty"


class InfluxClient:
    """Writes line protocol to one destination, on a shared session."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        destination: Destination,
        *,
        ssl: bool | SSLContext = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare everything that is the same for every write; raises AddressError."""
        self._session = session
        self._ssl = ssl
        self._clock = clock
        self._dialect = destination.dialect
        self._policy = destination.retention_policy
        self._retention_request = retention_request(
            destination.dialect,
            org=destination.org,
            bucket=destination.bucket,
            database=destination.database,
        )
        self._root = URL(normalize(destination.url))
        self._url = write_url(destination)
        self._headers = {"Content-Type": "text/plain; charset=utf-8"}
        self._secrets = secrets_of(destination)
        self._proven_at = -math.inf
        self._proofs = [self._has_pages, self._refuses_no_line]
        header = authorization(destination)
        self._credentials = {"Authorization": header} if header else {}
        self._headers |= self._credentials

    @property
    def dialect(self) -> Dialect:
        """The dialect of the destination."""
        return self._dialect

    async def write(self, body: bytes, *, gzipped: bool = False) -> Result:
        """Send lines with nanosecond timestamps once; a network error is a result, not raised."""
        outcome = await self.post(body, gzipped=gzipped)
        return classify(outcome, self._dialect, body=body, gzipped=gzipped)

    async def post(self, body: bytes, *, gzipped: bool = False) -> Outcome:
        """Send lines as `write` does; returns the raw outcome."""
        return await self._post(body, WRITE_TIMEOUT, gzipped=gzipped)

    async def check(self) -> Result:
        """Send an empty write: it checks address, credentials and names, and changes no data."""
        outcome = await self._post(b"", CHECK_TIMEOUT)
        is_refused = outcome.status == HTTPStatus.BAD_REQUEST
        if is_refused and self._dialect is Dialect.V3 and outcome.body.startswith(_EMPTY_WRITE):
            return Result(kind=Kind.ACCEPTED, problem=Problem.NONE)
        return classify(outcome, self._dialect)

    async def retention(self) -> float | None:
        """Read the retention in seconds; None when it is not known."""
        if self._retention_request is None:
            return None
        path, query = self._retention_request
        reply = await exchange(
            self._session,
            "GET",
            (self._root / path).with_query(query),
            ssl=self._ssl,
            timeout=RETENTION_TIMEOUT,
            headers=self._credentials,
            secrets=self._secrets,
        )
        return read_retention(self._dialect, reply, self._policy, now=time.time())

    async def _post(
        self,
        body: bytes,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109
        *,
        gzipped: bool = False,
    ) -> Outcome:
        reply = await self._send(body, timeout, gzipped=gzipped)
        is_own = await self._is_own(reply)
        if not is_own:
            self._proven_at = -math.inf
        return Outcome(
            status=reply.status,
            body=reply.body,
            retry_after=reply.headers.get("Retry-After", ""),
            from_database=is_own,
            failure=reply.failure,
            detail=reply.detail,
            ahead=ahead(reply, time.time()) if reply.status >= HTTPStatus.BAD_REQUEST else None,
        )

    async def _send(
        self,
        body: bytes,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109
        *,
        gzipped: bool = False,
    ) -> Reply:
        return await exchange(
            self._session,
            "POST",
            self._url,
            ssl=self._ssl,
            timeout=timeout,
            headers=self._headers | ({"Content-Encoding": "gzip"} if gzipped else {}),
            data=body,
            secrets=self._secrets,
        )

    async def _is_own(self, reply: Reply) -> bool:
        """Whether the reply is the database's own.

        The wording of a database is enough for a rejection, as the points are still here. A success
        needs a database's header, or no content from an address that was identified as a database.
        """
        if not HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
            return speaks_as_database(reply)
        if any(header in reply.headers for header in _OF_ERRORS):
            return False
        if is_marked(reply):
            return reply.status == HTTPStatus.NO_CONTENT or _is_whole(reply)
        return reply.status == HTTPStatus.NO_CONTENT and await self._is_proven()

    async def _is_proven(self) -> bool:
        """Whether a database is at this address, as a proxy that removes its marks may hide."""
        if self._clock() - self._proven_at < PROOF_SECONDS:
            return True
        for proof in list(self._proofs):
            if await proof():
                # It is asked for again soon, and what worked is asked for first.
                self._proofs.remove(proof)
                self._proofs.insert(0, proof)
                self._proven_at = self._clock()
                return True
        return False

    async def _has_pages(self) -> bool:
        return await is_database(
            self._session, self._root, ssl=self._ssl, headers=self._credentials
        )

    async def _refuses_no_line(self) -> bool:
        reply = await self._send(_NO_LINE, CHECK_TIMEOUT)
        refuses_lines = _ABOUT_LINES.search(reply.body) and speaks_as_database(reply)
        return reply.status == HTTPStatus.BAD_REQUEST and bool(refuses_lines)


def _is_whole(reply: Reply) -> bool:
    """Whether the body of a success is all that was sent, and no page.

    A compressed one may be cut behind its header without an error, one of no length anywhere, and a
    long one was cut by us.
    """
    has_end = "Content-Length" in reply.headers or "Transfer-Encoding" in reply.headers
    is_coded = reply.headers.get("Content-Encoding", "identity").lower() != "identity"
    is_cut = (is_coded and not reply.body.strip()) or len(reply.body) >= BODY_MAX
    return has_end and not (is_cut or reply.is_html)


def is_marked(reply: Reply) -> bool:
    """Whether a reply has a header that databases send and nothing that may stand in between."""
    return any(mark in reply.headers for mark in MARKS)


def speaks_as_database(reply: Reply) -> bool:
    """Whether a refusal is a database's own, rather than of a proxy in front of it."""
    return not reply.is_html and (is_marked(reply) or _OWN_WORDS.match(reply.body) is not None)
