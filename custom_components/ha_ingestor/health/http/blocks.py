"""The blocks of the health API that are about one destination, and how several are joined.

Of several, numbers are sums, moments are the latest, and states are the worst.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ...pipeline.export.breaker import BreakerState
from ..readings import LOADED, Reading

_MEBIBYTE: Final = 1024 * 1024

type Block = Mapping[str, Any]

# What the services said for the states of their breaker.
_BREAKER: Final[Mapping[BreakerState, str]] = {
    BreakerState.CLOSED: "closed",
    BreakerState.HALF_OPEN: "half-open",
    BreakerState.OPEN: "open",
    BreakerState.BLOCKED: "open",
}
_BREAKERS: Final = ("closed", "half-open", "open")

_CONNECTION: Final[Mapping[bool | None, str]] = {
    True: "connected",
    None: "connecting",
    False: "disconnected",
}
_CONNECTIONS: Final = (*_CONNECTION.values(), "not_loaded")


def _connection(reading: Reading) -> dict[str, Any]:
    snapshot = reading.snapshot
    requests = snapshot.performance.requests if snapshot else {}
    failed = requests.get("kept", 0) + requests.get("blocked", 0)
    return {
        "is_running": snapshot is not None,
        "connection_attempts": sum(requests.values()),
        "successful_connections": sum(requests.values()) - failed,
        "failed_connections": failed,
        "last_successful": moment(snapshot.performance.last_success if snapshot else None),
        "current_state": _CONNECTION[snapshot.export.connected] if snapshot else "not_loaded",
    }


def _subscription(reading: Reading) -> dict[str, Any]:
    snapshot = reading.snapshot
    is_known = snapshot is not None and snapshot.is_open
    return {
        "is_subscribed": reading.state == LOADED,
        "total_events_received": snapshot.ledger["received"] if snapshot and is_known else None,
        "event_rate_per_minute": snapshot.performance.received_per_minute if snapshot else None,
        "last_event": moment(snapshot.performance.last_received if snapshot else None),
    }


def _circuit_breaker(reading: Reading) -> dict[str, Any]:
    snapshot = reading.snapshot
    return {
        "state": _BREAKER[snapshot.breaker] if snapshot else "open",
        "failure_count": snapshot.export.attempts if snapshot else 0,
        "last_failure": moment(snapshot.performance.last_failure if snapshot else None),
    }


def _performance(reading: Reading) -> dict[str, Any]:
    if (snapshot := reading.snapshot) is None:
        return {"memory_mb": 0.0, "cpu_percent": 0.0, "cpu_seconds": 0.0, "disk_bytes": 0}
    found = snapshot.performance
    return {
        "memory_mb": found.queue_bytes / _MEBIBYTE,
        "cpu_percent": 100 * found.thread_seconds / found.uptime if found.uptime else 0.0,
        "cpu_seconds": found.thread_seconds,
        "disk_bytes": found.disk_bytes,
    }


def _sums(blocks: Sequence[Block], *names: str) -> dict[str, Any]:
    return {name: sum(block[name] for block in blocks) for name in names}


def _known_sums(blocks: Sequence[Block], *names: str) -> dict[str, Any]:
    """Add up what is known; None when nothing is."""
    known = {name: [block[name] for block in blocks if block[name] is not None] for name in names}
    return {name: sum(counts) if counts else None for name, counts in known.items()}


def _latest(blocks: Sequence[Block], name: str) -> str | None:
    # As texts of one form and one zone they are in the order of time.
    return max((block[name] for block in blocks if block[name]), default=None)


def _worst_of(words: Sequence[str], blocks: Sequence[Block], name: str) -> str:
    return max((block[name] for block in blocks), key=words.index, default=words[-1])


def _join_connections(blocks: Sequence[Block]) -> dict[str, Any]:
    counts = ("connection_attempts", "successful_connections", "failed_connections")
    return {
        "is_running": bool(blocks) and all(block["is_running"] for block in blocks),
        **_sums(blocks, *counts),
        "last_successful": _latest(blocks, "last_successful"),
        "current_state": _worst_of(_CONNECTIONS, blocks, "current_state"),
    }


def _join_subscriptions(blocks: Sequence[Block]) -> dict[str, Any]:
    return {
        "is_subscribed": bool(blocks) and all(block["is_subscribed"] for block in blocks),
        **_known_sums(blocks, "total_events_received", "event_rate_per_minute"),
        "last_event": _latest(blocks, "last_event"),
    }


def _join_breakers(blocks: Sequence[Block]) -> dict[str, Any]:
    return {
        "state": _worst_of(_BREAKERS, blocks, "state"),
        **_sums(blocks, "failure_count"),
        "last_failure": _latest(blocks, "last_failure"),
    }


def _join_performances(blocks: Sequence[Block]) -> dict[str, Any]:
    floats = {
        name: float(value)
        for name, value in _sums(blocks, "memory_mb", "cpu_percent", "cpu_seconds").items()
    }
    return floats | _sums(blocks, "disk_bytes")


def moment(at: datetime | None) -> str | None:
    """Write a moment as the services did."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


# By the name of the block: of one destination, and of several blocks one.
READERS: Final[Mapping[str, Callable[[Reading], dict[str, Any]]]] = {
    "connection": _connection,
    "subscription": _subscription,
    "circuit_breaker": _circuit_breaker,
    "performance": _performance,
}
BLOCKS: Final[Mapping[str, Callable[[Sequence[Block]], dict[str, Any]]]] = {
    "connection": _join_connections,
    "subscription": _join_subscriptions,
    "circuit_breaker": _join_breakers,
    "performance": _join_performances,
}
