"""The result of an attempt: clients create it, policies act on it."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What happens to what was sent."""

    ACCEPTED = "accepted"
    KEPT = "kept"
    TOO_LARGE = "too_large"
    REJECTED = "rejected"
    EXPIRED = "expired"
    BLOCKED = "blocked"


class Problem(StrEnum):
    """What is wrong, in words a user can act on. The values are stored and translated."""

    NONE = "none"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    TIMEOUT = "timeout"
    BUSY = "busy"
    SERVER_ERROR = "server_error"
    PROXY = "proxy"
    REDIRECT = "redirect"
    NOT_A_DATABASE = "not_a_database"
    INVALID_AUTH = "invalid_auth"
    FORBIDDEN = "forbidden"
    ORG_NOT_FOUND = "org_not_found"
    BUCKET_NOT_FOUND = "bucket_not_found"
    DATABASE_NOT_FOUND = "database_not_found"
    RETENTION_POLICY_NOT_FOUND = "retention_policy_not_found"
    TOO_LARGE = "too_large"
    REJECTED = "rejected"
    DISK = "disk"
    INTERNAL_ERROR = "internal_error"
    REJECTION_SURGE = "storm"
    CLOCK_DIFFERS = "clock_differs"


class Cause(StrEnum):
    """A possible cause of kept points, beside their problem."""

    UNKNOWN = "unknown"
    # A transient error, or a proxy that cuts off large bodies.
    CONNECTION_CUT = "connection_cut"
    # A proxy stopped waiting for the database.
    GATEWAY_TIMEOUT = "gateway_timeout"
    # The database failed, perhaps because of one point that it should have rejected.
    DATABASE_FAILED = "database_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeLimit:
    """Why points are too old, as far as the database reports it.

    `retention` in seconds, 0 where it is not named. `is_write_window` says that the limit is one
    that somebody set beside the retention. `clock_ahead` is by how many seconds the clock of the
    database is ahead of ours, None where that is not known.
    """

    retention: float = 0.0
    is_write_window: bool = False
    clock_ahead: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one attempt came to, and what must happen to the points that were sent.

    `retry_after` in seconds, 0 when the server named none. `detail` is text for people, without
    secrets. `rejected_lines` are the indexes of the lines that the server names as wrong. `age` is
    for what is expired only.

    `code` is the server's own number for its answer, 0 where there was none. It is only compared
    with another one, and kept in the quarantine's records, whose stored key is `status`.
    """

    kind: Kind
    problem: Problem
    retry_after: float = 0.0
    detail: str = ""
    cause: Cause = Cause.UNKNOWN
    rejected_lines: frozenset[int] = frozenset()
    age: AgeLimit = AgeLimit()
    code: int = 0
