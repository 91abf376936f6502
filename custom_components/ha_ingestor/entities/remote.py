"""The entities of a remote home."""

from typing import Any, Final

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import UnitOfTime

from ..health.texts.server_text import plain
from ..sources.remote.health import RemoteState
from .base import IngestorBinarySensorDescription, IngestorSensorDescription

RemoteSensor = IngestorSensorDescription[RemoteState]
RemoteBinarySensor = IngestorBinarySensorDescription[RemoteState]


def _connection(state: RemoteState) -> dict[str, Any]:
    """Return the problem, when it is retried, and what is known of the other side."""
    return {
        "problem": state.problem,
        "next_retry": state.next_retry,
        "waits_for_start": state.is_waiting_for_start,
        "given_up": state.is_given_up,
        "version": plain(state.version) or None,
        "clock_difference": round(state.clock_ahead),
        "unfillable": state.unfillable,
    }


REMOTE_SENSORS: Final[tuple[RemoteSensor, ...]] = (
    RemoteSensor(
        key="connection_attempts",
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda state: state.attempts,
    ),
    RemoteSensor(
        key="connection_successes",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_registry_enabled_default=False,
        value_fn=lambda state: state.successes,
    ),
    RemoteSensor(
        key="connection_failures",
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda state: state.failures,
    ),
    RemoteSensor(
        key="last_connected",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda state: state.last_connected,
    ),
    RemoteSensor(
        key="events_per_minute",
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        value_fn=lambda state: state.events_per_minute,
    ),
    RemoteSensor(
        key="reconnect_time",
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_display_precision=1,
        entity_registry_enabled_default=False,
        value_fn=lambda state: state.reconnect_seconds,
    ),
)

REMOTE_BINARY_SENSORS: Final[tuple[RemoteBinarySensor, ...]] = (
    RemoteBinarySensor(
        key="remote_connected",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        # Unknown until the first attempt has ended.
        value_fn=lambda state: state.connected,
        attributes_fn=_connection,
    ),
)
