"""What the integration itself costs, for those who want to know."""

from typing import Final

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import UnitOfInformation, UnitOfTime

from ..pipeline.snapshot import Snapshot
from .base import IngestorSensorDescription

CostSensor = IngestorSensorDescription[Snapshot]

COST_SENSORS: Final[tuple[CostSensor, ...]] = (
    CostSensor(
        key="processor_time",
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.TOTAL_INCREASING,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_display_precision=1,
        entity_registry_enabled_default=False,
        value_fn=lambda snapshot: round(snapshot.performance.thread_seconds, 2),
    ),
    CostSensor(
        key="queue_memory",
        device_class=SensorDeviceClass.DATA_SIZE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        suggested_unit_of_measurement=UnitOfInformation.KIBIBYTES,
        suggested_display_precision=0,
        entity_registry_enabled_default=False,
        value_fn=lambda snapshot: snapshot.performance.queue_bytes,
    ),
    CostSensor(
        key="disk_written",
        device_class=SensorDeviceClass.DATA_SIZE,
        state_class=SensorStateClass.TOTAL_INCREASING,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        suggested_unit_of_measurement=UnitOfInformation.MEBIBYTES,
        suggested_display_precision=1,
        entity_registry_enabled_default=False,
        value_fn=lambda snapshot: snapshot.performance.disk_bytes,
    ),
)
