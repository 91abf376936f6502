"""How points are sent, as far as it can be chosen."""

from dataclasses import dataclass

from .backoff import MAXIMUM
from .breaker import FAILURES_TO_OPEN
from .isolation import BATCH_POINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """The most points in a request, the longest pause in seconds, and when the breaker opens."""

    request_points: int = BATCH_POINTS
    longest_pause: float = MAXIMUM
    failures_to_open: int = FAILURES_TO_OPEN
