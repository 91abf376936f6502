"""Who may write where, in which order each server asks, and in which words it says no."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from custom_components.ha_ingestor.clients.influx.dialect import Dialect

from .dialects import Answer, v1_error, v2_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is known before any line is looked at; `names` holds what exists, per parameter."""

    query: Mapping[str, str]
    is_known: bool
    may_write: bool
    names: Mapping[str, set[str]]


type Gate = Callable[[Request], Answer | None]

_V3_NAME: Final = re.compile(r"[A-Za-z0-9][\w-]*")

# Before any of the lines is looked at, and with none at all.
EMPTY_WRITE_V3: Final = Answer(status=400, body="incoming write was empty")


# From VictoriaMetrics to whoever it does not know.
UNKNOWN_TO_VM: Final = Answer(
    status=401,
    body="\n",
    headers={"WWW-Authenticate": 'Basic realm="VictoriaMetrics"'},
)


def _identity(answer: Answer) -> Gate:
    return lambda request: None if request.is_known else answer


def _permission(answer: Answer) -> Gate:
    return lambda request: None if request.may_write else answer


def _v1_database(request: Request) -> Answer | None:
    database = request.query.get("db", "")
    if not database:
        return v1_error("database is required")
    missing = f"database not found: {json.dumps(database)}"
    return None if database in request.names["db"] else v1_error(missing, 404)


def _v1_retention_policy(request: Request) -> Answer | None:
    policy = request.query.get("rp", "autogen")
    missing = f"retention policy not found: {policy}"
    return None if policy in request.names["rp"] else v1_error(missing, 500)


def _v2_org(request: Request) -> Answer | None:
    org = request.query.get("org", "")
    if not org:
        return v2_error("invalid", "Please provide either orgID or org", 400)
    missing = f'organization name "{org}" not found'
    return None if org in request.names["org"] else v2_error("not found", missing, 404)


def _v2_bucket(request: Request) -> Answer | None:
    bucket = request.query.get("bucket", "")
    missing = f'bucket "{bucket}" not found' if bucket else "bucket not found"
    return None if bucket in request.names["bucket"] else v2_error("not found", missing, 404)


def _v3_database(request: Request) -> Answer | None:
    if _V3_NAME.fullmatch(request.query.get("db", "")):
        return None
    return v1_error("db name did not start with a number or letter")


def _basic(answer: Answer, realm: str) -> Answer:
    header = {"WWW-Authenticate": f'Basic realm="{realm}"'}
    return Answer(status=401, body=answer.body, headers={**answer.headers, **header})


GATES: Final[Mapping[Dialect, tuple[Gate, ...]]] = {
    Dialect.V1: (
        _identity(_basic(v1_error("authorization failed"), "InfluxDB")),
        _v1_database,
        _permission(
            v1_error('"reader" user is not authorized to write to database "home_assistant"', 403)
        ),
        _v1_retention_policy,
    ),
    Dialect.V2: (
        _identity(v2_error("unauthorized", "unauthorized access", 401)),
        _v2_org,
        _v2_bucket,
        _permission(v2_error("forbidden", "insufficient permissions for write", 403)),
    ),
    Dialect.V3: (
        _identity(Answer(status=401)),
        _permission(Answer(status=403)),
        _v3_database,
    ),
    Dialect.VICTORIAMETRICS: (
        _identity(UNKNOWN_TO_VM),
        _permission(Answer(status=403)),
    ),
}
