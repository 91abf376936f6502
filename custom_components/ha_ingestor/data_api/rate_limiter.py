"""A rate limiter, a little below the limit of the server."""

from dataclasses import dataclass
from typing import Final

# The server's are 100 and 20, for everybody at our address, and it counts when a request arrives.
PER_MINUTE: Final = 90.0
BURST: Final = 15.0


@dataclass(slots=True, kw_only=True)
class RateLimiter:
    """A token bucket; the caller passes the time."""

    _tokens: float = BURST
    _seen: float = 0.0

    def take(self, now: float) -> float:
        """Take a token and return how many seconds to wait before using it."""
        # At the first call `_seen` says nothing, and the bucket is full anyway.
        self._tokens = min(BURST, self._tokens + max(0.0, now - self._seen) * PER_MINUTE / 60)
        self._seen = now
        self._tokens -= 1.0
        return max(0.0, -self._tokens * 60 / PER_MINUTE)

    def use_up(self, now: float) -> None:
        """Use up all tokens, because the server reported too many requests."""
        self._tokens, self._seen = min(self._tokens, 0.0), now
