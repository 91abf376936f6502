"""How long to wait before the next attempt: arithmetic only."""

from typing import Final

INITIAL: Final = 1.0
# A minute is short enough that nobody waits for a database that came back, and long enough that
# one that is down gets one request a minute.
MAXIMUM: Final = 60.0


def backoff(
    attempt: int, jitter: float, retry_after: float = 0.0, *, longest: float = MAXIMUM
) -> float:
    """Seconds to wait after the given attempt, counted from 1.

    `jitter` in 0…1 spreads the wait over its upper half: many homes restart together after a power
    cut, and a wait near nothing would be no wait. Never shorter than what the server asked for.
    """
    # The exponent is bounded because 2.0 ** 1024 overflows, after 17 hours of failures.
    wait = min(longest, INITIAL * 2.0 ** min(attempt - 1, 16))
    return max(wait * (0.5 + jitter / 2), retry_after)
