"""One HTTP exchange: bounded in time and size, and an answer whatever happens."""

import re
import ssl as tls
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

import aiohttp
from yarl import URL

from ..pipeline.outcome import Failure
from ..pipeline.verdict import DETAIL_MAX

# Enough for the database to name a hundred bad lines; a proxy's page may be any size.
BODY_MAX: Final = 64 * 1024

# Somebody sits in front of the form and waits.
CHECK_TIMEOUT: Final = aiohttp.ClientTimeout(total=15, sock_connect=10)

# Anything shorter is no secret, but may well be part of a word that the reply is judged by.
SECRET_MIN: Final = 8

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

    `detail` is the text of the failure, or where a redirect leads. No secret of the request
    is left in it.
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
    secrets: Collection[str] = (),
) -> Reply:
    """Send one request and read the beginning of its reply; no network trouble is raised.

    `secrets` are removed from everything in the reply that is shown to people.
    """
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
            return Reply(
                status=response.status,
                headers=response.headers,
                body=redact(body, secrets),
                detail=redact(_place(response.headers.get("Location", "")), secrets)[:DETAIL_MAX],
            )
    # ValueError: a header aiohttp refuses to send. RuntimeError: the session is already closed.
    except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as err:
        failure = next(failure for kinds, failure in _FAILURES if isinstance(err, kinds))
        detail = f"{type(err).__name__}: {err}".removesuffix(": ")
        return Reply(failure=failure, detail=redact(detail, secrets)[:DETAIL_MAX])


def redact(text: str, secrets: Collection[str]) -> str:
    """Remove secrets, also as they are spelled in an address."""
    for secret in secrets:
        if len(secret) >= SECRET_MIN:
            for spelling in (secret, quote(secret, safe="")):
                text = text.replace(spelling, "**REDACTED**")
    return text


def _place(location: str) -> str:
    """Where a redirect leads, without what may be secret: query, user, password, fragment."""
    try:
        url = URL(location)
        url = url.with_user(None) if url.absolute else url
        place = str(url.with_query(None).with_fragment(None))
    except ValueError:
        return ""
    # An address that was not understood may name a user and a password all the same.
    return "" if "@" in place else place


async def _beginning(content: aiohttp.StreamReader, limit: int) -> str:
    """Read up to the limit; what is beyond is dropped together with the connection."""
    body = bytearray()
    while chunk := await content.read(limit - len(body)):
        body += chunk
    return body.decode(errors="replace")
