"""What servers answer, and what then has to happen to the points: one readable table."""

import gzip
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_components.ha_ingestor.clients.exchange import (
    RETRY_AFTER_MAX,
    Failure,
    parse_retry_after,
)
from custom_components.ha_ingestor.clients.influx.dialect import Dialect
from custom_components.ha_ingestor.clients.influx.outcome import Outcome
from custom_components.ha_ingestor.clients.influx.verdict import classify
from custom_components.ha_ingestor.pipeline.export.result import AgeLimit, Cause, Kind, Problem

V1, V2, V3, VM = Dialect.V1, Dialect.V2, Dialect.V3, Dialect.VICTORIAMETRICS
ALL: Final = tuple(Dialect)
ACCEPTED, KEPT, TOO_LARGE = Kind.ACCEPTED, Kind.KEPT, Kind.TOO_LARGE
BAD_LINE, BLOCKED = Kind.REJECTED, Kind.BLOCKED
NOW: Final = datetime(2026, 11, 21, 12, tzinfo=UTC)

FAILURES: Final = [
    (Failure.UNREACHABLE, KEPT, Problem.UNREACHABLE),
    (Failure.TLS, KEPT, Problem.TLS),
    (Failure.TIMEOUT, KEPT, Problem.TIMEOUT),
    (Failure.RESET, KEPT, Problem.UNREACHABLE),
]

# What the database itself says: dialects, status, body, and what it means.
REPLIES: Final = [
    (ALL, 204, "", ACCEPTED, Problem.NONE),
    (ALL, 200, "{}", ACCEPTED, Problem.NONE),
    # Whoever has something to say has not stored anything.
    (ALL, 200, '{"code":401,"message":"login required"}', KEPT, Problem.PROXY),
    (ALL, 200, '{"error":"no"}', KEPT, Problem.PROXY),
    (ALL, 200, '{"err', KEPT, Problem.PROXY),
    (ALL, 202, "refused", KEPT, Problem.PROXY),
    # Something in between has taken it, and may still lose it.
    (ALL, 201, "", KEPT, Problem.PROXY),
    (ALL, 202, "", KEPT, Problem.PROXY),
    (ALL, 206, "", KEPT, Problem.PROXY),
    (ALL, 226, "{}", KEPT, Problem.PROXY),
    # Wait and try again.
    (ALL, 408, "", KEPT, Problem.BUSY),
    (ALL, 425, "", KEPT, Problem.BUSY),
    (ALL, 429, "", KEPT, Problem.BUSY),
    (ALL, 499, "", KEPT, Problem.BUSY),
    (ALL, 503, "", KEPT, Problem.BUSY),
    (ALL, 504, "", KEPT, Problem.BUSY),
    (ALL, 507, "", KEPT, Problem.BUSY),
    (ALL, 500, '{"error":"timeout"}', KEPT, Problem.SERVER_ERROR),
    (ALL, 502, "", KEPT, Problem.SERVER_ERROR),
    (ALL, 599, "", KEPT, Problem.SERVER_ERROR),
    # A damaged compression looks like the server's own trouble.
    ((V2,), 500, '{"code":"internal error","message":"gzip"}', KEPT, Problem.SERVER_ERROR),
    # Send less at once.
    (ALL, 413, "", TOO_LARGE, Problem.TOO_LARGE),
    ((V3,), 500, "max request size (10485760 bytes) exceeded", TOO_LARGE, Problem.TOO_LARGE),
    ((V1, V2, VM), 500, "max request size", KEPT, Problem.SERVER_ERROR),
    # One of the lines is wrong.
    (
        (V1,),
        400,
        '{"error":"partial write: unable to parse \'x\' dropped=0"}',
        BAD_LINE,
        Problem.REJECTED,
    ),
    ((V1,), 400, '{"error":"partial write: field type conflict: …"}', BAD_LINE, Problem.REJECTED),
    ((V1,), 400, '{"error":"partial write: points beyond retention"}', BAD_LINE, Problem.REJECTED),
    ((V2,), 400, '{"code":"invalid","message":"unable to parse"}', BAD_LINE, Problem.REJECTED),
    ((V2,), 422, '{"code":"unprocessable entity"}', BAD_LINE, Problem.REJECTED),
    ((V3,), 400, '{"error":"partial write of line protocol occurred"}', BAD_LINE, Problem.REJECTED),
    ((V3,), 422, '{"error":"…","data":[{"error_message":"limit"}]}', BAD_LINE, Problem.REJECTED),
    ((VM,), 400, "cannot process influx line protocol data", BAD_LINE, Problem.REJECTED),
    (ALL, 406, "", BAD_LINE, Problem.REJECTED),
    # The words of a point that the reply repeats decide nothing.
    (
        ALL,
        400,
        '{"error":"x","data":[{"original_line":"retention policy not found"}]}',
        BAD_LINE,
        Problem.REJECTED,
    ),
    (
        (V1, V2, V3),
        400,
        '{"error":"x","original_line":"m s=\\"unsupported path requested: \\""}',
        BAD_LINE,
        Problem.REJECTED,
    ),
    ((V3,), 400, '{"data":"{\\"error\\": \\"authorization header"}', BAD_LINE, Problem.REJECTED),
    # Stop until somebody acts.
    (ALL, 401, "", BLOCKED, Problem.INVALID_AUTH),
    (ALL, 403, "", BLOCKED, Problem.FORBIDDEN),
    (
        (V2,),
        403,
        '{"code":"forbidden","message":"insufficient permissions for write: token is inactive"}',
        BLOCKED,
        Problem.INVALID_AUTH,
    ),
    (
        (V3,),
        400,
        '{"error": "Authorization header was malformed, the request was not …"}',
        BLOCKED,
        Problem.INVALID_AUTH,
    ),
    ((V1,), 404, '{"error":"database not found: \\"x\\""}', BLOCKED, Problem.DATABASE_NOT_FOUND),
    (
        (V1,),
        500,
        '{"error":"retention policy not found: x"}',
        BLOCKED,
        Problem.RETENTION_POLICY_NOT_FOUND,
    ),
    ((V2, V3, VM), 500, "retention policy not found", KEPT, Problem.SERVER_ERROR),
    (
        (V2,),
        404,
        '{"code":"not found","message":"organization name \\"bucket\\" not found"}',
        BLOCKED,
        Problem.ORG_NOT_FOUND,
    ),
    (
        (V2,),
        404,
        '{"code":"not found","message":"bucket \\"organization\\" not found"}',
        BLOCKED,
        Problem.BUCKET_NOT_FOUND,
    ),
    (ALL, 404, "404 page not found", BLOCKED, Problem.NOT_A_DATABASE),
    (
        ALL,
        400,
        'remoteAddr: "…"; requestURI: /nope; unsupported path requested: "/nope"',
        BLOCKED,
        Problem.NOT_A_DATABASE,
    ),
    (ALL, 405, "", BLOCKED, Problem.NOT_A_DATABASE),
    (ALL, 410, "", BLOCKED, Problem.NOT_A_DATABASE),
    (ALL, 501, "", BLOCKED, Problem.NOT_A_DATABASE),
    (ALL, 505, "", BLOCKED, Problem.NOT_A_DATABASE),
    (ALL, 301, "", BLOCKED, Problem.REDIRECT),
    (ALL, 308, "", BLOCKED, Problem.REDIRECT),
    # Never seen: keep everything.
    (ALL, 402, "", KEPT, Problem.SERVER_ERROR),
    (ALL, 418, "", KEPT, Problem.SERVER_ERROR),
    (ALL, 100, "", KEPT, Problem.SERVER_ERROR),
    (ALL, 999, "", KEPT, Problem.SERVER_ERROR),
]

# What somebody else says in its place.
PROXIES: Final = [
    # Only the client can know that a database is behind a 204 without its marks.
    (204, "", KEPT, Problem.PROXY),
    (200, "", KEPT, Problem.PROXY),
    (200, '{"code":401,"message":"login required"}', KEPT, Problem.PROXY),
    (200, "<html>Please log in</html>", KEPT, Problem.PROXY),
    (200, '{"status":"ok"}', KEPT, Problem.PROXY),
    (202, "", KEPT, Problem.PROXY),
    (302, "", BLOCKED, Problem.REDIRECT),
    (400, "<html>Bad Request</html>", KEPT, Problem.PROXY),
    (422, "unable to parse", KEPT, Problem.PROXY),
    (401, "<html>", BLOCKED, Problem.INVALID_AUTH),
    (403, "<html>", BLOCKED, Problem.FORBIDDEN),
    (404, "database not found", BLOCKED, Problem.NOT_A_DATABASE),
    (405, "", BLOCKED, Problem.NOT_A_DATABASE),
    (413, "<html>Request Entity Too Large", TOO_LARGE, Problem.TOO_LARGE),
    (429, "", KEPT, Problem.BUSY),
    (502, "<html>Bad Gateway", KEPT, Problem.SERVER_ERROR),
    (504, "<html>", KEPT, Problem.BUSY),
    (520, "<html>", KEPT, Problem.SERVER_ERROR),
]


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize(("failure", "kind", "problem"), FAILURES)
def test_without_a_reply_everything_is_kept(
    dialect: Dialect, failure: Failure, kind: Kind, problem: Problem
) -> None:
    verdict = classify(Outcome(failure=failure, detail="why"), dialect)
    assert (verdict.kind, verdict.problem, verdict.detail) == (kind, problem, "why")


@pytest.mark.parametrize(("dialects", "status", "body", "kind", "problem"), REPLIES)
def test_a_reply_of_the_database_gives_the_expected_verdict(
    dialects: tuple[Dialect, ...], status: int, body: str, kind: Kind, problem: Problem
) -> None:
    for dialect in dialects:
        outcome = Outcome(status=status, body=body, from_database=True)
        verdict = classify(outcome, dialect)
        assert (verdict.kind, verdict.problem) == (kind, problem)


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize(("status", "body", "kind", "problem"), PROXIES)
def test_a_reply_of_another_server_never_rejects_a_point(
    dialect: Dialect, status: int, body: str, kind: Kind, problem: Problem
) -> None:
    verdict = classify(Outcome(status=status, body=body), dialect)
    assert (verdict.kind, verdict.problem) == (kind, problem)


REPLY: Final = st.builds(
    Outcome,
    status=st.integers(0, 999),
    body=st.text(),
    from_database=st.booleans(),
    retry_after=st.text(),
)
NO_REPLY: Final = st.builds(Outcome, failure=st.sampled_from(Failure), detail=st.text())


@given(outcome=REPLY | NO_REPLY, dialect=st.sampled_from(Dialect))
def test_any_outcome_has_a_verdict_and_only_a_2xx_is_an_acknowledgement(
    outcome: Outcome, dialect: Dialect
) -> None:
    verdict = classify(outcome, dialect)
    assert (verdict.kind is ACCEPTED) <= (200 <= outcome.status < 300 and outcome.from_database)
    assert (verdict.kind is BAD_LINE) <= outcome.from_database
    assert (verdict.problem is Problem.NONE) == (verdict.kind is ACCEPTED)
    assert 0 <= verdict.retry_after <= RETRY_AFTER_MAX


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize(
    ("outcome", "cause"),
    [
        (Outcome(failure=Failure.RESET), Cause.CONNECTION_CUT),
        (Outcome(failure=Failure.UNREACHABLE), Cause.UNKNOWN),
        (Outcome(failure=Failure.TIMEOUT), Cause.UNKNOWN),
        (Outcome(status=504, body="<html>"), Cause.GATEWAY_TIMEOUT),
        (Outcome(status=503, from_database=True), Cause.UNKNOWN),
        (Outcome(status=500, from_database=True), Cause.DATABASE_FAILED),
        (Outcome(status=502, body="<html>"), Cause.UNKNOWN),
        (Outcome(status=422, from_database=True), Cause.UNKNOWN),
    ],
)
def test_a_cause_is_told_only_where_something_can_be_done_about_it(
    dialect: Dialect, outcome: Outcome, cause: Cause
) -> None:
    result = classify(outcome, dialect)
    assert (result.cause, result.code) == (cause, outcome.status)


@pytest.mark.parametrize("gzipped", [False, True])
@pytest.mark.parametrize(
    ("dialect", "reply"),
    [
        (V1, '{"error":"partial write: unable to parse \'b \': missing fields dropped=0"}'),
        (V2, '{"code":"invalid","message":"unable to parse \'b \': missing fields"}'),
        (V3, '{"error":"partial write","data":[{"line_number":2},{"line_number":9}]}'),
        (VM, 'cannot process influx line protocol data: incorrect influx line "b \\na v=1 1"'),
    ],
)
def test_the_lines_that_a_refusal_names_are_found_in_what_was_sent(
    dialect: Dialect, reply: str, *, gzipped: bool
) -> None:
    sent = b"a v=1 1\nb \nc v=1 1"
    body = gzip.compress(sent) if gzipped else sent
    outcome = Outcome(status=400, body=reply, from_database=True)

    result = classify(outcome, dialect, body=body, gzipped=gzipped)

    assert (result.kind, result.rejected_lines) == (Kind.REJECTED, frozenset({1}))
    assert classify(outcome, dialect, body=b"x v=1 1").rejected_lines == frozenset()


_OLD: Final = "partial write: dropped 1 points outside retention policy"


@pytest.mark.parametrize(
    ("body", "ahead", "limit"),
    [
        (f'{{"error":"{_OLD}"}}', None, AgeLimit()),
        (f'{{"error":"{_OLD}"}}', -7.0, AgeLimit(clock_ahead=-7.0)),
        (
            f'{{"message":"{_OLD} of duration 168h0m0s - oldest point …"}}',
            None,
            AgeLimit(retention=604_800.0),
        ),
        (
            f'{{"message":"{_OLD} of duration 1h30m5s - dropped: Write Window Lower Bound"}}',
            None,
            AgeLimit(retention=5405.0, is_write_window=True),
        ),
        # No database says so, but nothing that a server says may stop the export.
        pytest.param(
            f'{{"error":"{_OLD} of duration {"9" * 400}h0m0s"}}',
            None,
            AgeLimit(),
            id="400 digits",
        ),
        pytest.param(
            f'{{"error":"{_OLD} of duration {"9" * 5_000}h0m0s"}}',
            None,
            AgeLimit(),
            id="5 000 digits",
        ),
    ],
)
def test_how_old_is_too_old_is_read_from_the_words(
    body: str, ahead: float | None, limit: AgeLimit
) -> None:
    outcome = Outcome(status=422, body=body, from_database=True, ahead=ahead)
    result = classify(outcome, V2)
    assert (result.kind, result.age) == (Kind.EXPIRED, limit)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 0),
        ("0", 0),
        ("17", 17),
        (" 17 ", 17),
        ("99999", RETRY_AFTER_MAX),
        ("9" * 5000, RETRY_AFTER_MAX),
        ("-5", 0),
        ("1.5", 0),
        ("²", 0),
        ("soon", 0),
        ("Sat, 21 Nov 2026 12:01:00 GMT", 60),
        ("Saturday, 21-Nov-26 12:01:00 GMT", 60),
        ("Sat Nov 21 12:01:00 2026", 60),
        ("Sat, 21 Nov 2026 12:01:00 -0000", 60),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0),
        ("Sat, 21 Nov 2099 12:00:00 GMT", RETRY_AFTER_MAX),
        ("Sat, 99 Nov 2026 12:00:00 GMT", 0),
        ("Sat, 21 Nov 99999 12:00:00 GMT", 0),
    ],
)
def test_retry_after_is_read(header: str, seconds: float) -> None:
    assert parse_retry_after(header, NOW) == seconds


@given(st.integers(0, 10_000_000))
def test_retry_after_seconds_are_respected_up_to_the_limit(seconds: int) -> None:
    assert parse_retry_after(str(seconds), NOW) == min(seconds, RETRY_AFTER_MAX)


@given(st.integers(-10_000, 10_000))
def test_a_retry_after_date_is_respected_up_to_the_limit(seconds: int) -> None:
    header = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert parse_retry_after(header, NOW) == min(max(seconds, 0), RETRY_AFTER_MAX)


@given(st.text() | st.text(alphabet="0123456789:, -+GMTSatNov"))
def test_a_malformed_retry_after_is_never_an_error(header: str) -> None:
    assert 0 <= parse_retry_after(header, NOW) <= RETRY_AFTER_MAX
