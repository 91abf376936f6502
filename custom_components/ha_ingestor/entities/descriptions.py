"""The entities of a destination's health."""

import re
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, Final

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import MAX_LENGTH_STATE_STATE, PERCENTAGE, UnitOfInformation, UnitOfTime

from ..connection import ADDRESS_PROBLEMS
from ..health.condition import CONDITIONS, PROBLEMS, condition_of, has_problem, problem_of
from ..health.texts.own_reasons import system_key
from ..health.texts.server_text import plain
from ..pipeline.export.breaker import BreakerState
from ..pipeline.export.export_state import StatusChange
from ..pipeline.export.result import Problem
from ..pipeline.snapshot import Snapshot
from .base import IngestorBinarySensorDescription, IngestorSensorDescription
from .cost import COST_SENSORS

HealthSensor = IngestorSensorDescription[Snapshot]
HealthBinarySensor = IngestorBinarySensorDescription[Snapshot]

# What the system says behind the address, such as "Connection refused".
_REASON: Final = re.compile(r"\S+: ([A-Za-z ]+)")


def _status_attributes(snapshot: Snapshot) -> dict[str, Any]:
    export = snapshot.export
    return {
        "problem": problem_of(snapshot),
        "attempts": export.attempts,
        "next_retry": export.next_retry,
    }


def _last_problem(snapshot: Snapshot) -> StatusChange | None:
    newest_first = reversed(snapshot.history)
    return next((change for change in newest_first if change.problem is not Problem.NONE), None)


def _last_error(snapshot: Snapshot) -> str:
    if not (change := _last_problem(snapshot)):
        # Home Assistant would show no value as "Unknown", which reads as if something were wrong.
        return Problem.NONE
    detail = change.detail
    if change.problem in ADDRESS_PROBLEMS:
        # The detail of these names hosts, and where a redirect leads may hold a session.
        reason = _REASON.fullmatch(detail)
        detail = reason[1] if reason else ""
    # The words of a server are shown as they are; the keys are translated.
    return (system_key(detail) or plain(detail) or change.problem)[:MAX_LENGTH_STATE_STATE]


def _last_error_attributes(snapshot: Snapshot) -> dict[str, Any]:
    change = _last_problem(snapshot)
    return {"problem": change.problem, "since": change.time} if change else {}


def _points_per_minute(snapshot: Snapshot) -> float | None:
    rate = snapshot.points_per_minute
    return None if rate is None else round(rate, 1)


def _received(ledger: dict[str, Any]) -> dict[str, Any]:
    """Return what makes the first equation of the ledger complete."""
    return {name: ledger[name] for name in ("received", "waiting", "misdated")}


def _evicted_reasons(ledger: dict[str, Any]) -> dict[str, Any]:
    return {"reasons": ledger["evicted_for"]}


def _recovery(snapshot: Snapshot) -> dict[str, Any]:
    return asdict(snapshot.recovery)


def _fate(
    name: str,
    *,
    enabled: bool = True,
    attributes_fn: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> HealthSensor:
    """Describe one count of the ledger; a table of reasons is shown as its sum."""

    def value(snapshot: Snapshot) -> int | None:
        if not snapshot.is_open:
            return None
        count = snapshot.ledger[name]
        return sum(count.values()) if isinstance(count, dict) else count

    def attributes(snapshot: Snapshot) -> dict[str, Any]:
        return attributes_fn(snapshot.ledger) if attributes_fn and snapshot.is_open else {}

    return HealthSensor(
        key=f"points_{name}",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_registry_enabled_default=enabled,
        value_fn=value,
        attributes_fn=attributes,
    )


SENSORS: Final[tuple[HealthSensor, ...]] = (
    HealthSensor(
        key="status",
        device_class=SensorDeviceClass.ENUM,
        options=list(CONDITIONS),
        value_fn=condition_of,
        attributes_fn=_status_attributes,
    ),
    HealthSensor(
        key="current_problem",
        device_class=SensorDeviceClass.ENUM,
        options=list(PROBLEMS),
        value_fn=problem_of,
    ),
    HealthSensor(
        key="last_error",
        value_fn=_last_error,
        attributes_fn=_last_error_attributes,
    ),
    HealthSensor(
        key="points_per_minute",
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        value_fn=_points_per_minute,
    ),
    _fate("captured", enabled=False, attributes_fn=_received),
    _fate("written"),
    _fate("quarantined", attributes_fn=lambda ledger: {"replayed": ledger["replayed"]}),
    _fate("evicted", attributes_fn=_evicted_reasons),
    _fate("lost", attributes_fn=lambda ledger: {"reasons": ledger["lost"]}),
    replace(_fate("recovered"), attributes_fn=_recovery),
    HealthSensor(
        key="backfill",
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=1,
        entity_registry_enabled_default=False,
        value_fn=lambda snapshot: snapshot.backfill.percent,
        attributes_fn=lambda snapshot: asdict(snapshot.backfill),
    ),
    _fate("filtered", enabled=False, attributes_fn=lambda ledger: {"reasons": ledger["filtered"]}),
    _fate("deduplicated", enabled=False),
    HealthSensor(
        key="backlog",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda snapshot: snapshot.backlog if snapshot.is_open else None,
        attributes_fn=lambda snapshot: {"pending": snapshot.pending, "waiting": snapshot.waiting},
    ),
    HealthSensor(
        key="oldest_age",
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_display_precision=0,
        entity_registry_enabled_default=False,
        value_fn=lambda snapshot: None if snapshot.oldest_age is None else int(snapshot.oldest_age),
    ),
    HealthSensor(
        key="spool_size",
        device_class=SensorDeviceClass.DATA_SIZE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        suggested_unit_of_measurement=UnitOfInformation.MEBIBYTES,
        suggested_display_precision=1,
        entity_registry_enabled_default=False,
        value_fn=lambda snapshot: snapshot.spool_bytes if snapshot.is_open else None,
    ),
    HealthSensor(
        key="last_write",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda snapshot: snapshot.export.last_write,
    ),
    HealthSensor(
        key="write_latency",
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_unit_of_measurement=UnitOfTime.MILLISECONDS,
        suggested_display_precision=0,
        entity_registry_enabled_default=False,
        value_fn=lambda snapshot: snapshot.export.write_latency,
    ),
    HealthSensor(
        key="breaker",
        device_class=SensorDeviceClass.ENUM,
        options=list(BreakerState),
        entity_registry_enabled_default=False,
        value_fn=lambda snapshot: snapshot.breaker,
    ),
    HealthSensor(
        key="next_retry",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_registry_enabled_default=False,
        value_fn=lambda snapshot: snapshot.export.next_retry,
    ),
    *COST_SENSORS,
)

BINARY_SENSORS: Final[tuple[HealthBinarySensor, ...]] = (
    HealthBinarySensor(
        key="database_connected",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        # Unknown until the first write was answered.
        value_fn=lambda snapshot: snapshot.export.connected,
    ),
    HealthBinarySensor(
        key="problem",
        device_class=BinarySensorDeviceClass.PROBLEM,
        value_fn=has_problem,
    ),
)
