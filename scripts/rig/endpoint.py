"""Ask a database something over HTTP."""

import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypedDict

HOST: Final = "127.0.0.1"
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Point(TypedDict):
    """A point as it is stored."""

    time_ns: int
    tags: dict[str, str]
    fields: dict[str, Any]


class RequestError(Exception):
    """A database did not do what it was asked for."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        """Keep the status, 0 where there was no answer."""
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a client needs to write; made at the first start and kept beside the data."""

    token: str = ""
    org: str = ""
    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a database listens, and who asks."""

    port: int
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address."""
        return f"http://{HOST}:{self.port}"

    def request(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: bytes | None = None,
        method: str | None = None,
        seconds: float = 30.0,
    ) -> bytes:
        """Ask and return the answer's body; with a body it is a POST unless told otherwise."""
        url = f"{self.url}{path}?{urllib.parse.urlencode(query or {})}"
        request = urllib.request.Request(  # noqa: S310
            url, data=body, headers=dict(self.headers), method=method
        )
        try:
            with _OPENER.open(request, timeout=seconds) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            told = error.read().decode(errors="replace")
            raise RequestError(f"{error.code} {told}", status=error.code) from None
        except OSError as error:
            raise RequestError(str(error)) from error
