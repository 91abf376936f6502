"""What VictoriaMetrics reports in its metrics: its flags, and samples that it did not store."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from ssl import SSLContext
from typing import Final

import aiohttp
from yarl import URL

from ..address import normalize
from ..exchange import CHECK_TIMEOUT, Reply, exchange
from .destination import Destination, authorization, secrets_of

_FLAG: Final = re.compile(r'^flag\{name="dedup\.minScrapeInterval", value="([^"]*)"', re.MULTILINE)
_IGNORED: Final = re.compile(
    r'^vm_rows_ignored_total\{(?:[^}]*,\s*)?reason="([^"]*)"[^}]*\}\s+([0-9.e+]+)', re.MULTILINE
)
# Older versions count these on their own only.
_OVER_LIMIT: Final = re.compile(
    r"^vm_(hourly|daily)_series_limit_rows_dropped_total(?:\{[^}]*\})?\s+([0-9.e+]+)", re.MULTILINE
)
# The flags are at the end, behind a histogram for each interface that was ever used.
_METRICS_MAX: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """How a server stores acknowledged points; None where that is not known.

    `deduplicates` says whether a repeated point is stored once. `ignored` are the samples, by
    reason, that were taken and not stored since it started. A proxy that hides the metrics is an
    answer too.
    """

    deduplicates: bool | None
    ignored: Mapping[str, int] | None
    is_answered: bool = True


async def ask_storage(
    session: aiohttp.ClientSession, destination: Destination, *, ssl: bool | SSLContext = True
) -> Storage:
    """Read it from the metrics of the server. Raises AddressError."""
    reply = await _metrics(session, destination, ssl=ssl)
    page = reply.body
    flag = _FLAG.search(page)
    counts: Counter[str] = Counter()
    for reason, count in _IGNORED.findall(page):
        counts[reason] += int(float(count))
    for period, count in _OVER_LIMIT.findall(page):
        reason = f"{period}_limit_exceeded"
        counts[reason] = max(counts[reason], int(float(count)))
    return Storage(
        # A duration in any unit, which is nothing only if every digit is.
        deduplicates=re.search("[1-9]", flag[1]) is not None if flag else None,
        ignored=dict(counts) if counts or _IGNORED.search(page) else None,
        is_answered=0 < reply.status < HTTPStatus.INTERNAL_SERVER_ERROR,
    )


async def _metrics(
    session: aiohttp.ClientSession, destination: Destination, *, ssl: bool | SSLContext
) -> Reply:
    headers = {"Authorization": value} if (value := authorization(destination)) else {}
    return await exchange(
        session,
        "GET",
        URL(normalize(destination.url)) / "metrics",
        ssl=ssl,
        timeout=CHECK_TIMEOUT,
        headers=headers,
        body_max=_METRICS_MAX,
        secrets=secrets_of(destination),
    )
