"""A destination, and the write address of its dialect."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from yarl import URL

from ..address import normalize
from .dialect import Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A destination of points; which of the names are used depends on the dialect."""

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
    """The write request of a dialect: `names` maps query parameters to fields of Destination."""

    path: str
    fixed: Mapping[str, str]
    names: Mapping[str, str]
    scheme: str = "Bearer"


# Only nanoseconds, in this spelling, have the same meaning on every server of a dialect.
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


def write_url(destination: Destination) -> URL:
    """Build the address that writes go to; raises AddressError."""
    route = ROUTES[destination.dialect]
    named = {key: str(getattr(destination, name)) for key, name in route.names.items()}
    query = {**route.fixed, **{key: value for key, value in named.items() if value}}
    return (URL(normalize(destination.url)) / route.path).with_query(query)


def secrets_of(destination: Destination) -> tuple[str, ...]:
    """List what no reply may show: the credentials, as they are and as they are sent."""
    sent = authorization(destination).partition(" ")[2]
    return tuple(filter(None, (destination.password, destination.token, sent)))


def authorization(destination: Destination) -> str:
    """Build the header that a destination's credentials make; empty without any."""
    if destination.token:
        return f"{ROUTES[destination.dialect].scheme} {destination.token}"
    if destination.username:
        pair = f"{destination.username}:{destination.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"
    return ""
