"""The numbers and moments of a destination's health."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    MAX_LENGTH_STATE_STATE,
    EntityCategory,
    UnitOfInformation,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import HaIngestorConfigEntry
from .entities.data_api import add_registry_entities
from .entities.data_api_sensor import REGISTRY_DESCRIPTIONS, RegistrySensor
from .entity import IngestorEntity
from .flows.destination import ADDRESS_PROBLEMS
from .health.server_text import plain
from .pipeline.export.breaker import BreakerState
from .pipeline.export.export_state import Status, Turn
from .pipeline.export.result import Problem
from .pipeline.snapshot import Snapshot

PARALLEL_UPDATES = 0


type Reading = datetime | float | str | None


@dataclass(frozen=True, kw_only=True)
class IngestorSensorDescription(SensorEntityDescription):
    """A reading of the snapshot."""

    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC
    value_fn: Callable[[Snapshot], Reading]
    attributes_fn: Callable[[Snapshot], dict[str, Any]] | None = None


def _status_attributes(snapshot: Snapshot) -> dict[str, Any]:
    export = snapshot.export
    return {
        "problem": export.problem,
        "attempts": export.attempts,
        "next_retry": export.next_retry,
    }


def _last_problem(snapshot: Snapshot) -> Turn | None:
    turns = reversed(snapshot.history)
    return next((turn for turn in turns if turn.problem is not Problem.NONE), None)


def _last_error(snapshot: Snapshot) -> str | None:
    if not (turn := _last_problem(snapshot)):
        return None
    # The detail of some names hosts, and where a redirect leads may hold a session.
    is_told = turn.detail and turn.problem not in ADDRESS_PROBLEMS
    return (plain(turn.detail) if is_told else turn.problem)[:MAX_LENGTH_STATE_STATE]


def _last_error_attributes(snapshot: Snapshot) -> dict[str, Any]:
    turn = _last_problem(snapshot)
    return {"problem": turn.problem, "since": turn.time} if turn else {}


def _received(ledger: dict[str, Any]) -> dict[str, Any]:
    """Return what makes the first equation of the ledger complete."""
    return {name: ledger[name] for name in ("received", "waiting", "misdated")}


def _evicted_reasons(ledger: dict[str, Any]) -> dict[str, Any]:
    return {"reasons": ledger["evicted_for"]}


def _fate(
    name: str,
    *,
    enabled: bool = True,
    attributes_fn: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> IngestorSensorDescription:
    """Describe one count of the ledger; a table of reasons is shown as its sum."""

    def value(snapshot: Snapshot) -> int | None:
        if not snapshot.is_open:
            return None
        count = snapshot.ledger[name]
        return sum(count.values()) if isinstance(count, dict) else count

    def attributes(snapshot: Snapshot) -> dict[str, Any]:
        return attributes_fn(snapshot.ledger) if attributes_fn and snapshot.is_open else {}

    return IngestorSensorDescription(
        key=f"points_{name}",
        translation_key=f"points_{name}",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_registry_enabled_default=enabled,
        value_fn=value,
        attributes_fn=attributes,
    )


DESCRIPTIONS: tuple[IngestorSensorDescription, ...] = (
    IngestorSensorDescription(
        key="status",
        translation_key="status",
        device_class=SensorDeviceClass.ENUM,
        options=list(Status),
        value_fn=lambda snapshot: snapshot.export.status,
        attributes_fn=_status_attributes,
    ),
    _fate("captured", enabled=False, attributes_fn=_received),
    _fate("written"),
    _fate("quarantined", attributes_fn=lambda ledger: {"replayed": ledger["replayed"]}),
    _fate("evicted", attributes_fn=_evicted_reasons),
    _fate("lost", attributes_fn=lambda ledger: {"reasons": ledger["lost"]}),
    _fate("filtered", enabled=False, attributes_fn=lambda ledger: {"reasons": ledger["filtered"]}),
    _fate("deduplicated", enabled=False),
    IngestorSensorDescription(
        key="backlog",
        translation_key="backlog",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda snapshot: snapshot.backlog if snapshot.is_open else None,
        attributes_fn=lambda snapshot: {"pending": snapshot.pending, "waiting": snapshot.waiting},
    ),
    IngestorSensorDescription(
        key="oldest_age",
        translation_key="oldest_age",
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_display_precision=0,
        entity_registry_enabled_default=False,
        value_fn=lambda snapshot: None if snapshot.oldest_age is None else int(snapshot.oldest_age),
    ),
    IngestorSensorDescription(
        key="spool_size",
        translation_key="spool_size",
        device_class=SensorDeviceClass.DATA_SIZE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        suggested_unit_of_measurement=UnitOfInformation.MEBIBYTES,
        suggested_display_precision=1,
        entity_registry_enabled_default=False,
        value_fn=lambda snapshot: snapshot.spool_bytes if snapshot.is_open else None,
    ),
    IngestorSensorDescription(
        key="last_write",
        translation_key="last_write",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda snapshot: snapshot.export.last_write,
    ),
    IngestorSensorDescription(
        key="write_latency",
        translation_key="write_latency",
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_unit_of_measurement=UnitOfTime.MILLISECONDS,
        suggested_display_precision=0,
        entity_registry_enabled_default=False,
        value_fn=lambda snapshot: snapshot.export.write_latency,
    ),
    IngestorSensorDescription(
        key="breaker",
        translation_key="breaker",
        device_class=SensorDeviceClass.ENUM,
        options=list(BreakerState),
        entity_registry_enabled_default=False,
        value_fn=lambda snapshot: snapshot.breaker,
    ),
    IngestorSensorDescription(
        key="next_retry",
        translation_key="next_retry",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_registry_enabled_default=False,
        value_fn=lambda snapshot: snapshot.export.next_retry,
    ),
    IngestorSensorDescription(
        key="last_error",
        translation_key="last_error",
        entity_registry_enabled_default=False,
        value_fn=_last_error,
        attributes_fn=_last_error_attributes,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: HaIngestorConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of one destination."""
    async_add_entities(
        IngestorSensor(entry.runtime_data.coordinator, description) for description in DESCRIPTIONS
    )
    add_registry_entities(entry, async_add_entities, RegistrySensor, REGISTRY_DESCRIPTIONS)


class IngestorSensor(IngestorEntity, SensorEntity):
    """One reading."""

    entity_description: IngestorSensorDescription
    _unrecorded_attributes = frozenset(
        {
            *("attempts", "misdated", "next_retry", "pending", "reasons", "received"),
            *("replayed", "since", "waiting"),
        }
    )

    @property
    @override
    def native_value(self) -> Reading:
        return self.entity_description.value_fn(self.coordinator.data)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any] | None:
        attributes_fn = self.entity_description.attributes_fn
        return attributes_fn(self.coordinator.data) if attributes_fn else None
