"""The retention of a database, where the credentials are allowed to read it."""

import math
import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

from ..encoding import decode
from ..exchange import Reply
from .dialect import Dialect
from .quoting import influxql_name

# With another clock than ours it is not known beforehand what the database rejects.
CLOCK_SECONDS: Final = 60.0

# As Go writes it, such as 168h0m0s; its longest has seven digits.
DURATION: Final = r"(?:(\d{1,7})h)?(?:(\d{1,7})m)?(?:(\d{1,7})s)?"
_DURATION: Final = re.compile(DURATION)


def retention_request(
    dialect: Dialect, *, org: str, bucket: str, database: str
) -> tuple[str, Mapping[str, str]] | None:
    """Return path and query of the request to make; None where nothing expires on writing."""
    match dialect:
        case Dialect.V1:
            statement = f"SHOW RETENTION POLICIES ON {influxql_name(database)}"
            return "query", {"db": database, "q": statement}
        case Dialect.V2:
            return "api/v2/buckets", {"org": org, "name": bucket}
    return None


def read_retention(dialect: Dialect, reply: Reply, policy: str, *, now: float) -> float | None:
    """Read the retention in seconds, infinity for ever; None when it is not known."""
    if reply.status != HTTPStatus.OK or abs(ahead(reply, now) or 0.0) > CLOCK_SECONDS:
        return None
    try:
        return _READERS[dialect](decode(reply.body), policy)
    except ValueError, LookupError, TypeError, AttributeError:
        return None


def ahead(reply: Reply, now: float) -> float | None:
    """By how many seconds the server's clock is ahead of ours; None when it is not known."""
    try:
        return parsedate_to_datetime(reply.headers.get("Date", "")).timestamp() - now
    except ValueError, OverflowError:
        return None


def seconds_of(duration: re.Match[str]) -> float:
    """Add up what a pattern with `DURATION` found, in seconds."""
    hours, minutes, seconds = (int(part or 0) for part in duration.groups())
    return float(hours * 3600 + minutes * 60 + seconds)


def _of_policy(content: Any, policy: str) -> float | None:
    (series,) = content["results"][0]["series"]
    columns = series["columns"]
    for values in series["values"]:
        row = dict(zip(columns, values, strict=True))
        if row["name"] == policy if policy else row["default"]:
            return _seconds(row["duration"])
    return None


def _of_bucket(content: Any, _policy: str) -> float | None:
    # A token that may only write sees an empty list.
    (bucket,) = content["buckets"]
    seconds = [float(rule["everySeconds"]) for rule in bucket["retentionRules"]]
    return min((every for every in seconds if every > 0), default=math.inf)


def _seconds(duration: str) -> float | None:
    """Read the duration of a policy; none is for ever."""
    found = _DURATION.fullmatch(duration)
    return (seconds_of(found) or math.inf) if duration and found else None


_READERS: Final[Mapping[Dialect, Callable[[Any, str], float | None]]] = {
    Dialect.V1: _of_policy,
    Dialect.V2: _of_bucket,
}
