"""The rate stays below the server's limit."""

from hypothesis import given
from hypothesis import strategies as st

from custom_components.ha_ingestor.data_api.rate_limiter import BURST, RateLimiter
from scripts.rig.data_api.limits import RateLimit

GAPS = st.lists(st.floats(0, 5) | st.just(0.0), max_size=300)


@given(GAPS, st.floats(0, 1e6))
def test_whoever_waits_as_told_is_never_refused(gaps: list[float], start: float) -> None:
    now = start
    limit = RateLimit(clock=lambda: now)
    rate_limiter = RateLimiter()
    for gap in gaps:
        now += gap
        now += rate_limiter.take(now)
        assert limit.refuse("us") is None


def test_the_first_requests_need_not_wait() -> None:
    rate_limiter = RateLimiter()
    waits = [rate_limiter.take(1e6) for _ in range(int(BURST) + 2)]
    assert waits[: int(BURST)] == [0.0] * int(BURST)
    assert 0 < waits[-2] < waits[-1]


def test_after_a_refusal_no_tokens_are_left() -> None:
    rate_limiter = RateLimiter()
    rate_limiter.take(5.0)
    rate_limiter.use_up(5.0)
    assert rate_limiter.take(5.0) > 0


def test_the_rate_limit_also_holds_for_requests_without_a_pause() -> None:
    now = 0.0
    limit = RateLimit(clock=lambda: now)
    rate_limiter = RateLimiter()
    for _ in range(1000):
        now += rate_limiter.take(now)
        assert limit.refuse("us") is None
