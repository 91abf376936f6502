"""Detect the database at an address by its behaviour, as reported versions are unreliable."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from ssl import SSLContext
from typing import Final

import aiohttp
from yarl import URL

from ...pipeline.export.result import Problem
from ..address import normalize
from ..encoding import decode_object
from ..exchange import CHECK_TIMEOUT, Reply, exchange
from .dialect import Dialect
from .outcome import Outcome
from .verdict import classify

_MAJOR: Final = re.compile(r"v?([123])\.")
_DIALECTS: Final = {"1": Dialect.V1, "2": Dialect.V2, "3": Dialect.V3}
# It is shown in many places: nothing but what versions are made of, and not much of it.
_VERSION: Final = re.compile(r"v?([\w.+~-]{0,64})", re.ASCII)
_VM_VERSION: Final = re.compile(r'vm_app_version\{[^{}]*short_version="v?([\w.+~-]{0,64})')

_INFLUX_MARKS: Final = ("X-Influxdb-Version", "X-Influxdb-Build")
_VM_MARK: Final = "X-Server-Hostname"
# A cluster answers this below the path that points are written to.
_VM_NO_PATH: Final = 'unsupported path requested: "'
# Sent by the databases themselves and by nothing else that may stand in between. A load balancer
# may send the mark of VictoriaMetrics, which marks its answers to a write as InfluxDB does.
MARKS: Final = (*_INFLUX_MARKS, "Cluster-Uuid")

# What VictoriaMetrics claims to be, so that old Influx clients talk to it.
_VM_CLAIM: Final = "1.8.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The database found, with its version if it names one; else the problem that hid it."""

    dialect: Dialect | None = None
    version: str = ""
    problem: Problem = Problem.NONE
    detail: str = ""


async def probe(
    session: aiohttp.ClientSession, url: str, *, ssl: bool | SSLContext = True
) -> Probe:
    """Ask a server what it is, without credentials; raises AddressError only."""
    base = URL(normalize(url))

    async def get(path: str) -> Reply:
        return await exchange(session, "GET", base / path, ssl=ssl, timeout=CHECK_TIMEOUT)

    ping = await get("ping")
    said = _VERSION.match(ping.headers.get("X-Influxdb-Version", ""))
    version = said[1] if said else ""
    if "questdb" in ping.headers.get("Server", "").lower():
        # It takes line protocol, but has its own notion of duplicates and of errors.
        return Probe(version="QuestDB", problem=Problem.NOT_A_DATABASE)
    if _may_be_victoriametrics(ping, version):
        found = _VM_VERSION.search((await get("metrics")).body)
        if found or _VM_MARK in ping.headers or _VM_NO_PATH in ping.body:
            return Probe(dialect=Dialect.VICTORIAMETRICS, version=found[1] if found else "")
    if _is_locked_v3(ping):
        return Probe(dialect=Dialect.V3)
    # InfluxDB marks its answer at any path, also where it takes no points.
    if ping.is_html or ping.status == HTTPStatus.NOT_FOUND or not _says_influx(ping):
        return _unknown(ping)
    return Probe(dialect=await _generation(ping, version, get), version=version)


async def is_database(
    session: aiohttp.ClientSession,
    base: URL,
    *,
    ssl: bool | SSLContext,
    headers: Mapping[str, str],
) -> bool:
    """Whether a server answers as one of the supported databases does; reads only."""

    async def get(path: str) -> Reply:
        return await exchange(
            session, "GET", base / path, ssl=ssl, timeout=CHECK_TIMEOUT, headers=headers
        )

    ping = await get("ping")
    if ping.failure or ping.is_html:
        return False
    return (
        any(mark in ping.headers for mark in MARKS)
        or "process_id" in _content(ping)
        or _content(await get("health")).get("name") == "influxdb"
        or isinstance(_content(await get("api/v2/setup")).get("allowed"), bool)
        or _VM_VERSION.search((await get("metrics")).body) is not None
    )


def _content(reply: Reply) -> Mapping[str, object]:
    """Read the JSON object of a reply that is a success, else an empty one."""
    return decode_object(reply.body) if reply.status == HTTPStatus.OK else {}


async def _generation(ping: Reply, version: str, get: Callable[[str], Awaitable[Reply]]) -> Dialect:
    """Tell the versions of InfluxDB apart; self-built ones report `dev`, `unknown` or nothing."""
    if major := _MAJOR.match(version):
        return _DIALECTS[major[1]]
    if '"process_id"' in ping.body:
        return Dialect.V3
    return Dialect.V2 if '"allowed"' in (await get("api/v2/setup")).body else Dialect.V1


def _says_influx(ping: Reply) -> bool:
    return any(mark in ping.headers for mark in _INFLUX_MARKS)


def _may_be_victoriametrics(ping: Reply, version: str) -> bool:
    """Its mark with its claim or none, its words, or a 204 that says nothing about itself."""
    marked = _VM_MARK in ping.headers or _VM_NO_PATH in ping.body
    return (marked and version in {"", _VM_CLAIM}) or (
        ping.status == HTTPStatus.NO_CONTENT and not _says_influx(ping)
    )


def _is_locked_v3(ping: Reply) -> bool:
    """InfluxDB 3 wants a token even here and says nothing; a proxy has to name a scheme."""
    return (
        ping.status == HTTPStatus.UNAUTHORIZED
        and not ping.body
        and "WWW-Authenticate" not in ping.headers
        and not _says_influx(ping)
    )


def _unknown(ping: Reply) -> Probe:
    """Say what hid the database in the words used for a failed write."""
    outcome = Outcome(status=ping.status, body=ping.body, failure=ping.failure, detail=ping.detail)
    problem = classify(outcome, Dialect.V1).problem
    if ping.status == HTTPStatus.NO_CONTENT:
        problem = Problem.NOT_A_DATABASE
    if ping.status == HTTPStatus.BAD_REQUEST and "HTTPS" in ping.body:
        # TLS servers answer plain HTTP with a message about HTTPS.
        problem = Problem.TLS
    return Probe(problem=problem, detail=ping.detail)
