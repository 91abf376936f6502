"""What a VictoriaMetrics tells about how it was started."""

import re
from ssl import SSLContext
from typing import Final

import aiohttp
from yarl import URL

from .address import normalize
from .exchange import CHECK_TIMEOUT, exchange
from .influx import Destination, authorization, secrets_of

_FLAG: Final = re.compile(r'^flag\{name="dedup\.minScrapeInterval", value="([^"]*)"', re.MULTILINE)
# The flags are at the end, behind a histogram for each interface that was ever used.
_METRICS_MAX: Final = 4 * 1024 * 1024


async def deduplicates(
    session: aiohttp.ClientSession, destination: Destination, *, ssl: bool | SSLContext = True
) -> bool | None:
    """Whether it stores a repeated point once; None when it does not tell. Raises AddressError."""
    headers = {"Authorization": value} if (value := authorization(destination)) else {}
    reply = await exchange(
        session,
        "GET",
        URL(normalize(destination.url)) / "metrics",
        ssl=ssl,
        timeout=CHECK_TIMEOUT,
        headers=headers,
        body_max=_METRICS_MAX,
        secrets=secrets_of(destination),
    )
    found = _FLAG.search(reply.body)
    # A duration in any unit, which is nothing only if every digit is.
    return re.search("[1-9]", found[1]) is not None if found else None
