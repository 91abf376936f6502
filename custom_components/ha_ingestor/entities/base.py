"""The descriptions of sensors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from homeassistant.components.binary_sensor import BinarySensorEntityDescription
from homeassistant.components.sensor import SensorEntityDescription
from homeassistant.const import EntityCategory

type Reading = datetime | float | str | None
type Attributes = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class IngestorSensorDescription[T](SensorEntityDescription):
    """The description of a sensor of this data."""

    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC
    value_fn: Callable[[T], Reading]
    attributes_fn: Callable[[T], Attributes] = lambda _data: {}


@dataclass(frozen=True, kw_only=True)
class IngestorBinarySensorDescription[T](BinarySensorEntityDescription):
    """The description of a binary sensor of this data."""

    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC
    value_fn: Callable[[T], bool | None]
    attributes_fn: Callable[[T], Attributes] = lambda _data: {}
