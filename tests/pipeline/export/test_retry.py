"""What an answer means that comes again and again."""

import pytest

from custom_components.ha_ingestor.pipeline.export.attempts import Attempts
from custom_components.ha_ingestor.pipeline.export.result import Cause, Kind, Problem, Result
from custom_components.ha_ingestor.pipeline.export.retry import RetryPolicy


def kept(problem: Problem, cause: Cause = Cause.UNKNOWN, code: int = 0) -> Result:
    return Result(kind=Kind.KEPT, problem=problem, cause=cause, code=code)


BUSY = kept(Problem.BUSY, code=503)
TIMEOUT = kept(Problem.TIMEOUT)
GATEWAY = kept(Problem.BUSY, Cause.GATEWAY_TIMEOUT, 504)
CUT = kept(Problem.UNREACHABLE, Cause.CONNECTION_CUT)
BROKEN = kept(Problem.SERVER_ERROR, Cause.DATABASE_FAILED, 500)
TOO_LARGE = Result(kind=Kind.TOO_LARGE, problem=Problem.TOO_LARGE, code=413)


def policy(*answers: Result) -> RetryPolicy:
    """Make a policy that saw these answers."""
    made = RetryPolicy(attempts=Attempts(jitter=lambda: 1.0))
    for answer in answers:
        made.kept(answer)
    return made


@pytest.mark.parametrize("late", [TIMEOUT, GATEWAY, CUT])
def test_a_batch_is_taken_for_too_much_after_the_second_failure_in_a_row(late: Result) -> None:
    assert not policy().is_too_much(late)
    assert policy(late).is_too_much(late)
    assert not policy(late, BUSY).is_too_much(late)
    assert not policy(BUSY, BUSY).is_too_much(BUSY)


def test_a_line_is_given_up_as_too_large_the_fourth_time_in_a_row() -> None:
    assert not policy(TOO_LARGE, TOO_LARGE).is_too_large(TOO_LARGE)
    assert policy(*[TOO_LARGE] * 3).is_too_large(TOO_LARGE)
    assert not policy(TOO_LARGE, TOO_LARGE, BUSY, TOO_LARGE).is_too_large(TOO_LARGE)


def test_a_database_is_stuck_after_ten_failures_until_it_takes_more_than_one_point() -> None:
    assert not policy(*[BROKEN] * 9).is_stuck(BROKEN)
    assert not policy(*[BUSY] * 12).is_stuck(BROKEN)
    stuck = policy(*[BROKEN] * 10)
    assert stuck.is_stuck(BROKEN)
    assert not stuck.is_stuck(BUSY)

    stuck.accepted(1)
    assert stuck.is_stuck(BROKEN)
    stuck.accepted(2)
    assert not stuck.is_stuck(BROKEN)


@pytest.mark.parametrize("end", ["accepted", "set aside", "blocked"])
def test_another_result_ends_a_row_of_failures(end: str) -> None:
    ended = policy(*[BROKEN] * 9, TIMEOUT)
    match end:
        case "accepted":
            ended.accepted(100)
        case "set aside":
            ended.set_aside()
        case _:
            ended.blocked()

    assert not ended.is_too_much(TIMEOUT)


def test_only_a_large_body_is_cut_off_for_its_size() -> None:
    assert policy().is_cut_off(CUT, 64 * 1024 + 1)
    assert not policy().is_cut_off(CUT, 64 * 1024)
    assert not policy().is_cut_off(TIMEOUT, 1024 * 1024)
