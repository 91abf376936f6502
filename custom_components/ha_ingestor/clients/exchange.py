"""One HTTP exchange: bounded in time and size, and an answer whatever happens."""

import asyncio
import re
import ssl as tls
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache
from html import escape
from typing import Final

import aiohttp
from yarl import URL

from .failure import failure_words

# Enough for the database to name a hundred bad lines; a proxy's page may be any size.
BODY_MAX: Final = 64 * 1024

# Enough of a server's message to know what is wrong.
DETAIL_MAX: Final = 500

# A server that asks for hours of silence is misconfigured; a quarter of an hour is polite enough.
RETRY_AFTER_MAX: Final = 900.0

# A user waits in front of the form.
CHECK_TIMEOUT: Final = aiohttp.ClientTimeout(total=15, sock_connect=10)

# Anything shorter is no secret, but may well be part of a word that the reply is judged by.
SECRET_MIN: Final = 8
# Nothing is judged by the text of a failure or by where a redirect leads.
_SECRET_MIN_IN_DETAIL: Final = 4


class Failure(StrEnum):
    """Why there is no HTTP reply at all."""

    UNREACHABLE = "unreachable"
    TLS = "tls"
    TIMEOUT = "timeout"
    RESET = "reset"


# The first row that fits counts: aiohttp derives the narrow errors from the wide ones.
_FAILURES: Final[tuple[tuple[tuple[type[BaseException], ...], Failure], ...]] = (
    ((tls.SSLError, aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch), Failure.TLS),
    ((TimeoutError,), Failure.TIMEOUT),
    ((aiohttp.ClientConnectorError, aiohttp.InvalidURL), Failure.UNREACHABLE),
    ((Exception,), Failure.RESET),
)


_CONTROLS: Final = {"\n": "n", "\r": "r", "\t": "t"}
_PAGE: Final = re.compile(r"\s*<(!doctype )?html", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The reply, or the failure if there is none; `body` is cut to a limit.

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
    """Send one request and read the beginning of its reply; network errors are not raised.

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
            # Large bodies are searched outside of the event loop.
            is_long = len(body) > BODY_MAX
            body = (
                await asyncio.to_thread(redact, body, secrets) if is_long else redact(body, secrets)
            )
            return Reply(
                status=response.status,
                headers=response.headers,
                body=body,
                detail=_detail(_place(response.headers.get("Location", "")), secrets),
            )
    # ValueError: a header aiohttp refuses to send. RuntimeError: the session is already closed.
    except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as err:
        failure = next(failure for kinds, failure in _FAILURES if isinstance(err, kinds))
        return Reply(failure=failure, detail=_detail(failure_words(err), secrets))


def _detail(text: str, secrets: Collection[str]) -> str:
    return redact(text, secrets, _SECRET_MIN_IN_DETAIL)[:DETAIL_MAX]


# What stands in the place of what is hidden, as Home Assistant writes it.
HIDDEN: Final = "**REDACTED**"


def redact(text: str, secrets: Collection[str], least: int = SECRET_MIN) -> str:
    """Remove secrets of so many characters, also as they are spelled in an address or in JSON."""
    for secret in secrets if text else ():
        if len(secret) >= least:
            text = _pattern(secret).sub(HIDDEN, text)
    return text


@lru_cache(maxsize=32)
def _pattern(secret: str) -> re.Pattern[str]:
    """Fit a secret in which any character is spelled in any way that servers have."""
    return re.compile("".join(map(_spellings, secret)))


def _spellings(sign: str) -> str:
    if sign.isascii() and sign.isalnum():
        return sign
    in_address = "".join(f"%(?:25)*{byte:02x}" for byte in sign.encode("utf-8", "replace"))
    units = sign.encode("utf-16-be", "surrogatepass").hex()
    in_json = "".join(rf"\\{{1,8}}u{units[at : at + 4]}" for at in range(0, len(units), 4))
    names = "|".join({re.escape(escape(sign)), f"&#{ord(sign)};", f"&#x0*{ord(sign):x};"})
    # A backslash is doubled for each level of nested JSON.
    itself = rf"\\{{0,8}}{re.escape(sign)}"
    space = r"|\+" if sign == " " else ""
    control = rf"|\\{{1,8}}{_CONTROLS[sign]}" if sign in _CONTROLS else ""
    return f"(?:{itself}|(?i:{in_address}|{in_json}|{names}){space}{control})"


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


def parse_retry_after(header: str, now: datetime) -> float:
    """Seconds to wait as named by a Retry-After header (RFC 9110 10.2.3); garbage is 0."""
    header = header.strip()
    if header.isascii() and header.isdigit():
        return min(float(header), RETRY_AFTER_MAX)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), RETRY_AFTER_MAX)
