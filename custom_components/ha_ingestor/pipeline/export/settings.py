"""How points are sent, as far as it can be chosen."""

from dataclasses import dataclass

from .backoff import MAXIMUM
from .breaker import FAILURES_TO_OPEN
from .gathering import GATHER_SECONDS
from .isolation import BATCH_POINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """Times in seconds; `longest_pause` is between two attempts.

    Points are gathered for `gather_seconds`, or until they are worth a request. Those that the
    database keeps no more go to the quarantine, unless `evicts_expired`.
    """

    request_points: int = BATCH_POINTS
    longest_pause: float = MAXIMUM
    failures_to_open: int = FAILURES_TO_OPEN
    gather_seconds: float = GATHER_SECONDS
    evicts_expired: bool = False
    gzip: bool = True
