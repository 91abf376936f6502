"""How attempts follow one another, whoever makes them."""

import asyncio
import math

import pytest

from custom_components.ha_ingestor.pipeline.export.attempts import Attempts, wait_for
from custom_components.ha_ingestor.pipeline.export.breaker import Breaker, BreakerState
from custom_components.ha_ingestor.pipeline.export.result import Cause, Kind, Problem, Result

BUSY = Result(kind=Kind.KEPT, problem=Problem.BUSY)
UNREACHABLE = Result(kind=Kind.KEPT, problem=Problem.UNREACHABLE)
CUT = Result(kind=Kind.KEPT, problem=Problem.UNREACHABLE, cause=Cause.CONNECTION_CUT)


def attempts() -> Attempts:
    return Attempts(jitter=lambda: 1.0)


def test_waits_double_up_to_a_minute_until_something_is_taken() -> None:
    tried = attempts()

    assert [tried.kept(BUSY) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    tried.succeeded()
    assert tried.kept(BUSY) == 1


@pytest.mark.parametrize(
    ("longest", "waits"), [(5, [1, 2, 4, 5, 5]), (3600, [1, 2, 4, 8, 16]), (0.5, [0.5] * 5)]
)
def test_waits_double_up_to_the_longest_pause_that_was_chosen(
    longest: float, waits: list[float]
) -> None:
    tried = Attempts(jitter=lambda: 1.0, longest_pause=longest)
    assert [tried.kept(BUSY) for _ in range(5)] == waits
    asked = Result(kind=Kind.KEPT, problem=Problem.BUSY, retry_after=90)
    assert tried.kept(asked) == max(90, longest if longest < 64 else 32)


@pytest.mark.parametrize("threshold", [1, 3, 5])
def test_the_breaker_opens_after_as_many_failures_in_a_row_as_were_chosen(threshold: int) -> None:
    tried = Attempts(jitter=lambda: 1.0, breaker=Breaker(failures_to_open=threshold))
    states = []
    for _ in range(6):
        tried.kept(BUSY)
        states.append(tried.breaker.state)
    closed = [BreakerState.CLOSED] * (threshold - 1)
    assert states == [*closed, *[BreakerState.OPEN] * (7 - threshold)]


def test_a_server_that_is_reached_is_waited_for_anew_and_not_believed_yet() -> None:
    tried = attempts()
    tried.kept(UNREACHABLE)
    tried.begin()
    tried.reached()

    assert tried.kept(BUSY) == 1
    assert tried.breaker.state is BreakerState.OPEN


@pytest.mark.parametrize(
    ("result", "states"),
    [
        (UNREACHABLE, [BreakerState.OPEN] * 3),
        (CUT, [BreakerState.CLOSED, BreakerState.CLOSED, BreakerState.OPEN]),
        (BUSY, [BreakerState.CLOSED, BreakerState.CLOSED, BreakerState.OPEN]),
    ],
)
def test_the_breaker_opens_at_once_only_where_nobody_is_there(
    result: Result, states: list[BreakerState]
) -> None:
    tried = attempts()
    seen = []
    for _ in range(3):
        tried.kept(result)
        seen.append(tried.breaker.state)

    assert seen == states


def test_a_server_that_sends_retry_after_does_not_open_the_breaker() -> None:
    tried = attempts()
    asks = Result(kind=Kind.KEPT, problem=Problem.BUSY, retry_after=90)

    assert [tried.kept(asks, is_there=True) for _ in range(5)] == [90] * 5
    assert tried.breaker.state is BreakerState.CLOSED


def test_a_blocked_database_is_tried_again_at_intervals() -> None:
    tried = attempts()

    states = []
    assert (tried.blocked(), tried.blocked(60)) == (300, 60)
    states.append(tried.breaker.state)
    tried.begin()
    states.append(tried.breaker.state)
    assert states == [BreakerState.BLOCKED, BreakerState.HALF_OPEN]


async def test_a_wait_ends_with_its_time_or_with_the_event() -> None:
    event = asyncio.Event()
    async with asyncio.timeout(5):
        await wait_for(event, -1)
        await wait_for(event, 0.01)
        asyncio.get_running_loop().call_later(0.01, event.set)
        await wait_for(event, math.inf)
        await wait_for(event, 60)
    assert event.is_set()
