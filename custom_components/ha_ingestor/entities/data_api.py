"""The entities of a data-api's sync."""

from collections.abc import Callable
from typing import Any, Final

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass

from ..data_api.sync import SyncState
from ..health.texts.server_text import plain
from .base import Attributes, IngestorBinarySensorDescription, IngestorSensorDescription

SyncSensor = IngestorSensorDescription[SyncState]
SyncBinarySensor = IngestorBinarySensorDescription[SyncState]


def _rows(
    name: str,
    value_fn: Callable[[SyncState], int],
    *,
    state_class: SensorStateClass = SensorStateClass.MEASUREMENT,
    enabled: bool = True,
    attributes_fn: Callable[[SyncState], Attributes] = lambda _state: {},
) -> SyncSensor:
    """Describe one count of rows."""
    return SyncSensor(
        key=f"rows_{name}",
        state_class=state_class,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
        attributes_fn=attributes_fn,
    )


def _rejected(state: SyncState) -> dict[str, Any]:
    """Name the first rejected rows."""
    return {"rows": {plain(each.key): plain(each.reason) for each in state.rejections}}


def _stale(state: SyncState) -> dict[str, Any]:
    """Name the first stale rows on the server."""
    return {"rows": list(map(plain, state.stale)), "renamed": state.entities_renamed}


def _connection(state: SyncState) -> dict[str, Any]:
    """Return the problem, and when it is retried."""
    return {"problem": state.problem, "next_retry": state.next_retry}


DATA_API_SENSORS: Final[tuple[SyncSensor, ...]] = (
    SyncSensor(
        key="last_sync",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda state: state.last_sync,
    ),
    _rows("sent", lambda state: state.rows_sent, state_class=SensorStateClass.TOTAL_INCREASING),
    _rows("unchanged", lambda state: state.rows_unchanged, enabled=False),
    _rows("pending", lambda state: state.rows_pending, enabled=False),
    _rows("rejected", lambda state: state.rows_rejected, attributes_fn=_rejected),
    # The key is stored in homes, and stays as it was first called.
    _rows("lingering", lambda state: state.rows_stale, enabled=False, attributes_fn=_stale),
)

DATA_API_BINARY_SENSORS: Final[tuple[SyncBinarySensor, ...]] = (
    SyncBinarySensor(
        key="data_api_connected",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        # Unknown until the first sync was answered.
        value_fn=lambda state: state.connected,
        attributes_fn=_connection,
    ),
)
