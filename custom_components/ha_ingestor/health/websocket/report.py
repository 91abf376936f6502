"""Everything that is known of a destination, as JSON for an administrator."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from ...pipeline.histogram import BOUNDS
from ...pipeline.performance import Performance
from ...pipeline.snapshot import Snapshot
from ...pipeline.spool.quarantine.records import RejectedPoint
from ..condition import condition_of, problem_of
from ..parts import DataApiReading, StoreReading
from ..readings import Reading
from ..rejected_point import entity_of
from ..texts.server_text import plain, redacted

type Say = Callable[[str], str]

# How the durations of Performance are called.
_STAGES: Final = ("captured_to_committed", "commit", "request", "captured_to_acknowledged")


def report(reading: Reading, say: Say) -> dict[str, Any]:
    """Return what is known; `health` is None unless the destination is loaded.

    Reasons of our own are told as `say` has them.
    """
    data_api = reading.data_api
    return {
        "config_entry_id": reading.entry_id,
        "title": reading.title,
        "state": reading.state,
        "product": reading.product,
        "health": _health(reading.snapshot, say) if reading.snapshot else None,
        "quarantined": reading.quarantined,
        "outages": [_said(outage.as_dict(), say) for outage in reading.outages],
        "data_api": _data_api(data_api, say) if data_api else None,
        "remotes": [_said(_as_json(asdict(each)), say) for each in reading.remotes],
        "mqtt": [_as_json(asdict(each)) for each in reading.mqtt],
    }


def reports(readings: Iterable[Reading], store: StoreReading | None, say: Say) -> dict[str, Any]:
    """Return what is known of the destinations, and of the metadata store that they share."""
    return {
        "destinations": [report(each, say) for each in readings],
        "metadata_store": _as_json(asdict(store)) if store else None,
    }


def _said(found: dict[str, Any], say: Say) -> dict[str, Any]:
    return {**found, "detail": say(found["detail"])}


def _data_api(reading: DataApiReading, say: Say) -> dict[str, Any]:
    found = _said(_as_json(asdict(reading)), say)
    rejections = [{**each, "reason": say(each["reason"])} for each in found["rejections"]]
    return {**found, "rejections": rejections}


def _health(snapshot: Snapshot, say: Say) -> dict[str, Any]:
    export = snapshot.export
    return {
        **_as_json(asdict(export)),
        "detail": say(plain(export.detail)),
        "condition": condition_of(snapshot),
        "concern": problem_of(snapshot),
        "breaker": str(snapshot.breaker),
        # Before the disk was read the counts of earlier processes are not known.
        "ledger": snapshot.ledger if snapshot.is_open else None,
        "pending": snapshot.pending if snapshot.is_open else None,
        "waiting": snapshot.waiting,
        "unbalanced": snapshot.unbalanced,
        "oldest_age": snapshot.oldest_age,
        "spool_bytes": snapshot.spool_bytes,
        "spool_limit": snapshot.spool_limit,
        "spool_error": say(plain(snapshot.spool_error)),
        "history": [
            _as_json(asdict(change)) | {"detail": say(plain(change.detail))}
            for change in snapshot.history
        ],
        "rejection": _rejection(snapshot.rejection, say) if snapshot.rejection else None,
        "recovery": _as_json(asdict(snapshot.recovery)),
        "backfill": _as_json(asdict(snapshot.backfill)),
        "performance": _performance(snapshot.performance),
    }


def _rejection(rejection: RejectedPoint, say: Say) -> dict[str, Any]:
    return {
        "entity_id": entity_of(rejection.line) or None,
        "reason": say(plain(rejection.reason)),
        "line": redacted(rejection.line),
    }


def _performance(performance: Performance) -> dict[str, Any]:
    found = _as_json(asdict(performance))
    # How long it has been running is always news.
    del found["uptime"]
    stages = {name: found.pop(name) for name in _STAGES}
    return {**found, "bounds": list(BOUNDS), "stages": stages}


def _as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _json_value(value) for name, value in values.items()}


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return _as_json(value)
    if isinstance(value, (list, tuple)):
        return [_json_value(each) for each in value]
    # A word of an enum is a text as well.
    return str(value) if isinstance(value, str) else value
