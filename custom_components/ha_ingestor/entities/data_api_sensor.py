"""The numbers and moments of a data-api's sync."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory

from ..data_api.sync import SyncState
from .data_api import UNRECORDED, RegistryEntity, lingering_rows, rejected_rows


@dataclass(frozen=True, kw_only=True)
class RegistrySensorDescription(SensorEntityDescription):
    """A reading of the state."""

    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC
    value_fn: Callable[[SyncState], datetime | int | None]
    attributes_fn: Callable[[SyncState], dict[str, Any]] = lambda _state: {}


def _rows(
    name: str,
    value_fn: Callable[[SyncState], int],
    *,
    state_class: SensorStateClass = SensorStateClass.MEASUREMENT,
    enabled: bool = True,
    attributes_fn: Callable[[SyncState], dict[str, Any]] = lambda _state: {},
) -> RegistrySensorDescription:
    """Describe one count of rows."""
    return RegistrySensorDescription(
        key=f"rows_{name}",
        translation_key=f"rows_{name}",
        state_class=state_class,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
        attributes_fn=attributes_fn,
    )


REGISTRY_DESCRIPTIONS: Final = (
    RegistrySensorDescription(
        key="last_sync",
        translation_key="last_sync",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda state: state.last_sync,
    ),
    _rows("sent", lambda state: state.rows_sent, state_class=SensorStateClass.TOTAL_INCREASING),
    _rows("unchanged", lambda state: state.rows_unchanged, enabled=False),
    _rows("pending", lambda state: state.rows_pending, enabled=False),
    _rows("rejected", lambda state: state.rows_rejected, attributes_fn=rejected_rows),
    _rows(
        "lingering",
        lambda state: state.rows_lingering,
        enabled=False,
        attributes_fn=lingering_rows,
    ),
)


class RegistrySensor(RegistryEntity, SensorEntity):
    """One reading."""

    entity_description: RegistrySensorDescription
    _unrecorded_attributes = UNRECORDED

    @property
    @override
    def native_value(self) -> datetime | int | None:
        return self.entity_description.value_fn(self.coordinator.data)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        return self.entity_description.attributes_fn(self.coordinator.data)
