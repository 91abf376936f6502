"""How many requests one client may make: a bucket of tokens that fills at a steady rate."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil


@dataclass(slots=True, kw_only=True)
class RateLimit:
    """As many requests at once as `burst`, and `per_minute` of them later."""

    per_minute: float = 100.0
    burst: float = 20.0
    clock: Callable[[], float]
    _tokens: dict[str, tuple[float, float]] = field(default_factory=dict)

    def refuse(self, client: str) -> int | None:
        """Take a token of this client, or say in how many seconds there will be one."""
        now = self.clock()
        tokens, seen = self._tokens.get(client, (self.burst, now))
        tokens = min(self.burst, tokens + (now - seen) * self.per_minute / 60)
        if tokens < 1:
            self._tokens[client] = tokens, now
            return max(1, ceil((1 - tokens) * 60 / self.per_minute))
        self._tokens[client] = tokens - 1, now
        return None
