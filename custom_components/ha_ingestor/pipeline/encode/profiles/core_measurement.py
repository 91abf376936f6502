"""Which measurement a state belongs to, as the built-in `influxdb` integration chooses it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ...model import EntityContext
from ...text import exact, text_of
from .core_settings import CoreSettings, MeasurementAttr


def measurement_of(
    settings: CoreSettings, entity: EntityContext, attributes: Mapping[str, Any]
) -> tuple[str, str | None]:
    """Return the measurement of an entity that has none of its own.

    And the attribute that is no field because the measurement is named after it.
    """
    measurement, spent = _BY[settings.measurement_attr](entity, attributes)
    return measurement or settings.default_measurement or entity.entity_id, spent


def _by_unit(_: EntityContext, attributes: Mapping[str, Any]) -> tuple[str, str | None]:
    unit = attributes.get("unit_of_measurement")
    if unit is None or (isinstance(unit, str) and not exact(unit)):
        return "", None
    return text_of(unit), "unit_of_measurement"


def _by_device_class(
    entity: EntityContext, attributes: Mapping[str, Any]
) -> tuple[str, str | None]:
    device_class = attributes.get("device_class")
    if device_class is None:
        return entity.domain, None
    return f"{entity.domain}__{text_of(device_class)}", "device_class"


def _by_entity_id(entity: EntityContext, _: Mapping[str, Any]) -> tuple[str, str | None]:
    return entity.entity_id, None


_BY: Final[
    Mapping[MeasurementAttr, Callable[[EntityContext, Mapping[str, Any]], tuple[str, str | None]]]
] = {
    "unit_of_measurement": _by_unit,
    "domain__device_class": _by_device_class,
    "entity_id": _by_entity_id,
}
