"""Classifies the outcome of a write as a result of the pipeline, by one table.

The rows are the servers' semantics as observed on InfluxDB 1.6.7, 1.13.2, 2.7.12 and
VictoriaMetrics 1.79 and 1.150, and as read in the source of InfluxDB 3.
"""

import re
import zlib
from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from ...pipeline.export.result import Cause, Kind, Problem, Result
from ..exchange import DETAIL_MAX, Failure, parse_retry_after
from .dialect import Dialect
from .outcome import Outcome
from .refusal import age_limit, rejected_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row: every condition that is set must hold."""

    kind: Kind
    problem: Problem
    cause: Cause = Cause.UNKNOWN
    statuses: Container[int] | None = None
    failure: Failure | None = None
    says: str = ""
    from_database: bool | None = None
    begins: re.Pattern[str] | None = None
    is_silent: bool = False
    dialects: Container[Dialect] = tuple(Dialect)

    def matches(self, outcome: Outcome, dialect: Dialect) -> bool:
        """Whether this row describes the outcome."""
        return (
            self.failure == outcome.failure
            and (self.statuses is None or outcome.status in self.statuses)
            and (self.from_database is None or self.from_database == outcome.from_database)
            and dialect in self.dialects
            and not (self.is_silent and outcome.body.strip() not in _NO_MESSAGE)
            and self.says in outcome.body.lower()
            and (self.begins is None or self.begins.match(outcome.body) is not None)
        )


# A success has no message.
_NO_MESSAGE: Final = ("", "{}")

_OK: Final = range(200, 300)
# What databases acknowledge with. Any other success says that something is in between, which has
# only taken the points, such as 202 of a gateway.
_STORED: Final = frozenset({200, 204})
_REDIRECT: Final = range(300, 400)
_CLIENT_ERROR: Final = range(400, 500)
# InfluxDB 1 and 2 about points older than the retention. Only at the beginning of the message, as
# what follows may repeat the text of a point.
_EXPIRED: Final = re.compile(
    r'\s*(?:\{\s*(?:"code"\s*:\s*"[^"]*"\s*,\s*)?"(?:error|message)"\s*:\s*")?'
    r"(?:failure writing points to database: )?partial write: "
    r"(?:points beyond retention policy|dropped \d+ points outside retention policy)"
)
# VictoriaMetrics has no 404: it answers 400, and so do vminsert about a tenant and vmauth about a
# route. That every point is refused there is no fault of the points. Only at the beginning, too.
_NO_PATH: Final = re.compile(
    r"(?:remoteAddr: [^;]*; requestURI: [^;]*; )?"
    r'(?:unsupported path requested: "|user .{1,200} missing route for |auth error: '
    r'|cannot parse path ")'
)
_V1: Final = (Dialect.V1,)
_V2: Final = (Dialect.V2,)
_V3: Final = (Dialect.V3,)

RULES: Final[tuple[Rule, ...]] = (
    Rule(kind=Kind.KEPT, problem=Problem.UNREACHABLE, failure=Failure.UNREACHABLE),
    Rule(kind=Kind.KEPT, problem=Problem.TLS, failure=Failure.TLS),
    Rule(kind=Kind.KEPT, problem=Problem.TIMEOUT, failure=Failure.TIMEOUT),
    Rule(
        kind=Kind.KEPT,
        problem=Problem.UNREACHABLE,
        cause=Cause.CONNECTION_CUT,
        failure=Failure.RESET,
    ),
    # Databases acknowledge without a body, and nothing else may do it for them. What a gateway, a
    # login page or a captive portal serves with 200 or 204 is no acknowledgement: accepting it
    # would lose every point.
    Rule(
        kind=Kind.ACCEPTED,
        problem=Problem.NONE,
        statuses=_STORED,
        from_database=True,
        is_silent=True,
    ),
    Rule(kind=Kind.KEPT, problem=Problem.PROXY, statuses=_OK),
    Rule(kind=Kind.BLOCKED, problem=Problem.REDIRECT, statuses=_REDIRECT),
    Rule(kind=Kind.BLOCKED, problem=Problem.INVALID_AUTH, statuses={401}),
    # A token that was switched off is known, and yet another one is needed.
    Rule(
        kind=Kind.BLOCKED,
        problem=Problem.INVALID_AUTH,
        statuses={403},
        says="token is inactive",
        dialects=_V2,
    ),
    # v1 and v3 answer 403 for both; only v2 tells a known token without permission from a bad one.
    Rule(kind=Kind.BLOCKED, problem=Problem.FORBIDDEN, statuses={403}),
    Rule(kind=Kind.TOO_LARGE, problem=Problem.TOO_LARGE, statuses={413}),
    Rule(
        kind=Kind.KEPT,
        problem=Problem.BUSY,
        statuses={408, 425, 429, 499, 503, 507},
    ),
    Rule(kind=Kind.KEPT, problem=Problem.BUSY, cause=Cause.GATEWAY_TIMEOUT, statuses={504}),
    Rule(
        kind=Kind.BLOCKED,
        problem=Problem.RETENTION_POLICY_NOT_FOUND,
        statuses={500},
        says="retention policy not found",
        dialects=_V1,
    ),
    # Older versions of InfluxDB 3 answer 500 instead of 413.
    Rule(
        kind=Kind.TOO_LARGE,
        problem=Problem.TOO_LARGE,
        statuses={500},
        says="max request size",
        dialects=_V3,
    ),
    # Some servers answer this to a point that they should reject.
    Rule(
        kind=Kind.KEPT,
        problem=Problem.SERVER_ERROR,
        cause=Cause.DATABASE_FAILED,
        statuses={500},
    ),
    Rule(kind=Kind.BLOCKED, problem=Problem.NOT_A_DATABASE, statuses={501, 505}),
    Rule(kind=Kind.KEPT, problem=Problem.SERVER_ERROR, statuses=range(502, 600)),
    Rule(kind=Kind.BLOCKED, problem=Problem.NOT_A_DATABASE, statuses={400}, begins=_NO_PATH),
    # The rules below depend on the message, so it has to be the database's own reply.
    Rule(
        kind=Kind.BLOCKED,
        problem=Problem.NOT_A_DATABASE,
        statuses={404, 405, 410},
        from_database=False,
    ),
    Rule(
        kind=Kind.KEPT,
        problem=Problem.PROXY,
        statuses=_CLIENT_ERROR,
        from_database=False,
    ),
    # The quoted name may be any word, so the words in front of it have to match.
    Rule(
        kind=Kind.BLOCKED,
        problem=Problem.BUCKET_NOT_FOUND,
        statuses={404},
        says='bucket \\"',
    ),
    Rule(
        kind=Kind.BLOCKED,
        problem=Problem.ORG_NOT_FOUND,
        statuses={404},
        says="organization",
    ),
    Rule(
        kind=Kind.BLOCKED,
        problem=Problem.DATABASE_NOT_FOUND,
        statuses={404},
        says="database",
    ),
    Rule(kind=Kind.BLOCKED, problem=Problem.NOT_A_DATABASE, statuses={404, 405, 410}),
    # InfluxDB 3 about a token with a space in it. With the brace and the quotes it cannot be the
    # text of a point that the reply repeats.
    Rule(
        kind=Kind.BLOCKED,
        problem=Problem.INVALID_AUTH,
        statuses={400},
        says='{"error": "authorization header',
        dialects=_V3,
    ),
    Rule(
        kind=Kind.EXPIRED,
        problem=Problem.REJECTED,
        statuses={400, 422},
        begins=_EXPIRED,
        dialects=(Dialect.V1, Dialect.V2),
    ),
    Rule(kind=Kind.REJECTED, problem=Problem.REJECTED, statuses={400, 406, 422}),
    Rule(kind=Kind.KEPT, problem=Problem.SERVER_ERROR),
)


def classify(
    outcome: Outcome,
    dialect: Dialect,
    *,
    body: bytes = b"",
    gzipped: bool = False,
    now: datetime | None = None,
) -> Result:
    """Classify an outcome; `now` resolves a Retry-After that is a date.

    `body` is what was sent, in which the lines are found that the reply names.
    """
    rule = next(rule for rule in RULES if rule.matches(outcome, dialect))
    result = Result(
        kind=rule.kind,
        problem=rule.problem,
        cause=rule.cause,
        retry_after=parse_retry_after(outcome.retry_after, now or datetime.now(UTC)),
        detail=(outcome.detail or outcome.body)[:DETAIL_MAX],
        code=outcome.status,
    )
    match rule.kind:
        case Kind.EXPIRED:
            return replace(result, age=age_limit(outcome.body, outcome.ahead))
        case Kind.REJECTED if body:
            payload = zlib.decompress(body, wbits=31) if gzipped else body
            named = rejected_lines(outcome.body, dialect, payload.split(b"\n"))
            return replace(result, rejected_lines=named)
    return result
