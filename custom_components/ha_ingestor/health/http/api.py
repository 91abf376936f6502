"""The answers of the health API, with the keys of the services that this integration replaces.

A monitor that was made for one of them reads it. `destinations` has each destination; above it,
several are joined.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from ...pipeline.export.result import Problem
from ..condition import problem_of
from ..readings import ALL_DISABLED, LOADED, NO_DESTINATION, Reading
from .blocks import BLOCKS, READERS, moment
from .levels import Level, accepts, database, registries, worst

SERVICE: Final = "ha-ingestor"
# Why there is none in an answer.
NOTHING: Final[Mapping[str, str]] = {
    NO_DESTINATION: "No destination is set up",
    ALL_DISABLED: "Every destination is disabled",
}


def health(
    readings: Sequence[Reading], *, why_none: str, version: str, uptime: float, now: datetime
) -> dict[str, Any]:
    """Answer how everything is; `why_none` is the reason if there are no readings."""
    each = [_destination(reading) for reading in readings]
    return {
        "status": worst(readings).word,
        "message": "; ".join(reading["message"] for reading in each) or NOTHING[why_none],
        "service": SERVICE,
        "version": version,
        "timestamp": moment(now),
        "uptime": str(timedelta(seconds=uptime)),
        "uptime_seconds": round(uptime, 3),
        **{block: join([reading[block] for reading in each]) for block, join in BLOCKS.items()},
        "dependencies": _dependencies(readings),
        "destinations": each,
    }


def dependencies(readings: Sequence[Reading], *, now: datetime) -> dict[str, Any]:
    """Answer how everything is that the integration depends on."""
    return {
        "timestamp": now.timestamp(),
        "dependencies": _dependencies(readings),
        "destinations": [
            _identity(reading) | {"dependencies": _dependencies([reading])} for reading in readings
        ],
    }


def ready(readings: Sequence[Reading], *, why_none: str) -> tuple[bool, dict[str, Any]]:
    """Answer whether every destination takes points now; `why_none` as above."""
    is_ready = bool(readings) and all(accepts(reading) for reading in readings)
    found = [
        _identity(reading) | {"ready": accepts(reading), "message": database(reading)[1]}
        for reading in readings
    ]
    return is_ready, {
        "ready": is_ready,
        "message": "; ".join(each["message"] for each in found) or NOTHING[why_none],
        "destinations": found,
    }


def _identity(reading: Reading) -> dict[str, Any]:
    return {"config_entry_id": reading.entry_id, "title": reading.title, "state": reading.state}


def _destination(reading: Reading) -> dict[str, Any]:
    (level, message), snapshot = database(reading), reading.snapshot
    problem = problem_of(snapshot) if snapshot else Problem.NONE
    ledger = snapshot.ledger if snapshot and snapshot.is_open else None
    return {
        **_identity(reading),
        "status": level.word,
        "message": message,
        "problem": None if problem == Problem.NONE else str(problem),
        **{name: read(reading) for name, read in READERS.items()},
        "points": ledger and {**ledger, "pending": snapshot.pending if snapshot else 0},
        "oldest_age_seconds": snapshot.oldest_age if snapshot else None,
    }


def _dependencies(readings: Sequence[Reading]) -> dict[str, Any]:
    """Say how each kind of dependency is; of several of a kind the worst."""
    found = {"websocket": _home_assistant(readings)}
    if readings:
        found["influxdb"] = max(
            (_as_dependency(*database(each), _latency_ms(each)) for each in readings), key=_rank
        )
    if data_apis := [each.data_api for each in readings if each.data_api]:
        found["data_api"] = max(
            (_as_dependency(*registries(each), None) for each in data_apis), key=_rank
        )
    return found


def _home_assistant(readings: Sequence[Reading]) -> dict[str, Any]:
    """Say how the source of the events is, which the services reached over a WebSocket."""
    if readings and all(each.state == LOADED for each in readings):
        return _as_dependency(
            Level.HEALTHY, "Events are read in the process of Home Assistant", 0.0
        )
    return _as_dependency(Level.UNHEALTHY, "Events are not read for every destination", None)


def _latency_ms(reading: Reading) -> float | None:
    latency = reading.snapshot.export.write_latency if reading.snapshot else None
    return None if latency is None else latency * 1000


def _as_dependency(level: Level, message: str, milliseconds: float | None) -> dict[str, Any]:
    return {"status": level.word, "message": message, "response_time_ms": milliseconds}


def _rank(found: Mapping[str, Any]) -> Level:
    return Level[found["status"].upper()]
