"""One HTTP exchange: bounded in time and size, and an answer whatever happens."""

import re
import ssl as tls
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from yarl import URL

from ..pipeline.outcome import Failure

# Enough for the database to name a hundred bad lines; a proxy's page may be any size.
BODY_MAX: Final = 64 * 1024

# The first row that fits counts: aiohttp derives the narrow errors from the wide ones.
_FAILURES: Final[tuple[tuple[tuple[type[BaseException], ...], Failure], ...]] = (
    ((tls.SSLError, aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch), Failure.TLS),
    ((TimeoutError,), Failure.TIMEOUT),
    ((aiohttp.ClientConnectorError, aiohttp.InvalidURL), Failure.UNREACHABLE),
    ((Exception,), Failure.RESET),
)


_PAGE: Final = re.compile(r"\s*<(!doctype )?html", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back, or the failure that stood in its place; `body` is cut to a limit.

    `detail` is the text of the failure, or where a redirect leads.
    """

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    failure: Failure | None = None
    detail: str = ""

    @property
    def is_html(self) -> bool:
        """Whether this is a page for people: a proxy, a router, a login."""
        kind = self.headers.get("Content-Type", "").lower()
        return "html" in kind or _PAGE.match(self.body) is not None


async def exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    *,
    ssl: bool | tls.SSLContext,
    timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109
    headers: Mapping[str, str] | None = None,
    data: bytes | None = None,
    body_max: int = BODY_MAX,
) -> Reply:
    """Send one request and read the beginning of its reply; no network trouble is raised."""
    try:
        async with session.request(
            method,
            url,
            data=data,
            headers=headers,
            ssl=ssl,
            timeout=timeout,
            # A POST that follows a 301 becomes a GET, whose 200 would look like an acknowledgement.
            allow_redirects=False,
        ) as response:
            body = await _beginning(response.content, body_max)
            where = response.headers.get("Location", "")
            return Reply(status=response.status, headers=response.headers, body=body, detail=where)
    # ValueError: a header aiohttp refuses to send. RuntimeError: the session is already closed.
    except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as err:
        failure = next(failure for kinds, failure in _FAILURES if isinstance(err, kinds))
        return Reply(failure=failure, detail=f"{type(err).__name__}: {err}".removesuffix(": "))


async def _beginning(content: aiohttp.StreamReader, limit: int) -> str:
    """Read up to the limit; what is beyond is dropped together with the connection."""
    body = bytearray()
    while chunk := await content.read(limit - len(body)):
        body += chunk
    return body.decode(errors="replace")
